/* rate.h: a limit of bandwidth that may change while files are sent. Reference counted; any thread.
 */
#pragma once

#include <glib.h>

typedef struct FerryRate FerryRate;

/** @mibps: 0: no limit. */
FerryRate *ferry_rate_new(guint64 mibps);
/** @rate: (nullable). */
FerryRate *ferry_rate_ref(FerryRate *rate);
/** @rate: (nullable). */
void ferry_rate_unref(FerryRate *rate);

void ferry_rate_set(FerryRate *rate, guint64 mibps);
/** @rate: (nullable): no limit. Returns: MiB/s; 0: no limit. */
guint64 ferry_rate_get(FerryRate *rate);
