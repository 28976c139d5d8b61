#include "config.h"

#include "plain-text.h"

#include <stdbool.h>

#define REPLACEMENT 0xfffd

static bool
turns_direction(gunichar character)
{
    return (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0x200e ||
           character == 0x200f || character == 0x061c;
}

static bool
is_harmless(gunichar character)
{
    return !g_unichar_iscntrl(character) && !turns_direction(character) && character != 0x2028 &&
           character != 0x2029; /* line and paragraph separator */
}

char *
ferry_plain_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, /* len= */ -1);
    GString *plain = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);

        g_string_append_unichar(plain, is_harmless(character) ? character : REPLACEMENT);
    }
    return g_string_free(plain, FALSE);
}

static guint
columns_of(gunichar character)
{
    if (g_unichar_iszerowidth(character))
        return 0;
    return g_unichar_iswide(character) ? 2 : 1;
}

guint
ferry_plain_text_columns(const char *text)
{
    guint columns = 0;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        columns += columns_of(g_utf8_get_char(at));
    return columns;
}

char *
ferry_plain_text_clip(const char *text, guint columns)
{
    if (ferry_plain_text_columns(text) <= columns)
        return g_strdup(text);
    guint dots = MIN(columns, 3);
    guint used = 0;
    const char *at = text;
    for (; *at != '\0'; at = g_utf8_next_char(at)) {
        guint more = columns_of(g_utf8_get_char(at));

        if (used + more > columns - dots)
            break;
        used += more;
    }
    return g_strdup_printf("%.*s%.*s", (int)(at - text), text, (int)dots, "...");
}

GPtrArray *
ferry_plain_text_wrap(const char *text, guint columns)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit(text, " ", /* max_tokens= */ -1);
    g_autoptr(GString) line = g_string_new(words[0]);
    guint used = words[0] ? ferry_plain_text_columns(words[0]) : 0;

    for (char **word = words; *word && word[1]; word++) {
        guint more = ferry_plain_text_columns(word[1]);

        if (columns > 0 && used + 1 + more > columns) {
            g_ptr_array_add(lines, g_strdup(line->str));
            g_string_assign(line, word[1]);
            used = more;
        } else {
            g_string_append_printf(line, " %s", word[1]);
            used += 1 + more;
        }
    }
    g_ptr_array_add(lines, g_strdup(line->str));
    return lines;
}
