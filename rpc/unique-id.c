#include "config.h"

#include "unique-id.h"

#include <glib.h>

char *
ferry_unique_id_new(void)
{
    char *text = g_uuid_string_random();
    char *end = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '-')
            *end++ = *from;
    }
    *end = '\0';
    return text;
}
