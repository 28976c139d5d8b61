#include "config.h"

#include "format.h"

#include <string.h>

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* Returns: the index of the unit in which @bytes has one to four digits before the point. */
static guint
unit_of(gint64 bytes)
{
    guint unit = 0;
    double value = (double)bytes;

    /* "%.0f" shows 1023.5 as "1024". */
    while (unit + 1 < G_N_ELEMENTS(units) && value >= (unit == 0 ? 1024 : 1023.5)) {
        value /= 1024;
        unit++;
    }
    return unit;
}

static char *
format_in_unit(gint64 bytes, guint unit)
{
    double value = (double)bytes / (double)(G_GUINT64_CONSTANT(1) << (10 * unit));

    /* "%.1f" shows 9.96 as "10.0". */
    return g_strdup_printf(unit > 0 && value > 0 && value < 9.95 ? "%.1f" : "%.0f", value);
}

char *
ferry_format_size(gint64 bytes)
{
    guint unit = unit_of(MAX(bytes, 0));
    g_autofree char *number = format_in_unit(MAX(bytes, 0), unit);

    return g_strdup_printf("%s %s", number, units[unit]);
}

char *
ferry_format_share(gint64 bytes, gint64 total_bytes)
{
    guint unit = unit_of(MAX(total_bytes, 0));
    g_autofree char *part = format_in_unit(MAX(bytes, 0), unit);
    g_autofree char *total = format_in_unit(MAX(total_bytes, 0), unit);

    return g_strdup_printf("%s/%s %s", part, total, units[unit]);
}

char *
ferry_format_duration(gint64 duration_ms)
{
    gint64 ms = MAX(duration_ms, 0);

    if (ms < 1000)
        return g_strdup_printf("%d ms", (int)ms);
    if (ms < 59950)
        return g_strdup_printf("%.1f s", (double)ms / 1000);
    gint64 s = (ms + 500) / 1000;
    if (s < 3600)
        return g_strdup_printf("%d min %02d s", (int)(s / 60), (int)(s % 60));
    gint64 min = s / 60;
    if (min < 24 * 60)
        return g_strdup_printf("%d h %02d min", (int)(min / 60), (int)(min % 60));
    gint64 h = min / 60;
    return g_strdup_printf("%" G_GINT64_FORMAT " d %02d h", h / 24, (int)(h % 24));
}

char *
ferry_format_bar(guint percent, guint columns)
{
    guint inner = MAX(columns, 3) - 2;
    guint full = MIN(percent, 100) * inner / 100;
    GString *bar = g_string_new("[");

    for (guint i = 0; i < inner; i++)
        g_string_append_c(bar, i < full ? '#' : '-');
    g_string_append_c(bar, ']');
    return g_string_free(bar, FALSE);
}

char *
ferry_format_time(const char *iso)
{
    if (!iso)
        return g_strdup("-");
    if (strlen(iso) < 19 || iso[10] != 'T')
        return g_strdup(iso);
    char *text = g_strndup(iso, 19);
    text[10] = ' ';
    return text;
}
