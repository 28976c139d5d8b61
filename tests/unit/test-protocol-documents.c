/* What exists once in the code, in a table, against what people read about it. */
#include "config.h"

#include "../../cli/order.h"
#include "../../ferry/config-sections.h"
#include "methods/table.h"
#include "model/check.h"
#include "model/order-options.h"

#include "ferry/json.h"
#include "ferry/status.h"

#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

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

/* Returns: (transfer full): what is between the line @begin and the next that starts with @end. */
static char *
read_part(const char *text, const char *begin, const char *end)
{
    g_autofree char *from = g_strdup_printf("\n%s\n", begin);
    g_autofree char *to = g_strdup_printf("\n%s", end);
    const char *start = strstr(text, from);

    g_test_message("the part '%s'", begin);
    g_assert_nonnull(start);
    start += strlen(from) - 1;

    const char *stop = strstr(start, to);

    g_assert_nonnull(stop);
    return g_strndup(start, (gsize)(stop - start));
}

static char *
read_protocol_part(const char *begin, const char *end)
{
    g_autofree char *text = read_source("docs", "protocol.md");

    return read_part(text, begin, end);
}

static GHashTable *
set_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* Adds the first group of each match. */
static void
collect(GHashTable *set, const char *text, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, &error);
    g_autoptr(GMatchInfo) match = NULL;

    g_assert_no_error(error);
    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL))
        g_hash_table_add(set, g_match_info_fetch(match, 1));
}

/* The words in code in the first cells of all tables of @text. */
static GHashTable *
collect_first_cells(const char *text)
{
    g_autoptr(GHashTable) cells = set_new();
    GHashTable *words = set_new();
    GHashTableIter iter;
    gpointer cell = NULL;

    collect(cells, text, "^\\| ([^|]*) \\|");
    g_hash_table_iter_init(&iter, cells);
    while (g_hash_table_iter_next(&iter, &cell, NULL))
        collect(words, cell, "`([^`]+)`");
    return words;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void
assert_within(GHashTable *set, GHashTable *other, const char *where)
{
    GHashTableIter iter;
    gpointer name = NULL;

    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(other, name))
            g_error("'%s' is not in %s", (const char *)name, where);
}

static void
assert_same(GHashTable *told, GHashTable *known, const char *document)
{
    g_assert_cmpuint(g_hash_table_size(known), >, 0);
    assert_within(told, known, "the code's table");
    assert_within(known, told, document);
}

/* --- methods ---------------------------------------------------------------------------------- */

static void
add_names(GHashTable *set, const char *const *names)
{
    for (; names && *names; names++)
        g_hash_table_add(set, g_strdup(*names));
}

/* @cell: "`instance`, [`host`, `options`]". */
static void
split_arguments(const char *cell, GHashTable *required, GHashTable *optional)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = g_regex_new("\\[[^\\]]*\\]", 0, 0, &error);
    g_autoptr(GHashTable) all = set_new();
    g_autofree char *bare = NULL;

    g_assert_no_error(error);
    bare = g_regex_replace_literal(regex, cell, -1, 0, "", 0, &error);
    g_assert_no_error(error);
    collect(required, bare, "`([a-z_]+)`");
    collect(all, cell, "`([a-z_]+)`");

    GHashTableIter iter;
    gpointer name = NULL;

    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(required, name))
            g_hash_table_add(optional, g_strdup(name));
}

static void
assert_arguments(const FerryMethod *method, const char *cell)
{
    g_autoptr(GHashTable) told_required = set_new();
    g_autoptr(GHashTable) told_optional = set_new();
    g_autoptr(GHashTable) required = set_new();
    g_autoptr(GHashTable) optional = set_new();

    split_arguments(cell, told_required, told_optional);
    add_names(required, method->required);
    add_names(optional, method->optional);
    assert_within(told_required, required, "the method's required arguments");
    assert_within(required, told_required, "protocol.md's required arguments");
    assert_within(told_optional, optional, "the method's optional arguments");
    assert_within(optional, told_optional, "protocol.md's optional arguments");
}

/* @row: "| [`name`](#x) *order* | runs on | arguments | answer |". */
static void
assert_method(const FerryMethod *method, const char *row)
{
    g_auto(GStrv) cells = g_strsplit(row, "|", -1);

    g_test_message("%s", method->name);
    g_assert_cmpuint(g_strv_length(cells), ==, 6);
    g_assert_true((strstr(cells[1], "*order*") != NULL) ==
                  ((method->flags & FERRY_METHOD_ORDER) != 0));
    assert_arguments(method, cells[3]);
}

