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

/* QEMU and libvirt say a full file system in many ways, and late. */
static void
explain(FerryMigration *migration, GError **error)
{
    const FerryRoomQuestion question = ferry_migration_room_question(migration);
    g_autoptr(GError) shortage = NULL;

    if (!g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR) ||
        ferry_room_ask(&question, /* with_rest= */ false, &shortage))
        return;
    ferry_error_set_detail(shortage, "libvirt", ferry_json_text((*error)->message));
    g_error_free(*error);
    *error = g_steal_pointer(&shortage);
}

static void
keep_transfer_result(FerryMigration *migration, FerryTransferResult *result)
{
    ferry_disk_attempt_finish(migration);
    ferry_migration_add_report(migration, ferry_source_report_transfer(result));
    explain(migration, &result->error);
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

static bool
is_seeding(const FerryMigration *migration)
{
    return ferry_disk_attempt_state(migration) == FERRY_DISK_ATTEMPT_SEEDING;
}

/* The steps of before the transfer had nothing to do then; undone they are like all that began. */
static bool
send_seeds(FerryMigration *migration, GError **error)
{
    if (ferry_snapshot_step_run(migration, /* resumed= */ true, error) != FERRY_STEP_DONE ||
        ferry_seed_step_run(migration, /* resumed= */ true, error) != FERRY_STEP_DONE)
        return false;
    ferry_disk_attempt_note_seeded(migration);
    return true;
}

/* From wherever an earlier life left it. */
static bool
begin_second(FerryMigration *migration, FerryTransferResult *result)
{
    if ((is_seeding(migration) || ferry_disk_attempt_begin_second(migration, &result->error)) &&
        (!is_seeding(migration) || send_seeds(migration, &result->error)))
        return true;
    result->detached = ferry_migration_is_detached(migration);
    return false;
}

/* One attempt, or two. */
static bool
run_attempts(FerryMigration *migration,
             FerryTransferMode mode,
             FerryTransferResult *result,
             GError **error)
{
    guint64 moved_bytes = 0;

    if (is_seeding(migration)) {
        if (!begin_second(migration, result))
            return true;
        mode = FERRY_TRANSFER_START;
    }
    while (ferry_transfer_run(migration, mode, result, error)) {
        result->moved_bytes += moved_bytes;
        if (!result->again)
            return true;
        moved_bytes = result->moved_bytes;
        g_clear_error(&result->error);
        if (!begin_second(migration, result))
            return true;
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
