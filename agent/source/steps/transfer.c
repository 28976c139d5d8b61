#include "config.h"

#include "source/steps/transfer.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "source/autostart.h"
#include "source/cold-transfer.h"
#include "source/disk-attempt.h"
#include "source/report.h"
#include "source/steps/seed.h"
#include "source/steps/snapshot.h"
#include "source/transfer.h"

static void
keep_transfer_result(FerryMigration *migration, FerryTransferResult *result)
{
    const FerryRoomQuestion question = ferry_migration_room_question(migration);

    ferry_disk_attempt_finish(migration);
    ferry_migration_add_report(migration, ferry_source_report_transfer(result));
    ferry_room_explain(&question, &result->error);
    if (result->error)
        ferry_migration_set_error(migration, result->error);
    ferry_migration_save(migration);
}

static FerryStepEnd
transfer_cold(FerryMigration *migration, bool resumed, GError **error)
{
    g_auto(FerryTransferResult) result = {0};

    if (!ferry_cold_transfer_run(migration, resumed, &result, error))
        return result.detached ? FERRY_STEP_DETACHED : FERRY_STEP_FAILED;
    keep_transfer_result(migration, &result);
    return FERRY_STEP_DONE;
}

/* The steps of before the transfer had nothing to do then; undone they are like all that began. */
static bool
send_seeds(FerryMigration *migration, GError **error)
{
    if (ferry_disk_attempt_state(migration) != FERRY_DISK_ATTEMPT_SEEDING)
        return true;
    if (ferry_snapshot_step_run(migration, /* resumed= */ true, error) != FERRY_STEP_DONE ||
        ferry_seed_step_run(migration, /* resumed= */ true, error) != FERRY_STEP_DONE)
        return false;
    ferry_disk_attempt_note_seeded(migration);
    return true;
}

/* The first attempt ended so that a second one begins, from wherever an earlier life left it. Where
 * that does not come about, @result says why. */
static void
run_second(FerryMigration *migration, FerryTransferResult *result)
{
    guint64 moved_bytes = result->moved_bytes;
    g_autoptr(GError) error = NULL;

    ferry_transfer_result_clear(result);
    result->again = false;
    if (ferry_disk_attempt_begin_second(migration, &error) && send_seeds(migration, &error) &&
        ferry_transfer_run(migration, FERRY_TRANSFER_START, result, &error)) {
        result->moved_bytes += moved_bytes;
        return;
    }
    result->detached = ferry_migration_is_detached(migration);
    result->error = g_steal_pointer(&error);
}

/* One attempt, or two. */
static bool
run_attempts(FerryMigration *migration,
             FerryTransferMode mode,
             FerryTransferResult *result,
             GError **error)
{
    bool seeding = ferry_disk_attempt_state(migration) == FERRY_DISK_ATTEMPT_SEEDING;

    if (!seeding && !ferry_transfer_run(migration, mode, result, error))
        return false;
    if (seeding || result->again)
        run_second(migration, result);
    return true;
}

static FerryStepEnd
transfer_live(FerryMigration *migration, GError **error)
{
    g_auto(FerryTransferResult) result = {0};

    ferry_disk_attempt_begin(migration);
    if (!run_attempts(migration, FERRY_TRANSFER_START, &result, error))
        return FERRY_STEP_FAILED;
    if (result.detached)
        return FERRY_STEP_DETACHED;
    keep_transfer_result(migration, &result);
    return FERRY_STEP_DONE;
}

/* An earlier watch lost sight of it. */
static void
add_earlier(const FerryMigration *migration, FerryTransferResult *result)
{
    const json_t *report = ferry_migration_record(migration)->report;

    result->disk_ms += (guint64)ferry_json_get_int(report, "disk_phase_ms", 0);
    result->memory_ms += (guint64)ferry_json_get_int(report, "memory_phase_ms", 0);
    result->moved_bytes =
        MAX(result->moved_bytes, (guint64)ferry_json_get_int(report, "moved_bytes", 0));
}

FerryStepEnd
ferry_transfer_step_watch_on(FerryMigration *migration)
{
    g_auto(FerryTransferResult) result = {0};
    g_autoptr(GError) error = NULL;

    /* The instance may have moved meanwhile: both hosts have to tell. Where libvirt is away, what
     * was noted of a second attempt holds until it is back. */
    if (!run_attempts(migration, FERRY_TRANSFER_REATTACH, &result, &error)) {
        g_message("Migration '%s': its transfer is not watched: %s", ferry_migration_id(migration),
                  error->message);
        if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE))
            ferry_disk_attempt_finish(migration);
        return FERRY_STEP_DONE;
    }
    if (result.detached)
        return FERRY_STEP_DETACHED;
    add_earlier(migration, &result);
    keep_transfer_result(migration, &result);
    return FERRY_STEP_DONE;
}

FerryStepEnd
ferry_transfer_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    /* After it libvirt takes the definition away. */
    ferry_source_autostart_recall(migration);
    if (ferry_migration_is_shut_off(migration))
        return transfer_cold(migration, resumed, error);
    return resumed ? ferry_transfer_step_watch_on(migration) : transfer_live(migration, error);
}
