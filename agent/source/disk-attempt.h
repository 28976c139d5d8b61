/* disk-attempt.h: how the guest's writes go while its disks are mirrored, and the second attempt of
 * libvirt's call where the first one cannot end.
 *
 * libvirt cannot make a running mirror synchronous. So the first call is ended by us, the
 * destination makes the images anew that it filled in part, and a second call begins with
 * synchronous writes. Saga, journal, lease, seeds and files stay. What has happened is noted in the
 * record's report (`disk_writes`) before it happens, for the agent's next life:
 *
 *   switching    what may run
 *   (none)       the attempt that `mode` says
 *   "ending"     the first one, which is to be ended
 *   "seeding"    none: what can be seeded is frozen and sent, before the second one
 *   "beginning"  nothing, or the second one
 *
 * Threads: the migration's saga thread, or its sampler while that waits for it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/disk-convergence.h"
#include "source/migration.h"

typedef enum {
    FERRY_DISK_ATTEMPT_UNDER_WAY,
    FERRY_DISK_ATTEMPT_ENDING,
    FERRY_DISK_ATTEMPT_SEEDING,
    FERRY_DISK_ATTEMPT_BEGINNING,
} FerryDiskAttempt;

/** Notes what the guest has written so far, before the first attempt: between two such looks lies
 * what it writes while nothing hinders it. */
void ferry_disk_attempt_look_before(FerryMigration *migration);

/** The first attempt is about to begin: decides by the order, and by what the guest wrote before
 * and what the link carries, as far as that is known, whether its writes wait from the first byte
 * on. */
void ferry_disk_attempt_begin(FerryMigration *migration);

FerryDiskAttempt ferry_disk_attempt_state(const FerryMigration *migration);

/** Returns: true while the guest's writes wait for the destination. */
bool ferry_disk_attempt_is_synchronous(const FerryMigration *migration);

/** Returns: whether a second attempt can be made: an agent of before at the destination does not
 * make images anew. */
bool ferry_disk_attempt_may_repeat(const FerryMigration *migration);

/** The running mirrors have been made synchronous. */
void ferry_disk_attempt_note_switched(FerryMigration *migration);

/** Returns: true where a second attempt would cost the guest less by seeds. @again_bytes: what it
 * will have written to meanwhile. @link_bytes_s: what the link carries. */
bool ferry_disk_attempt_may_seed(const FerryMigration *migration,
                                 guint64 again_bytes,
                                 guint64 link_bytes_s);

/** The first attempt is going to be ended, for a second one: by mirrors alone, or by seeds of what
 * can be seeded. */
void ferry_disk_attempt_end_first(FerryMigration *migration);
void ferry_disk_attempt_end_for_seeds(FerryMigration *migration);

/**
 * ferry_disk_attempt_begin_second:
 * The first one is over. Blocks until both hosts have done with it and the images are made anew;
 * a host that does not answer is waited for, too, for [migration] outcome_timeout in all. Where
 * seeds are to be sent first the state is SEEDING then, and the instance says of which disks; from
 * there on an agent that is started anew only waits.
 * @error: there is no second one; the outcome of the first decides. FERRY_ERROR_CANCELLED,
 *   FERRY_ERROR_INVALID_MIGRATION_STATE: the instance does not run here as before
 */
bool ferry_disk_attempt_begin_second(FerryMigration *migration,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What was to be seeded is whole at the destination. */
void ferry_disk_attempt_note_seeded(FerryMigration *migration);

/** The job of the attempt that runs is seen, and nothing has to be ended or begun. */
void ferry_disk_attempt_forget_switching(FerryMigration *migration);

/** The first mirror begins, and the guest has written so much: until now nothing hindered it. */
void ferry_disk_attempt_note_mirrors(FerryMigration *migration, guint64 written_bytes);

/** What the guest wrote a second while the disks moved in the present mode. */
void ferry_disk_attempt_note_rate(FerryMigration *migration, guint64 bytes_s);

/** What the link carried without a limit, for migrations that come after. */
void ferry_disk_attempt_note_link(FerryMigration *migration, guint64 bytes_s);

/** The transfer is over: what was only for another life goes from the report. */
void ferry_disk_attempt_finish(FerryMigration *migration);
