#include "config.h"

#include "ferry/text.h"

#include <stdbool.h>
#include <string.h>

/* So many slips of the finger are few; names that are longer than this are no slips of anything. */
#define SLIPS_MAX 2
#define LETTERS_A_SLIP 4
#define NAME_MAX_BYTES 128

#define ELLIPSIS "\xe2\x80\xa6"

/* The first byte of a character, as UTF-8 has it. */
static bool
begins_character(char byte)
{
    return ((guchar)byte & 0xc0) != 0x80;
}

char *
ferry_text_clip(const char *text, gsize max_bytes)
{
    gsize end = max_bytes - strlen(ELLIPSIS);

    if (!text || strnlen(text, max_bytes + 1) <= max_bytes)
        return g_strdup(text);
    while (end > 0 && !begins_character(text[end]))
        end--;
    g_autofree char *kept = g_strndup(text, end);
    return g_strconcat(kept, ELLIPSIS, NULL);
}

static bool
is_same_letter(char a, char b)
{
    return g_ascii_tolower(a) == g_ascii_tolower(b);
}

/* The distance of Damerau and Levenshtein, of which three rows are enough. */
static guint
distance(const char *a, const char *b)
{
    guint rows[3][NAME_MAX_BYTES + 1];
    gsize width = strlen(b);

    for (guint j = 0; j <= width; j++)
        rows[0][j] = j;
    for (guint i = 1; a[i - 1] != '\0'; i++) {
        const guint *before = rows[(i - 1) % 3];
        guint *row = rows[i % 3];

        row[0] = i;
        for (guint j = 1; j <= width; j++) {
            guint exchanged = before[j - 1] + (is_same_letter(a[i - 1], b[j - 1]) ? 0 : 1);

            row[j] = MIN(MIN(before[j], row[j - 1]) + 1, exchanged);
            if (i > 1 && j > 1 && is_same_letter(a[i - 1], b[j - 2]) &&
                is_same_letter(a[i - 2], b[j - 1]))
                row[j] = MIN(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[strlen(a) % 3][width];
}

const char *
ferry_text_nearest(const char *word, const char *const *names)
{
    guint few = (guint)CLAMP(strlen(word) / LETTERS_A_SLIP, 1, SLIPS_MAX);
    const char *nearest = NULL;

    if (strlen(word) > NAME_MAX_BYTES)
        return NULL;
    for (; names && *names; names++) {
        guint found = strlen(*names) > NAME_MAX_BYTES ? G_MAXUINT : distance(word, *names);

        if (found < few || (found == few && !nearest)) {
            few = found;
            nearest = *names;
        }
    }
    return nearest;
}

char *
ferry_text_suggest(const char *word, const char *const *names)
{
    const char *nearest = ferry_text_nearest(word, names);

    return nearest ? g_strdup_printf("Did you mean '%s'?", nearest) : NULL;
}
