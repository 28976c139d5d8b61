#include "config.h"

#include "source/steps/table.h"

#include "ferry/json.h"
#include "journal/journal.h"
#include "source/report.h"
#include "source/steps/check.h"
#include "source/steps/confirm.h"
#include "source/steps/files.h"
#include "source/steps/finish.h"
#include "source/steps/prepare.h"
#include "source/steps/seed.h"
#include "source/steps/snapshot.h"
#include "source/steps/source-disks.h"
#include "source/steps/source-domain.h"
#include "source/steps/transfer.h"
#include "source/steps/trim.h"

static void
make_report(FerryMigration *migration)
{
    const FerryRecord *record = ferry_migration_record(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(FerryJson) steps = ferry_journal_steps(ferry_migration_agent(migration)->journal,
                                                     record->migration_id, FERRY_ROLE_SOURCE);

    ferry_migration_set_report(migration, ferry_source_report_make(record, instance, steps));
}

/* clang-format off */
static const FerrySagaStep steps[] = {
    {.name = "check", .status = FERRY_STATUS_PREPARING,
     .run = ferry_check_step_run, .undo = ferry_check_step_undo},
    {.name = "prepare", .status = FERRY_STATUS_PREPARING,
     .run = ferry_prepare_step_run, .undo = ferry_prepare_step_undo, .needs_instance = true},
    {.name = "files", .status = FERRY_STATUS_PREPARING,
     .run = ferry_files_step_run, .needs_instance = true, .needs_destination = true},
    {.name = "trim", .status = FERRY_STATUS_PREPARING,
     .run = ferry_trim_step_run},
    {.name = "snapshot", .status = FERRY_STATUS_RUNNING,
     .run = ferry_snapshot_step_run, .undo = ferry_snapshot_step_undo, .needs_instance = true},
    {.name = "seed", .status = FERRY_STATUS_RUNNING,
     .run = ferry_seed_step_run, .needs_instance = true, .needs_destination = true},
    {.name = "transfer", .status = FERRY_STATUS_RUNNING,
     .run = ferry_transfer_step_run, .needs_instance = true, .needs_destination = true},
    {.name = "confirm", .status = FERRY_STATUS_RUNNING,
     .run = ferry_confirm_step_run, .read_only = true},
    {.name = "finish", .status = FERRY_STATUS_POST_MIGRATING,
     .run = ferry_finish_step_run, .point_of_no_return = true, .read_only = true},
    {.name = "source-domain", .status = FERRY_STATUS_POST_MIGRATING,
     .run = ferry_source_domain_step_run, .point_of_no_return = true, .read_only = true},
    {.name = "source-disks", .status = FERRY_STATUS_POST_MIGRATING,
     .run = ferry_source_disks_step_run, .point_of_no_return = true, .read_only = true,
     .needs_instance = true},
    {0},
};
/* clang-format on */

const FerrySaga ferry_source_saga = {.steps = steps, .report = make_report};
