/* format.h: numbers as a person reads them. Pure; every result is (transfer full). */
#pragma once

#include <glib.h>

/** Returns: "0 B", "512 B", "1.4 GiB", "393 MiB": two or three significant digits. */
char *ferry_format_size(gint64 bytes);

/** Returns: both sizes in the unit that suits @total_bytes: "1.2/3.0 GiB". */
char *ferry_format_share(gint64 bytes, gint64 total_bytes);

/** Returns: "87 ms", "3.4 s", "2 min 05 s", "3 h 07 min", "2 d 03 h". */
char *ferry_format_duration(gint64 duration_ms);

/** Returns: "[####----]", @columns wide, brackets included; at least 3. */
char *ferry_format_bar(guint percent, guint columns);

/** Returns: "2026-11-23 10:32:15" for an ISO 8601 time, "-" for NULL, any other text unchanged. */
char *ferry_format_time(const char *iso);
