#include "config.h"

#include "source/confirmation.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "peer/peer.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/virt.h"

#define FIRST_PAUSE_MS 250
#define LAST_PAUSE_MS 10000
/* So many looks in a row, some seconds with the growing pauses, before a paused source is given
 * up. */
#define LEFT_PAUSED_LOOKS 6

static bool
paused_is_fine(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);

    return ferry_migration_options(migration)->paused ||
           (instance && g_strcmp0(instance->state, "paused") == 0);
}

static FerryOutcome
judge(FerryMigration *migration, const FerryConfirmation *seen)
{
    if (ferry_migration_is_shut_off(migration))
        return ferry_outcome_judge_shut_off(seen->source, seen->destination);
    if (!paused_is_fine(migration) &&
        ferry_outcome_is_stopped(seen->source, seen->destination, seen->stopped_there))
        return FERRY_OUTCOME_STOPPED;
    return ferry_outcome_judge(seen->source, seen->destination,
                               paused_is_fine(migration) || seen->paused_there);
}

static void
ask_there(const FerryAgent *agent, const FerryRecord *record, FerryConfirmation *seen)
{
    g_autofree char *reason = NULL;

    seen->destination = ferry_peer_observe(agent, record->destination, record->instance_uuid,
                                           &reason, /* cancellable= */ NULL);
    seen->stopped_there = g_strcmp0(reason, FERRY_STATE_REASON_IO_ERROR) == 0;
    seen->paused_there = g_strcmp0(reason, FERRY_STATE_REASON_USER) == 0;
}

static FerryConfirmation
ask_both(FerryMigration *migration)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);
    FerryConfirmation seen = {.source = FERRY_OBSERVED_UNREACHABLE,
                              .destination = FERRY_OBSERVED_UNREACHABLE,
                              .outcome = FERRY_OUTCOME_UNKNOWN};
    g_autoptr(virConnect) connection = NULL;

    /* A journal may lack even that. */
    if (!record->instance_uuid || !record->destination)
        return seen;
    connection = ferry_virt_connect(agent->virt, NULL);

    /* The destination is asked first: a source seen dead after a destination seen alive is dead for
     * good, the other order could miss a switch between the two questions. */
    ask_there(agent, record, &seen);
    if (connection) {
        seen.source = ferry_virt_domain_observe(connection, record->instance_uuid);
        seen.died_here = ferry_virt_domain_died_here(connection, record->instance_uuid);
        seen.idle_here = !ferry_virt_domain_is_busy(connection, record->instance_uuid);
    }
    seen.outcome = judge(migration, &seen);
    return seen;
}

/* A outcome that another look can only confirm. Both running is looked at twice: the two questions
 * are not one moment. */
static bool
is_final(const FerryConfirmation *seen, FerryOutcome before)
{
    switch (seen->outcome) {
    case FERRY_OUTCOME_SUCCEEDED:
    case FERRY_OUTCOME_STOPPED:
    case FERRY_OUTCOME_NOT_MOVED:
    case FERRY_OUTCOME_IN_FLIGHT:
        return true;
    case FERRY_OUTCOME_SPLIT_BRAIN:
    case FERRY_OUTCOME_GONE:
        return before == seen->outcome;
    case FERRY_OUTCOME_POSTCOPY_BROKEN:
        /* Where only one side says so, the QEMUs may still be at it. */
        return before == seen->outcome && seen->source == seen->destination;
    case FERRY_OUTCOME_SWITCHING:
    case FERRY_OUTCOME_UNKNOWN:
        return false;
    }
    return false;
}

/* Running there while the source stands paused for the switch, with nobody left who works on it:
 * libvirtd on the source died between the switch and its own clean-up. It runs in one place. */
static bool
is_left_paused(const FerryConfirmation *seen)
{
    return seen->outcome == FERRY_OUTCOME_SWITCHING && seen->idle_here &&
           seen->source == FERRY_OBSERVED_PAUSED_MIGRATION &&
           seen->destination == FERRY_OBSERVED_RUNNING;
}