static char *
find_row(const char *text, const char *name)
{
    g_autofree char *pattern = g_strdup_printf("^\\| \\[?`%s`.*$", name);
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, &error);
    g_autoptr(GMatchInfo) match = NULL;

    g_assert_no_error(error);
    g_regex_match(regex, text, 0, &match);
    return g_match_info_matches(match) ? g_match_info_fetch(match, 0) : NULL;
}

static void
test_methods(void)
{
    g_autofree char *part = read_protocol_part("## 4. Methods", "### ");
    g_autoptr(GHashTable) told = collect_first_cells(part);
    g_autoptr(GHashTable) known = set_new();

    for (const FerryMethod *method = ferry_methods_served(); method->name; method++)
        g_hash_table_add(known, g_strdup(method->name));
    assert_same(told, known, "protocol.md, part 4");
    for (const FerryMethod *method = ferry_methods_served(); method->name; method++) {
        g_autofree char *row = find_row(part, method->name);

        assert_method(method, row);
    }
}

/* What is served is what is run. */
static void
test_rows(void)
{
    const FerryMethod *served = ferry_methods_served();

    for (const FerryMethodRow *row = ferry_method_rows(); row->served.name; row++, served++) {
        g_assert_cmpstr(served->name, ==, row->served.name);
        g_assert_nonnull(row->run);
        g_assert_true(ferry_method_find(served->name) == row);
    }
    g_assert_null(served->name);
    g_assert_null(ferry_method_find("nosuch"));
}

/* --- options ---------------------------------------------------------------------------------- */

static GHashTable *
known_options(void)
{
    GHashTable *known = set_new();

    for (guint i = 0; ferry_order_option_name(i); i++)
        g_hash_table_add(known, g_strdup(ferry_order_option_name(i)));
    return known;
}

static void
test_options(void)
{
    g_autofree char *part = read_protocol_part("## 5. Options", "## 6");
    g_autoptr(GHashTable) told = collect_first_cells(part);
    g_autoptr(GHashTable) known = known_options();

    assert_same(told, known, "protocol.md, part 5");
}

/* Keys of the configuration that are named as defaults. */
static void
test_options_defaults(void)
{
    g_autofree char *part = read_protocol_part("## 5. Options", "## 6");
    g_autoptr(GHashTable) told = set_new();
    g_autoptr(GHashTable) settings = set_new();

    collect(told, part, "`(live_migration_[a-z_]+)`");
    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++)
        for (const FerrySetting *setting = section->settings; setting->name; setting++)
            g_hash_table_add(settings, g_strdup(setting->name));
    g_assert_cmpuint(g_hash_table_size(told), >, 0);
    assert_within(told, settings, "the configuration");
}

static void
test_options_of_the_command(void)
{
    g_autoptr(GHashTable) known = known_options();
    g_autoptr(GHashTable) keys = set_new();
    const char *key = NULL;

    for (guint i = 0; ferry_order_option(i, &key); i++)
        if (key)
            g_hash_table_add(keys, g_strdup(key));
    assert_within(keys, known, "the agent's options");
    assert_within(known, keys, "the command's options");
}

static GHashTable *
command_options(const char *prefix)
{
    GHashTable *names = set_new();
    const char *key = NULL;

    for (guint i = 0; ferry_order_option(i, &key); i++)
        g_hash_table_add(names, g_strconcat(prefix, ferry_order_option(i, &key), NULL));
    return names;
}

static void
test_options_in_page(void)
{
    g_autofree char *page = read_source("docs", "virt-ferry.1");
    g_autofree char *part = read_part(page, ".Ss Options of check and migrate", ".Ss ");
    g_autoptr(GHashTable) told = set_new();
    g_autoptr(GHashTable) known = command_options("-");

    /* Two more are no options of an order: where from and where to. */
    g_hash_table_add(known, g_strdup("-from"));
    g_hash_table_add(known, g_strdup("-to"));
    collect(told, part, "^\\.It Fl (?:[a-z] , )?(-[a-z-]+)");
    collect(told, part, "^\\.It Fl -[a-z-]+ , Fl (-[a-z-]+)");
    assert_same(told, known, "virt-ferry(1)");
}

static void
test_options_in_completion(void)
{
    g_autofree char *text = read_source("etc", "virt-ferry.bash-completion");
    g_autoptr(GHashTable) quoted = set_new();
    g_autoptr(GHashTable) told = set_new();
    g_autoptr(GHashTable) known = command_options("--");
    GHashTableIter iter;
    gpointer list = NULL;

    collect(quoted, text, "^ *local order='([^']*)'");
    g_hash_table_iter_init(&iter, quoted);
    while (g_hash_table_iter_next(&iter, &list, NULL))
        collect(told, list, "(--[a-z-]+)");
    assert_same(told, known, "the completion");
}

