#include "config.h"

#include "words.h"

#include "order.h"

#include <string.h>

#define UUID_LENGTH 36

static const struct {
    const char *method;
    const char *command;
} methods[] = {
    {"describe_host", "'virt-ferry --json hosts'"},
    {"list_migrations", "'virt-ferry list'"},
    {"get_migration", "'virt-ferry show'"},
    {"resolve_migration", "'virt-ferry resolve'"},
    {"live_migrate_instance", "'virt-ferry migrate'"},
    {"live_migration_abort", "'virt-ferry abort'"},
    {"live_migration_force_complete", "'virt-ferry force-complete'"},
    {"live_migration_set_parameters", "'virt-ferry tune'"},
    {"check_can_live_migrate_source", "'virt-ferry check'"},
    {"check_host", "'virt-ferry check --host'"},
    {"list_quarantined_disks", "'virt-ferry quarantine list'"},
    {"restore_quarantined_disks", "'virt-ferry quarantine restore'"},
    {"delete_quarantined_disks", "'virt-ferry quarantine delete'"},
};

/* Returns: (nullable): the option that sets @key. A key that several options set has none. */
static const char *
option_of(const char *key)
{
    const char *found = NULL;
    const char *its_key = NULL;
    const char *name = NULL;

    for (guint i = 0; (name = ferry_order_option(i, &its_key)); i++) {
        if (g_strcmp0(its_key, key) != 0)
            continue;
        if (found)
            return NULL;
        found = name;
    }
    return found;
}

static const char *
command_of(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (strcmp(word, methods[i].method) == 0)
            return methods[i].command;
    }
    return NULL;
}

static bool
ends_with(const GString *text, const char *end)
{
    return g_str_has_suffix(text->str, end);
}

static void
cut_end(GString *text, const char *end)
{
    if (ends_with(text, end))
        g_string_truncate(text, text->len - strlen(end));
}

/* Takes an id behind a method into the quotes of its command. Returns: its bytes there. */
static gsize
append_id(GString *plain, const char *behind)
{
    g_autofree char *id = *behind == ' ' ? g_strndup(behind + 1, UUID_LENGTH) : NULL;

    if (!id || !g_uuid_string_is_valid(id))
        return 0;
    cut_end(plain, "'");
    g_string_append_printf(plain, " %s'", id);
    return 1 + UUID_LENGTH;
}

/* Appends what stands for @word. Returns: how many bytes behind it belong to it, too. A word that
 * is not one of the language alone (it has an underscore, or quotes, or the name of the object
 * before it) is a key. */
static gsize
append_word(GString *plain, const char *word, const char *behind)
{
    const char *command = command_of(word);
    bool quoted = ends_with(plain, "\"") && *behind == '"';
    bool named = quoted || ends_with(plain, "options.") || strchr(word, '_');
    const char *option = named && !ends_with(plain, "] ") ? option_of(word) : NULL;

    if (command || !option) {
        g_string_append(plain, command ? command : word);
        return command ? append_id(plain, behind) : 0;
    }
    cut_end(plain, "options.");
    if (quoted)
        cut_end(plain, "\"");
    if (ends_with(plain, "Option "))
        cut_end(plain, "Option ");
    g_string_append_printf(plain, "--%s", option);
    return quoted ? 1 : 0;
}

static gsize
word_length(const char *at)
{
    gsize length = 0;

    while (g_ascii_isalnum(at[length]) || at[length] == '_')
        length++;
    return length;
}

/* What the wire calls an agent, and the arguments of its methods. */
static const struct {
    const char *pattern;
    const char *plain;
} phrases[] = {
    {"No agent serves virt-ferry\\.([\\w.-]*\\w)", "No agent runs on '\\1'"},
    {"\\b(to|from|ask) virt-ferry\\.([\\w.-]*\\w)", "\\1 the agent of '\\2'"},
    {"Field \"args\\.(status|instance)\"", "--\\1"},
    {"Field \"(?:args\\.)?options\\.(\\w+)\"", "Option \"\\1\""},
    {"Field \"args\\.(\\w+)\"", "'\\1'"},
};

/* Returns: (transfer full). */
static char *
replace_phrases(const char *text)
{
    char *plain = g_strdup(text);

    for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++) {
        g_autoptr(GRegex) pattern = g_regex_new(phrases[i].pattern, 0, 0, NULL);
        g_autofree char *before = plain;

        plain = g_regex_replace(pattern, before, -1, 0, phrases[i].plain, 0, NULL);
        if (!plain) /* not UTF-8 */
            plain = g_steal_pointer(&before);
    }
    return plain;
}

/* The rest is words that stand for themselves: methods and keys. */
static char *
replace_words(const char *text)
{
    GString *plain = g_string_new(NULL);

    while (*text != '\0') {
        gsize length = word_length(text);

        if (length == 0) {
            g_string_append_c(plain, *text++);
            continue;
        }
        g_autofree char *word = g_strndup(text, length);

        text += length;
        text += append_word(plain, word, text);
    }
    return g_string_free(plain, FALSE);
}

char *
ferry_words_translate(const char *text)
{
    if (!text)
        return NULL;
    g_autofree char *plain = replace_phrases(text);
    return replace_words(plain);
}
