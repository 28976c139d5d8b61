/* clock.h: times of records and messages, as numbers and as text. Any thread. */
#pragma once

#include <glib.h>

/** Returns: microseconds since the epoch. For records; a wait uses g_get_monotonic_time(). */
gint64 ferry_clock_now_us(void);

/** Returns: (transfer full): "2026-11-23T10:32:15.000042Z": ISO 8601, UTC, six digits. */
char *ferry_clock_format_iso(gint64 time_us);

/** @text: (nullable): ISO 8601, from a stranger. Returns: microseconds since the epoch; 0 where it
 * is none. */
gint64 ferry_clock_parse_iso(const char *text);

/** Returns: (transfer full): "2026-11-23 10:32:15.000042": the form of oslo notifications. */
char *ferry_clock_format_oslo(gint64 time_us);