FerryConfirmation
ferry_confirm_outcome(FerryMigration *migration, guint timeout_s)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC;
    FerryOutcome before = FERRY_OUTCOME_UNKNOWN;
    guint pause_ms = FIRST_PAUSE_MS;
    guint left_paused = 0;

    for (;;) {
        FerryConfirmation seen = ask_both(migration);

        left_paused = is_left_paused(&seen) ? left_paused + 1 : 0;
        if (left_paused >= LEFT_PAUSED_LOOKS)
            seen.outcome = FERRY_OUTCOME_SUCCEEDED;
        if (is_final(&seen, before) || g_get_monotonic_time() > deadline ||
            ferry_migration_is_detached(migration))
            return seen;
        before = seen.outcome;
        ferry_agent_pause(agent, pause_ms, NULL);
        pause_ms = MIN(pause_ms * 2, LAST_PAUSE_MS);
    }
}

json_t *
ferry_confirmation_to_json(const FerryConfirmation *seen)
{
    g_autofree char *at = ferry_clock_format_iso(ferry_clock_now_us());

    return json_pack("{s:s, s:s, s:s, s:s}", "outcome", ferry_outcome_to_string(seen->outcome),
                     "source", ferry_observed_state_to_string(seen->source), "destination",
                     ferry_observed_state_to_string(seen->destination), "asked_at", at);
}

static GError *
error_of_outcome(const FerryConfirmation *seen, const FerryRecord *record)
{
    const char *source = ferry_observed_state_to_string(seen->source);
    const char *destination = ferry_observed_state_to_string(seen->destination);

    switch (seen->outcome) {
    case FERRY_OUTCOME_SPLIT_BRAIN:
        return ferry_error_new(FERRY_ERROR_OUTCOME_UNKNOWN,
                               "Decide which of the two is the right one and destroy the other; "
                               "nothing was stopped or deleted",
                               "The instance '%s' runs on '%s' and on '%s'", record->instance_name,
                               record->source, record->destination);
    case FERRY_OUTCOME_GONE:
        return ferry_error_new(
            seen->died_here ? FERRY_ERROR_INSTANCE_INVALID_STATE : FERRY_ERROR_OUTCOME_UNKNOWN,
            "Look why the guest ended; start it again where its disks are whole",
            "The instance '%s' ended during the migration: '%s' shows it as "
            "'%s', '%s' as '%s'",
            record->instance_name, record->source, source, record->destination, destination);
    case FERRY_OUTCOME_POSTCOPY_BROKEN:
        return ferry_error_new(FERRY_ERROR_OUTCOME_UNKNOWN,
                               "Resume the post-copy with libvirt; each side has a part of the "
                               "guest's memory",
                               "The post-copy of '%s' broke off", record->instance_name);
    case FERRY_OUTCOME_SUCCEEDED:
    case FERRY_OUTCOME_STOPPED:
    case FERRY_OUTCOME_NOT_MOVED:
    case FERRY_OUTCOME_IN_FLIGHT:
    case FERRY_OUTCOME_SWITCHING:
    case FERRY_OUTCOME_UNKNOWN:
        break;
    }
    return ferry_error_new(FERRY_ERROR_OUTCOME_UNKNOWN,
                           "virt-ferry resolve asks both hosts again; nothing was deleted",
                           "Where the instance '%s' runs is not known: '%s' shows it as '%s', '%s' "
                           "as '%s'",
                           record->instance_name, record->source, source, record->destination,
                           destination);
}

GError *
ferry_confirmation_error(const FerryConfirmation *seen,
                         const FerryRecord *record,
                         const GError *cause)
{
    GError *error = NULL;

    if (seen->outcome == FERRY_OUTCOME_NOT_MOVED)
        error = cause ? g_error_copy(cause)
                      : ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "Send the order again",
                                        "The transfer of '%s' did not take place",
                                        record->instance_name);
    else
        error = error_of_outcome(seen, record);
    if (error->domain == FERRY_ERROR) {
        ferry_error_set_detail(error, "evidence", ferry_confirmation_to_json(seen));
        if (cause && seen->outcome != FERRY_OUTCOME_NOT_MOVED)
            ferry_error_set_detail(error, "cause", ferry_error_to_json(cause));
    }
    return error;
}
