#include "config.h"

#include "model/digest-line.h"

#include <glib.h>
#include <string.h>

bool
ferry_digest_line_is_valid(const char *text)
{
    if (!text || !g_str_has_prefix(text, FERRY_DIGEST_PREFIX))
        return false;

    const char *sum = text + strlen(FERRY_DIGEST_PREFIX);
    gsize length = strspn(sum, "0123456789abcdef");

    return length == FERRY_DIGEST_DIGITS && sum[length] == '\0';
}
