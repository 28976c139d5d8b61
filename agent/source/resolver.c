#include "config.h"

#include "source/resolver.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/journal.h"
#include "runtime/timer.h"
#include "source/confirmation.h"
#include "source/migration.h"
#include "source/post-copy.h"
#include "source/saga.h"

#define FIRST_PAUSE_S 2
#define LAST_PAUSE_S 120
/* While an instance stands and waits for room. */
#define LAST_PAUSE_STOPPED_S 10
#define NOTHING_LEFT (-1)
/* One resolution: long enough to see that a paused source is left for good
 * (source/confirmation.c). */
#define RESOLUTION_TIMEOUT_S 10

struct FerryResolver {
    const FerryAgent *agent; /* immutable */
    const FerrySaga *saga;   /* immutable */
    GThread *thread;         /* immutable */
    GMutex operation_lock;   /* one resolution at a time; held while asking */
    FerryTimer timer;
};

/* What a resolution came to. */
typedef struct {
    FerryConfirmation seen;
    const char *action;
    FerryStatus status;
} Resolution;

static void
settle(FerryMigration *migration, Resolution *resolution, FerryStatus status, GError **error)
{
    if (ferry_migration_resolve(migration, status, ferry_confirmation_to_json(&resolution->seen),
                                error))
        resolution->status = status;
}

/* A guest that ended on the source by itself did not move either. */
static bool
stayed(const FerryConfirmation *seen)
{
    return seen->outcome == FERRY_OUTCOME_NOT_MOVED ||
           (seen->outcome == FERRY_OUTCOME_GONE && seen->died_here);
}

/* Of one that stands there by an I/O error the destination knows when it can go on. */
static bool
has_arrived(const FerryConfirmation *seen)
{
    return seen->outcome == FERRY_OUTCOME_SUCCEEDED || seen->outcome == FERRY_OUTCOME_STOPPED;
}

static void
act(FerryMigration *migration, const FerrySaga *saga, Resolution *resolution, GError **error)
{
    if (has_arrived(&resolution->seen)) {
        resolution->action = "finish";
        if (ferry_saga_finish(migration, saga, error) == FERRY_STEP_DONE)
            settle(migration, resolution, FERRY_STATUS_COMPLETED, error);
    } else if (stayed(&resolution->seen)) {
        resolution->action = "roll-back";
        if (ferry_saga_undo(migration, saga, error))
            settle(migration, resolution, FERRY_STATUS_FAILED, error);
    }
}

static Resolution
resolve_record(FerryResolver *self, FerryRecord *record, GError **error)
{
    Resolution resolution = {.action = "none", .status = record->status};
    FerryOrderOptions *options = ferry_order_options_recall(record->order, self->agent->config);
    g_autoptr(FerryMigration) migration =
        ferry_migration_new(self->agent, ferry_record_copy(record), options);

    resolution.seen = ferry_confirm_outcome(migration, RESOLUTION_TIMEOUT_S);
    if (ferry_post_copy_can_be_resumed(&resolution.seen)) {
        if (!ferry_post_copy_resume(migration, error))
            return resolution;
        resolution.seen = ferry_confirm_outcome(migration, RESOLUTION_TIMEOUT_S);
    }
    act(migration, self->saga, &resolution, error);
    if (*error && resolution.seen.outcome == FERRY_OUTCOME_STOPPED) {
        ferry_migration_set_error(migration, *error);
        ferry_migration_save(migration);
    }
    g_message("Migration '%s': the source shows '%s', the destination '%s'; it is %s",
              record->migration_id, ferry_observed_state_to_string(resolution.seen.source),
              ferry_observed_state_to_string(resolution.seen.destination),
              ferry_status_to_string(resolution.status));
    return resolution;
}

static json_t *
answer_resolved(const FerryRecord *record)
{
    return json_pack("{s:s, s:s, s:s, s:O, s:n}", "migration_id", record->migration_id, "status",
                     ferry_status_to_string(record->status), "action", "none", "evidence",
                     json_object_get(record->report, "evidence"), "error");
}

