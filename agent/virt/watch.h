/* watch.h: those who wait for news of a domain, woken by libvirt's events (virt.h).
 *
 * Threads: a watch has one owner, who waits; everything else from any thread, each object with a
 * lock of its own.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What libvirt said of a finished job, for the report. */
typedef struct {
    guint64 downtime_ms;
    guint64 memory_processed_bytes;
    guint64 disk_processed_bytes;
    guint64 memory_iterations;
    bool valid;
} FerryJobSummary;

/* A watch on one domain: wakes its owner when libvirt tells of it. Owned by one thread. */
typedef struct FerryVirtWatch FerryVirtWatch;

void ferry_virt_watch_free(FerryVirtWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryVirtWatch, ferry_virt_watch_free)

/** Waits until an event of the domain came since the last wait, ferry_virt_watch_wake() was called,
 * or @timeout_ms are over. Events are a reason to look, never the outcome. */
void ferry_virt_watch_wait(FerryVirtWatch *watch, guint timeout_ms);
/** Any thread. */
void ferry_virt_watch_wake(FerryVirtWatch *watch);
/** Returns: the summary of the last job that completed; .valid is false when none did. */
FerryJobSummary ferry_virt_watch_summary(FerryVirtWatch *watch);

/* All watches of a connection. Outlives them. */
typedef struct FerryVirtWatches FerryVirtWatches;

FerryVirtWatches *ferry_virt_watches_new(void);
void ferry_virt_watches_free(FerryVirtWatches *watches);

FerryVirtWatch *ferry_virt_watch_new(FerryVirtWatches *watches, const char *uuid);
/** Wakes those who watch @uuid, or all with NULL. @summary: (nullable): of a job that completed. */
void ferry_virt_watches_notify(FerryVirtWatches *watches,
                               const char *uuid,
                               const FerryJobSummary *summary);
bool ferry_virt_watches_is_empty(FerryVirtWatches *watches);