/* Options that take one word of a few. */
static const struct {
    const char *option;
    const char *key;
} worded[] = {
    {"policy", "policy"},
    {"disk-writes", "disk_writes"},
    {"priority", "priority"},
    {"timeout-action", "timeout_action"},
    {"source-disks", "source_disks"},
    {"storage-strategy", "storage_strategy"},
};

/* Returns: (transfer full): those of the words in @text, each a match of @pattern, that the agent
 * takes for the option @key. */
static GHashTable *
collect_values(const char *key, const char *text, const char *pattern)
{
    const char *const no_files[] = {NULL};
    g_autoptr(FerryConfig) config = ferry_config_load(no_files, NULL);
    g_autoptr(GHashTable) words = set_new();
    GHashTable *values = set_new();
    GHashTableIter iter;
    gpointer word = NULL;

    config->live_migration_permit_post_copy = true;
    collect(words, text, pattern);
    g_hash_table_iter_init(&iter, words);
    while (g_hash_table_iter_next(&iter, &word, NULL)) {
        g_autoptr(FerryJson) options = json_pack("{s:s}", key, word);
        g_autoptr(FerryOrderOptions) taken = ferry_order_options_parse(options, config, NULL);

        if (taken)
            g_hash_table_add(values, g_strdup(word));
    }
    return values;
}

/* The protocol, the manual and the completion know the same words, and the agent takes them. */
static void
test_words_of_options(void)
{
    g_autofree char *part = read_protocol_part("## 5. Options", "## 6");
    g_autofree char *page = read_source("docs", "virt-ferry.1");
    g_autofree char *completion = read_source("etc", "virt-ferry.bash-completion");

    for (guint i = 0; i < G_N_ELEMENTS(worded); i++) {
        g_autofree char *row = find_row(part, worded[i].key);
        g_autofree char *item = g_strdup_printf("\n.It Fl -%s ", worded[i].option);
        g_autofree char *branch = g_strdup_printf("--%s) echo '", worded[i].option);
        const char *in_page = strstr(page, item);
        const char *in_completion = strstr(completion, branch);

        g_test_message("%s", worded[i].option);
        g_assert_nonnull(row);
        g_assert_nonnull(in_page);
        g_assert_nonnull(in_completion);

        const char *words = in_completion + strlen(branch);
        g_auto(GStrv) paragraphs = g_strsplit(in_page + 1, "\n.It ", 2);
        g_autofree char *list = g_strndup(words, strcspn(words, "'"));
        g_autoptr(GHashTable) protocol = collect_values(worded[i].key, row, "`([a-z_-]+)`");
        g_autoptr(GHashTable) manual =
            collect_values(worded[i].key, paragraphs[0], "^\\.Cm ([a-z_-]+)");
        g_autoptr(GHashTable) offered = collect_values(worded[i].key, list, "([a-z_-]+)");

        assert_same(offered, protocol, "the completion");
        assert_same(manual, protocol, "virt-ferry(1)");
    }
}

static void
test_policies(void)
{
    g_autofree char *part = read_protocol_part("## 5. Options", "## 6");
    g_autofree char *row = find_row(part, "policy");
    g_autoptr(GHashTable) told = collect_values("policy", row, "`([a-z_-]+)`");
    g_autoptr(GHashTable) known = set_new();

    for (guint i = 0; ferry_transfer_policy_built_in(i); i++)
        g_hash_table_add(known, g_strdup(ferry_transfer_policy_built_in(i)->name));
    assert_same(told, known, "protocol.md, part 5");
}

/* --- checks ----------------------------------------------------------------------------------- */

static GHashTable *
known_checks(void)
{
    GHashTable *known = set_new();

    for (guint i = 0; ferry_check_name(i); i++)
        g_assert_true(g_hash_table_add(known, g_strdup(ferry_check_name(i))));
    return known;
}

static void
test_checks(void)
{
    g_autofree char *part = read_protocol_part("## 6. Checks", "## 7");
    g_autoptr(GHashTable) told = collect_first_cells(part);
    g_autoptr(GHashTable) known = known_checks();

    assert_same(told, known, "protocol.md, part 6");
}