json_t *
ferry_resolver_resolve(FerryResolver *self, const char *migration_id, GError **error)
{
    FERRY_LOCK_SCOPE(&self->operation_lock);
    g_autoptr(GError) why = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_SOURCE, error);

    if (!record)
        return NULL;
    /* The background was faster: tell what it found. */
    if (json_object_get(record->report, "evidence"))
        return answer_resolved(record);
    if (record->status != FERRY_STATUS_ERROR) {
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                        "Only a migration in error needs to be resolved",
                        "The migration '%s' is %s", migration_id,
                        ferry_status_to_string(record->status));
        return NULL;
    }

    Resolution resolution = resolve_record(self, record, &why);

    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "migration_id", migration_id, "status",
                     ferry_status_to_string(resolution.status), "action", resolution.action,
                     "evidence", ferry_confirmation_to_json(&resolution.seen), "error",
                     why ? ferry_error_to_json(why) : json_null());
}

/* --- in the background ------------------------------------------------------------------------ */

static bool
is_stopped(const json_t *answer)
{
    const char *outcome = ferry_json_get_string(json_object_get(answer, "evidence"), "outcome");

    return g_strcmp0(outcome, ferry_outcome_to_string(FERRY_OUTCOME_STOPPED)) == 0;
}

static bool
is_stopping(const FerryResolver *self)
{
    return g_cancellable_is_cancelled(self->agent->stopping);
}

/* Returns: the longest pause before what is left in `error` is asked about again, or
 * NOTHING_LEFT. */
static gint64
ask_about_all(FerryResolver *self)
{
    FerryJournalFilter filter = {.status = "error"};
    g_autoptr(GPtrArray) records = ferry_journal_list_brief(self->agent->journal, &filter, NULL);
    gint64 longest_s = records ? NOTHING_LEFT : LAST_PAUSE_S;

    for (guint i = 0; records && i < records->len && !is_stopping(self); i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);
        g_autoptr(FerryJson) answer = record->role == FERRY_ROLE_SOURCE
                                          ? ferry_resolver_resolve(self, record->migration_id, NULL)
                                          : NULL;

        if (g_strcmp0(ferry_json_get_string(answer, "status"), "error") != 0)
            continue;
        if (is_stopped(answer))
            longest_s = LAST_PAUSE_STOPPED_S;
        else if (longest_s == NOTHING_LEFT)
            longest_s = LAST_PAUSE_S;
    }
    return longest_s;
}

static gpointer
run_resolver(gpointer data)
{
    FerryResolver *self = data;
    gint64 pause_s = FIRST_PAUSE_S;

    for (;;) {
        switch (ferry_timer_wait(&self->timer, pause_s * G_USEC_PER_SEC)) {
        case FERRY_TIMER_STOPPED:
            return NULL;
        case FERRY_TIMER_WOKEN:
            /* A new error starts the back-off anew, after a moment for the world to settle. */
            pause_s = FIRST_PAUSE_S;
            break;
        case FERRY_TIMER_DUE:
            pause_s = MIN(pause_s * 2, ask_about_all(self));
            break;
        }
    }
}

FerryResolver *
ferry_resolver_new(const FerryAgent *agent, const FerrySaga *saga)
{
    FerryResolver *self = g_new0(FerryResolver, 1);

    self->agent = agent;
    self->saga = saga;
    g_mutex_init(&self->operation_lock);
    ferry_timer_init(&self->timer);
    self->thread = g_thread_new("vf-resolver", run_resolver, self);
    return self;
}

void
ferry_resolver_wake(gpointer resolver)
{
    FerryResolver *self = resolver;

    ferry_timer_wake(&self->timer);
}

void
ferry_resolver_free(FerryResolver *self)
{
    if (!self)
        return;
    ferry_timer_stop(&self->timer);
    g_thread_join(self->thread);
    g_mutex_clear(&self->operation_lock);
    ferry_timer_clear(&self->timer);
    g_free(self);
}
