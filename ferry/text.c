#include "config.h"

#include "ferry/text.h"

#include <stdbool.h>
#include <string.h>

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