/* @used: names that are given to what adds a result; @words: all strings. */
static void
scan_folder(const char *name, GHashTable *used, GHashTable *words)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "agent", name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &error);
    const char *file = NULL;

    g_assert_no_error(error);
    while ((file = g_dir_read_name(folder))) {
        g_autofree char *below = g_build_filename("agent", name, NULL);
        g_autofree char *text = NULL;

        if (!g_str_has_suffix(file, ".c") || strcmp(file, "check.c") == 0)
            continue;
        text = read_source(below, file);
        collect(used, text,
                "\\b(?:ferry_checks_add|ferry_checks_add_error|ferry_instance_add_obstacle|block)"
                "\\(\\s*[^,\"]+,\\s*\"([^\"]+)\"");
        collect(words, text, "\"([a-z-]+)\"");
    }
}

/* A name that is used has a row, and a row is used. */
static void
test_checks_in_code(void)
{
    static const char *const folders[] = {"checks", "model", "source", "storage", "virt", "xml"};
    g_autoptr(GHashTable) used = set_new();
    g_autoptr(GHashTable) words = set_new();
    g_autoptr(GHashTable) known = known_checks();

    for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
        scan_folder(folders[i], used, words);
    g_assert_cmpuint(g_hash_table_size(used), >, g_hash_table_size(known) / 2);
    assert_within(used, known, "the table of checks");
    assert_within(known, words, "any source of the agent");
}

/* --- statuses --------------------------------------------------------------------------------- */

static GHashTable *
known_statuses(void)
{
    GHashTable *known = set_new();

    for (guint i = 0; i < FERRY_STATUS_COUNT; i++)
        g_hash_table_add(known, g_strdup(ferry_status_to_string(i)));
    return known;
}

static void
test_statuses(void)
{
    g_autofree char *part = read_protocol_part("## 8. Statuses", "## 9");
    g_autoptr(GHashTable) told = collect_first_cells(part);
    g_autoptr(GHashTable) known = known_statuses();
    const char *destination = strstr(part, "\nThe destination's record:");

    g_assert_nonnull(destination);
    collect(told, destination, "`([^`]+)`");
    assert_same(told, known, "protocol.md, part 8");
}

static void
test_statuses_in_completion(void)
{
    g_autofree char *text = read_source("etc", "virt-ferry.bash-completion");
    g_autoptr(GHashTable) lists = set_new();
    g_autoptr(GHashTable) told = set_new();
    g_autoptr(GHashTable) known = known_statuses();
    GHashTableIter iter;
    gpointer list = NULL;

    collect(lists, text, "--status\\) echo '([^']*)'");
    g_hash_table_iter_init(&iter, lists);
    while (g_hash_table_iter_next(&iter, &list, NULL))
        collect(told, list, "([a-z-]+)");
    assert_same(told, known, "the completion");
}

/* The table of events has each but for what they share: `migration.accepted` `.queued` ... */
static void
test_events(void)
{
    g_autofree char *part = read_protocol_part("## 9. Events", "## 10");
    static const FerryRole roles[] = {FERRY_ROLE_SOURCE, FERRY_ROLE_DESTINATION};

    for (guint i = 0; i < G_N_ELEMENTS(roles) * FERRY_STATUS_COUNT; i++) {
        const char *event =
            ferry_status_event_type(roles[i / FERRY_STATUS_COUNT], i % FERRY_STATUS_COUNT);
        g_autofree char *end = event ? g_strconcat(strrchr(event, '.'), "`", NULL) : NULL;

        if (!event)
            continue;
        g_test_message("%s", event);
        g_assert_nonnull(strstr(part, end));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol-documents/methods", test_methods);
    g_test_add_func("/protocol-documents/rows", test_rows);
    g_test_add_func("/protocol-documents/options", test_options);
    g_test_add_func("/protocol-documents/options-defaults", test_options_defaults);
    g_test_add_func("/protocol-documents/options-of-the-command", test_options_of_the_command);
    g_test_add_func("/protocol-documents/options-in-page", test_options_in_page);
    g_test_add_func("/protocol-documents/options-in-completion", test_options_in_completion);
    g_test_add_func("/protocol-documents/words-of-options", test_words_of_options);
    g_test_add_func("/protocol-documents/policies", test_policies);
    g_test_add_func("/protocol-documents/checks", test_checks);
    g_test_add_func("/protocol-documents/checks-in-code", test_checks_in_code);
    g_test_add_func("/protocol-documents/statuses", test_statuses);
    g_test_add_func("/protocol-documents/statuses-in-completion", test_statuses_in_completion);
    g_test_add_func("/protocol-documents/events", test_events);
    return g_test_run();
}
