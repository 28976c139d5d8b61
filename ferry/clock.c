#include "config.h"

#include "ferry/clock.h"

/* What GDateTime can show: the years 1 to 9999. */
#define FIRST_SECOND G_GINT64_CONSTANT(-62135596800)
#define LAST_SECOND G_GINT64_CONSTANT(253402300799)

gint64
ferry_clock_now_us(void)
{
    return g_get_real_time();
}

static char *
format_utc(gint64 time_us, const char *date_format, const char *suffix)
{
    gint64 seconds = time_us / G_USEC_PER_SEC;
    gint64 microseconds = time_us % G_USEC_PER_SEC;

    if (microseconds < 0) { /* before the epoch: C rounds towards zero, a clock does not */
        microseconds += G_USEC_PER_SEC;
        seconds--;
    }
    seconds = CLAMP(seconds, FIRST_SECOND, LAST_SECOND);
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text = g_date_time_format(date, date_format);
    return g_strdup_printf("%s.%06d%s", text, (int)microseconds, suffix);
}

char *
ferry_clock_format_iso(gint64 time_us)
{
    return format_utc(time_us, "%Y-%m-%dT%H:%M:%S", "Z");
}

char *
ferry_clock_format_oslo(gint64 time_us)
{
    return format_utc(time_us, "%Y-%m-%d %H:%M:%S", "");
}

gint64
ferry_clock_parse_iso(const char *text)
{
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    return time ? g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time)
                : 0;
}
