/* progress.h: from libvirt's counters to one percentage that never falls. Pure; one thread a value.
 *
 * Weighted by the bytes that must really move: a disk weighs what it has allocated, memory what the
 * guest uses of it. Disk counters of libvirt count virtual bytes, holes included, so each disk's
 * share done is that of its block job, applied to its allocated bytes; what the guest writes anew
 * meanwhile comes to that. How much there is still to do is said by forecast.h.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/status.h"
#include "model/convergence.h"
#include "model/transfer-policy.h"

#define FERRY_PROGRESS_MAX_TARGET 32

typedef struct FerryProgress FerryProgress;

/* One reading of the transfer; zero where libvirt said nothing. */
typedef struct {
    FerryPhase phase;
    gint64 time_us; /* monotonic */
    guint64 memory_total_bytes;
    guint64 memory_processed_bytes;
    guint64 memory_remaining_bytes;
    guint64 memory_dirty_rate_bytes_s;
    guint64 memory_iteration;
    guint64 memory_throughput_bytes_s;
    guint64 expected_downtime_ms;
    guint throttle_percent;
} FerryProgressSample;

FerryProgress *ferry_progress_new(gint64 started_us, guint64 memory_bytes);
void ferry_progress_free(FerryProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryProgress, ferry_progress_free)

/** Goes on where @former (nullable: ferry_progress_to_json()'s of an earlier part of the journey)
 * stood: the percentage does not fall below its own, and the time counts on. Before the first
 * sample. */
void ferry_progress_go_on(FerryProgress *progress, const json_t *former);

/** Declares a disk before the first sample. */
void ferry_progress_add_disk(FerryProgress *progress,
                             const char *target,
                             guint64 capacity_bytes,
                             guint64 allocation_bytes);

/** What is brought as it is, before the disks: bytes that have to be sent and that were. */
void
ferry_progress_set_files(FerryProgress *progress, guint64 total_bytes, guint64 processed_bytes);

/** One disk's block job: @cur of @end as virDomainGetBlockJobInfo() has them. A @cur that falls or
 * an unknown @target is ignored; @end grows by what the guest writes. */
void ferry_progress_set_disk(FerryProgress *progress, const char *target, guint64 cur, guint64 end);

/** How the allowed pause will grow: @policy, and of @moment what does not change. For the ETA; may
 * be declared anew while it runs. */
void ferry_progress_set_policy(FerryProgress *progress,
                               const FerryTransferPolicy *policy,
                               const FerryPolicyMoment *moment);

/** What the rules of disks and memory make of the readings: before or after each of them, as often
 * as it changes. Where it does not converge there is no ETA, and the percentage stands. */
void ferry_progress_set_convergence(FerryProgress *progress, const FerryConvergence *convergence);

/** All of a disk that is known so far has been brought; what its guest writes then comes to it. */
void ferry_progress_set_disk_there(FerryProgress *progress, const char *target);

/** Takes one reading; the disks' values set before belong to it. Rate and ETA are smoothed. */
void ferry_progress_update(FerryProgress *progress, const FerryProgressSample *sample);

/** All bytes are there: 100 percent, nothing remains. */
void ferry_progress_finish(FerryProgress *progress, gint64 time_us);

guint ferry_progress_percent(const FerryProgress *progress);

/** Returns: bytes moved so far, disks and memory, for the report. */
guint64 ferry_progress_bytes_moved(const FerryProgress *progress);

/** Returns: (transfer full): the contract's `progress` object: percent, eta_ms (null when unknown),
 * elapsed_ms, files{total_bytes, processed_bytes, remaining_bytes},
 * disk{total_bytes, processed_bytes, remaining_bytes, disks{target: {...}}},
 * memory{...}, throughput_bytes_s, expected_downtime_ms, throttle_percent, converging (null while
 * unknown), allowed_downtime_ms, stalled (ferry_stall_to_json()'s). */
json_t *ferry_progress_to_json(const FerryProgress *progress);
