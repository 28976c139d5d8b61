#include "config.h"

#include "setting.h"

#include "ferry/error.h"

#include <math.h>
#include <string.h>

#define FOUND_MAX 120 /* characters of a wrong value shown */
#define MS_PER_SECOND 1000
#define SECONDS_PER_HOUR 3600

static const char *const true_words[] = {"true", "1", "on", "yes", NULL};
static const char *const false_words[] = {"false", "0", "off", "no", NULL};

const FerrySetting *
ferry_setting_find(const FerrySetting *table, const char *name)
{
    for (const FerrySetting *setting = table; setting->name; setting++) {
        if (strcmp(setting->name, name) == 0)
            return setting;
    }
    return NULL;
}

/* Returns: the index of @text in @words, or -1. */
static int
find_word(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++) {
        if (g_ascii_strcasecmp(words[i], text) == 0)
            return i;
    }
    return -1;
}

static bool
parse_bool(const FerrySetting *setting, const char *text, bool *field)
{
    if (setting->words) {
        int word = find_word(setting->words, text);

        if (word >= 0)
            *field = word == 1;
        return word >= 0;
    }
    bool is_true = find_word(true_words, text) >= 0;
    if (!is_true && find_word(false_words, text) < 0)
        return false;
    *field = is_true;
    return true;
}

static bool
parse_number(const FerrySetting *setting, const char *text, guint64 *ret_number)
{
    return g_ascii_string_to_unsigned(text, /* base= */ 10, setting->min, setting->max, ret_number,
                                      /* error= */ NULL);
}

static bool
parse_uint(const FerrySetting *setting, const char *text, guint *field)
{
    guint64 number = 0;

    if (!parse_number(setting, text, &number))
        return false;
    *field = (guint)number;
    return true;
}

/* @text: a number that may have a fraction; one unit of it is @parts units of the field. */
static bool
parse_fraction(const FerrySetting *setting, const char *text, double parts, guint *field)
{
    char *end = NULL;
    double value = g_ascii_strtod(text, &end) * parts;

    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    if (value < (double)setting->min || value > (double)setting->max)
        return false;
    *field = (guint)(value + 0.5);
    return true;
}

static bool
has_control_characters(const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_iscntrl(*text))
            return true;
    }
    return false;
}

static bool
parse_text(const FerrySetting *setting, const char *text, char **field)
{
    bool may_be_none = setting->kind == FERRY_SETTING_TEXT_OR_NONE;

    if (has_control_characters(text) || (*text == '\0' && !may_be_none))
        return false;
    if (setting->words && find_word(setting->words, text) < 0)
        return false;
    if (*text != '\0' && setting->check && !setting->check(text))
        return false;
    g_free(*field);
    *field = *text != '\0' ? g_strdup(text) : NULL;
    return true;
}

static bool
parse_list(const FerrySetting *setting, const char *text, char ***field)
{
    bool paths = setting->kind == FERRY_SETTING_PATHS;
    g_auto(GStrv) raw = g_strsplit(text, paths ? ":" : ",", /* max_tokens= */ -1);
    g_autoptr(GStrvBuilder) items = g_strv_builder_new();
    size_t count = 0;

    for (char **item = raw; *item; item++) {
        g_strstrip(*item);
        if (**item == '\0')
            continue; /* a comma at the end, or two in a row */
        if (has_control_characters(*item) || (paths && !g_path_is_absolute(*item)))
            return false;
        if (setting->check && !setting->check(*item))
            return false;
        g_strv_builder_add(items, *item);
        count++;
    }
    if (count == 0)
        return false;
    g_strfreev(*field);
    *field = g_strv_builder_end(items);
    return true;
}

static bool
parse_value(const FerrySetting *setting, const char *text, gpointer base)
{
    gpointer field = G_STRUCT_MEMBER_P(base, setting->offset);

    switch (setting->kind) {
    case FERRY_SETTING_BOOL:
        return parse_bool(setting, text, field);
    case FERRY_SETTING_UINT:
        return parse_uint(setting, text, field);
    case FERRY_SETTING_SIZE:
        return parse_number(setting, text, field);
    case FERRY_SETTING_SECONDS:
        return parse_fraction(setting, text, MS_PER_SECOND, field);
    case FERRY_SETTING_HOURS:
        return parse_fraction(setting, text, SECONDS_PER_HOUR, field);
    case FERRY_SETTING_WORD: {
        int word = find_word(setting->words, text);

        if (word >= 0)
            *(guint *)field = (guint)word;
        return word >= 0;
    }
    case FERRY_SETTING_TEXT:
    case FERRY_SETTING_TEXT_OR_NONE:
        return parse_text(setting, text, field);
    case FERRY_SETTING_LIST:
    case FERRY_SETTING_PATHS:
        return parse_list(setting, text, field);
    }
    g_return_val_if_reached(false);
}

