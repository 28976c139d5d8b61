/* heartbeats.h: which callers wait for signs of life, and when the next is due.
 *
 * Pure; one thread at a time; times are g_get_monotonic_time().
 */
#pragma once

#include <glib.h>

typedef struct FerryPulses FerryPulses;

typedef void (*FerryPulseFunc)(guint64 id,
                               const char *reply_queue,
                               const char *msg_id,
                               gpointer user_data);

FerryPulses *ferry_pulses_new(void);
void ferry_pulses_free(FerryPulses *pulses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPulses, ferry_pulses_free)

/** Returns: a name for the pulse, never 0. */
guint64 ferry_pulses_add(FerryPulses *pulses,
                         const char *reply_queue,
                         const char *msg_id,
                         guint period_ms,
                         gint64 now_us);

/** Harmless for 0 and for one that is gone. */
void ferry_pulses_remove(FerryPulses *pulses, guint64 id);

/** Returns: when the next is due, G_MAXINT64 for never. */
gint64 ferry_pulses_next_us(const FerryPulses *pulses);

/** Calls @func for each that is due; one that is late by several periods beats once. */
void ferry_pulses_beat(FerryPulses *pulses, gint64 now_us, FerryPulseFunc func, gpointer user_data);
