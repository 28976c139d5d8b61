#include "config.h"

#include "nearest.h"

#include <string.h>

/* Longer names are no slips of anything. */
#define NAME_MAX_BYTES 256

static guint
least(guint a, guint b, guint c)
{
    return MIN(MIN(a, b), c);
}

/* The distance of Damerau and Levenshtein, row by row; of bytes, as names are mostly ASCII. */
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
            row[j] = least(before[j] + 1, row[j - 1] + 1,
                           before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[strlen(a) % 3][width];
}

const char *
ferry_nearest(const char *word, const char *const *names)
{
    gsize length = strlen(word);
    guint best = (guint)(length / 3) + 1; /* one more than what is few enough */
    const char *nearest = NULL;

    if (length > NAME_MAX_BYTES)
        return NULL;
    best = MAX(best, 2);
    for (; names && *names; names++) {
        gsize other = strlen(*names);
        gsize between = MAX(length, other) - MIN(length, other);

        if (other > NAME_MAX_BYTES || between >= best)
            continue;
        guint found = distance(word, *names);

        if (found < best) {
            best = found;
            nearest = *names;
        }
    }
    return nearest;
}