/* Returns: (transfer full): which values @setting takes, for an error. */
static char *
describe(const FerrySetting *setting)
{
    if (setting->expected)
        return g_strdup(setting->expected);
    if (setting->words) {
        g_autofree char *words = g_strjoinv(", ", (char **)setting->words);

        return g_strdup_printf("one of %s", words);
    }
    switch (setting->kind) {
    case FERRY_SETTING_BOOL:
        return g_strdup("true or false");
    case FERRY_SETTING_UINT:
    case FERRY_SETTING_SIZE:
        return g_strdup_printf("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                               setting->min, setting->max);
    case FERRY_SETTING_SECONDS:
        return g_strdup_printf("seconds from %g to %g", (double)setting->min / MS_PER_SECOND,
                               (double)setting->max / MS_PER_SECOND);
    case FERRY_SETTING_HOURS:
        return g_strdup_printf("hours from %.4g to %g", (double)setting->min / SECONDS_PER_HOUR,
                               (double)setting->max / SECONDS_PER_HOUR);
    case FERRY_SETTING_WORD:
        break; /* has words */
    case FERRY_SETTING_TEXT:
        return g_strdup("a text that is not empty, on one line");
    case FERRY_SETTING_TEXT_OR_NONE:
        return g_strdup("a text on one line, or nothing");
    case FERRY_SETTING_LIST:
        return g_strdup("a list separated by commas, with at least one entry");
    case FERRY_SETTING_PATHS:
        return g_strdup("absolute paths separated by colons, at least one");
    }
    g_return_val_if_reached(NULL);
}

/* Returns: (transfer full): @text on one line and not too long, for an error. */
static char *
show_found(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, /* len= */ -1);
    bool cut = g_utf8_strlen(valid, /* max= */ -1) > FOUND_MAX;
    g_autofree char *shown = g_utf8_substring(valid, 0, cut ? FOUND_MAX : -1);

    g_strdelimit(shown, "\n\r\t", ' ');
    return g_strconcat(shown, cut ? "..." : "", NULL);
}

bool
ferry_setting_parse(const FerrySetting *setting, const char *text, gpointer base, GError **error)
{
    if (parse_value(setting, text, base))
        return true;
    g_autofree char *found = show_found(text);
    g_autofree char *expected = describe(setting);
    ferry_set_error(error, FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)", "%s = '%s': expected %s",
                    setting->name, found, expected);
    return false;
}

void
ferry_setting_apply_defaults(const FerrySetting *table, gpointer base)
{
    for (const FerrySetting *setting = table; setting->name; setting++) {
        if (!setting->fallback)
            continue;
        bool parsed = parse_value(setting, setting->fallback, base);
        g_assert(parsed); /* a default that breaks its rule is a bug in the table */
    }
}

void
ferry_setting_clear_all(const FerrySetting *table, gpointer base)
{
    for (const FerrySetting *setting = table; setting->name; setting++) {
        gpointer field = G_STRUCT_MEMBER_P(base, setting->offset);

        if (setting->kind == FERRY_SETTING_TEXT || setting->kind == FERRY_SETTING_TEXT_OR_NONE)
            g_clear_pointer((char **)field, g_free);
        else if (setting->kind == FERRY_SETTING_LIST || setting->kind == FERRY_SETTING_PATHS)
            g_clear_pointer((char ***)field, g_strfreev);
    }
}

void
ferry_setting_own_all(const FerrySetting *table, gpointer base)
{
    for (const FerrySetting *setting = table; setting->name; setting++) {
        gpointer field = G_STRUCT_MEMBER_P(base, setting->offset);

        if (setting->kind == FERRY_SETTING_TEXT || setting->kind == FERRY_SETTING_TEXT_OR_NONE)
            *(char **)field = g_strdup(*(char **)field);
        else if (setting->kind == FERRY_SETTING_LIST || setting->kind == FERRY_SETTING_PATHS)
            *(char ***)field = g_strdupv(*(char ***)field);
    }
}
