#include "config.h"

#include "source/steps/confirm.h"

#include "ferry/error.h"
#include "source/confirmation.h"
#include "source/disk-attempt.h"
#include "source/post-copy.h"
#include "source/steps/transfer.h"

/* Between two watches over a transfer that libvirtd carries on without us. */
#define WATCH_AGAIN_MS 250

static FerryStepEnd
end_of_outcome(FerryMigration *migration, const FerryConfirmation *seen, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(GError) cause = record->error ? ferry_error_from_json(record->error) : NULL;

    if (seen->outcome == FERRY_OUTCOME_SUCCEEDED || seen->outcome == FERRY_OUTCOME_STOPPED) {
        ferry_migration_set_error(migration, NULL);
        return FERRY_STEP_DONE;
    }
    g_propagate_error(error, ferry_confirmation_error(seen, record, cause));
    if (seen->outcome == FERRY_OUTCOME_NOT_MOVED)
        return FERRY_STEP_FAILED;
    /* The guest ended on the source by itself: what was prepared is of no use to anybody. */
    return seen->outcome == FERRY_OUTCOME_GONE && seen->died_here ? FERRY_STEP_FAILED
                                                                  : FERRY_STEP_ERROR;
}

/* libvirtd may have hung up on us while its job goes on, or it was away when a second attempt was
 * to begin. */
static bool
goes_on(const FerryMigration *migration, const FerryConfirmation *seen)
{
    return seen->outcome == FERRY_OUTCOME_IN_FLIGHT ||
           (seen->outcome == FERRY_OUTCOME_NOT_MOVED &&
            ferry_disk_attempt_state(migration) != FERRY_DISK_ATTEMPT_UNDER_WAY);
}

FerryStepEnd
ferry_confirm_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    guint timeout_s = ferry_migration_agent(migration)->config->outcome_timeout_s;
    gint64 broken_until = 0; /* a broken post-copy is given up then; 0: none was seen */

    for (;;) {
        FerryConfirmation seen = ferry_confirm_outcome(migration, timeout_s);
        bool broken = ferry_post_copy_can_be_resumed(&seen);

        if (ferry_migration_is_detached(migration))
            return FERRY_STEP_DETACHED;
        if (broken && broken_until == 0)
            broken_until = g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC;
        if (broken && g_get_monotonic_time() < broken_until) {
            if (!ferry_post_copy_resume(migration, error))
                return FERRY_STEP_ERROR;
        } else if (!goes_on(migration, &seen)) {
            ferry_disk_attempt_finish(migration);
            return end_of_outcome(migration, &seen, error);
        } else if (ferry_transfer_step_watch_on(migration) == FERRY_STEP_DETACHED) {
            return FERRY_STEP_DETACHED;
        }
        ferry_agent_pause(ferry_migration_agent(migration), WATCH_AGAIN_MS, NULL);
    }
}
