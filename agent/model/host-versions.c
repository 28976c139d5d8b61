#include "config.h"

#include "model/host-versions.h"

#include <glib.h>

int
ferry_version_compare(const char *a, const char *b)
{
    for (int i = 0; i < 3; i++) {
        char *rest_a = NULL;
        char *rest_b = NULL;
        guint64 part_a = g_ascii_strtoull(a, &rest_a, 10);
        guint64 part_b = g_ascii_strtoull(b, &rest_b, 10);

        if (part_a != part_b)
            return part_a < part_b ? -1 : 1;
        a = *rest_a == '.' ? rest_a + 1 : rest_a;
        b = *rest_b == '.' ? rest_b + 1 : rest_b;
    }
    return 0;
}

bool
ferry_version_is_at_least(const char *version, const char *least)
{
    return version && ferry_version_compare(version, least) >= 0;
}

bool
ferry_version_is_before(const char *version, const char *limit)
{
    return version && ferry_version_compare(version, limit) < 0;
}
