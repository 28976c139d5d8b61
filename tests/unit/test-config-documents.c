/* The tables of the configuration against what people read about them. */
#include "config.h"

#include "../../ferry/config-sections.h"
#include "../../ferry/ini.h"
#include "../../ferry/policy-section.h"
#include "ferry/config.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

/* Returns: (transfer full): the text of a file of the source tree. */
static char *
read_source(const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", folder, name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, /* length= */ NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Takes the # off each "#key = value" and off the sections that only an operator has. */
static char *
uncomment(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = g_regex_new("^#([a-z_]+ =|\\[policy )", G_REGEX_MULTILINE, 0, &error);

    g_assert_no_error(error);
    char *bare = g_regex_replace(regex, text, -1, 0, "\\1", 0, &error);
    g_assert_no_error(error);
    return bare;
}

static bool
note_entry(const FerryIniEntry *entry, gpointer user_data, GError **error)
{
    char *key = g_strdup_printf("%s.%s", entry->section, entry->key);
    bool first = g_hash_table_replace(user_data, key, g_strdup(entry->value));

    g_assert_true(first); /* no key is explained twice */
    return true;
}

/* Returns: (transfer full): "section.key" and the value, of the example with nothing commented. */
static GHashTable *
example_entries(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_source("etc", "virt-ferryd.conf");
    g_autofree char *bare = uncomment(text);
    GHashTable *entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    bool read = ferry_ini_read_text("etc", bare, strlen(bare), note_entry, entries, &error);

    g_assert_no_error(error);
    g_assert_true(read);
    return entries;
}

/* Returns: how many keys the section has, all of which the example has with their defaults. */
static guint
assert_example_has(GHashTable *entries, const char *section, const FerrySetting *setting)
{
    guint count = 0;

    for (; setting->name; setting++, count++) {
        g_autofree char *name = g_strdup_printf("%s.%s", section, setting->name);

        g_test_message("%s", name);
        const char *value = g_hash_table_lookup(entries, name);
        g_assert_nonnull(value);
        if (setting->fallback)
            g_assert_cmpstr(value, ==, setting->fallback);
    }
    return count;
}

static void
test_example_has_every_key_with_its_default(void)
{
    g_autoptr(GHashTable) entries = example_entries();
    guint count = assert_example_has(entries, "policy gentle", ferry_policy_settings);

    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++)
        count += assert_example_has(entries, section->name, section->settings);
    g_assert_cmpuint(g_hash_table_size(entries), ==, count); /* and no others */
}

static void
test_example_loads(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_source("etc", "virt-ferryd.conf");
    g_autofree char *bare = uncomment(text);
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("ferry-example-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(path, bare, /* length= */ -1, &error);
    g_assert_no_error(error);
    const char *const files[] = {path, NULL};
    g_autoptr(FerryConfig) config = ferry_config_load(files, &error);
    g_unlink(path);
    g_assert_no_error(error);
    g_assert_nonnull(config);
    g_assert_null(config->live_migration_uri);
    g_assert_null(config->messaging->ssl_ca_file);
}

/* An installed example changes nothing, and has no policy. */
static void
test_example_is_all_comments(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_source("etc", "virt-ferryd.conf");
    g_autoptr(GHashTable) entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    bool read = ferry_ini_read_text("etc", text, strlen(text), note_entry, entries, &error);

    g_assert_no_error(error);
    g_assert_true(read);
    g_assert_cmpuint(g_hash_table_size(entries), ==, 0);
    g_assert_null(strstr(text, "\n[" FERRY_POLICY_SECTION));
}

static void
assert_page_has(const char *page, const char *section, const FerrySetting *setting)
{
    g_autofree char *heading = g_strdup_printf("\n.Ss [%s]\n", section);
    g_autofree char *item = g_strdup_printf("\n.It Va %s No = ", setting->name);
    const char *begin = strstr(page, heading);

    g_test_message("[%s] %s", section, setting->name);
    g_assert_nonnull(begin);
    const char *end = strstr(begin + 1, "\n.Ss ");
    const char *found = strstr(begin, item);
    g_assert_nonnull(found);
    g_assert_true(!end || found < end);
    if (!setting->fallback)
        return;
    g_autofree char *line = g_strndup(found + 1, strcspn(found + 1, "\n"));
    g_autofree char *fallback = g_strdup_printf(" No (%s)", setting->fallback);
    g_assert_true(g_str_has_suffix(line, fallback));
}

static guint
assert_page_has_all(const char *page, const char *section, const FerrySetting *setting)
{
    guint count = 0;

    for (; setting->name; setting++, count++)
        assert_page_has(page, section, setting);
    return count;
}

static void
test_page_has_every_key_with_its_default(void)
{
    g_autofree char *page = read_source("docs", "virt-ferryd.conf.5");
    guint items = 0;
    guint settings = assert_page_has_all(page, "policy NAME", ferry_policy_settings);

    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++)
        settings += assert_page_has_all(page, section->name, section->settings);
    for (const char *at = strstr(page, "\n.It Va "); at; at = strstr(at + 1, "\n.It Va "))
        items++;
    g_assert_cmpuint(items, ==, settings); /* and no others */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config-documents/example-keys", test_example_has_every_key_with_its_default);
    g_test_add_func("/config-documents/example-loads", test_example_loads);
    g_test_add_func("/config-documents/example-is-inert", test_example_is_all_comments);
    g_test_add_func("/config-documents/page-keys", test_page_has_every_key_with_its_default);
    return g_test_run();
}
