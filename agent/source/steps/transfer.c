#include "config.h"

#include "source/steps/transfer.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "source/autostart.h"
#include "source/cold-transfer.h"
#include "source/disk-attempt.h"
#include "source/report.h"
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

/* One attempt, or two. */
static bool
run_attempts(FerryMigration *migration,
             FerryTransferMode mode,
             FerryTransferResult *result,
             GError **error)
{
    guint64 moved_bytes = 0;

    while (ferry_transfer_run(migration, mode, result, error)) {
        result->moved_bytes += moved_bytes;
        if (!result->again)
            return true;
        moved_bytes = result->moved_bytes;
        g_clear_error(&result->error);
        if (!ferry_disk_attempt_begin_second(migration, &result->error)) {
            result->detached = ferry_migration_is_detached(migration);
            return true;
        }
        mode = FERRY_TRANSFER_START;
    }
    return false;
}

static FerryStepEnd
transfer_live(FerryMigration *migration, bool resumed, GError **error)
{
    g_auto(FerryTransferResult) result = {0};
    FerryTransferMode mode = resumed ? FERRY_TRANSFER_REATTACH : FERRY_TRANSFER_START;

    if (!resumed)
        ferry_disk_attempt_begin(migration);
    if (!run_attempts(migration, mode, &result, error)) {
        /* Resumed, the instance may have moved meanwhile: both hosts have to tell. */
        if (!resumed)
            return FERRY_STEP_FAILED;
        g_clear_error(error);
        return FERRY_STEP_DONE;
    }
    if (result.detached)
        return FERRY_STEP_DETACHED;
    keep_transfer_result(migration, &result);
    return FERRY_STEP_DONE;
}

FerryStepEnd
ferry_transfer_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    /* After it libvirt takes the definition away. */
    ferry_source_autostart_recall(migration);
    return ferry_migration_is_shut_off(migration) ? transfer_cold(migration, resumed, error)
                                                  : transfer_live(migration, resumed, error);
}
