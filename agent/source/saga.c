#include "config.h"

#include "source/saga.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "runtime/fault-point.h"

typedef struct {
    FerryMigration *migration;
    const FerrySaga *saga;
    json_t *journaled; /* the steps as the journal has them from an earlier life */
} Run;

static const char *
journaled_state(const Run *self, const char *name)
{
    json_t *step = NULL;
    gsize index = 0;

    json_array_foreach(self->journaled, index, step)
        if (g_strcmp0(ferry_json_get_string(step, "name"), name) == 0)
            return ferry_json_get_string(step, "state");
    return NULL;
}

static void
end_step(Run *self, const FerrySagaStep *step, const char *state)
{
    g_autoptr(GError) error = NULL;

    /* The note saves work after a crash; the step itself is idempotent and its result journaled
     * with the record, so a journal that refuses now does no harm. */
    if (!ferry_journal_step_end(ferry_migration_agent(self->migration)->journal,
                                ferry_migration_record(self->migration), step->name, state, &error))
        g_warning("Migration '%s', step '%s': %s", ferry_migration_id(self->migration), step->name,
                  error->message);
}

static bool
begin_step(Run *self, const FerrySagaStep *step, GError **error)
{
    bool note_is_needed = !step->point_of_no_return && !step->read_only;
    g_autoptr(GError) why = NULL;

    if (ferry_migration_enter(self->migration, step->status, &why) &&
        ferry_journal_step_begin(ferry_migration_agent(self->migration)->journal,
                                 ferry_migration_record(self->migration), step->name, &why))
        return true;
    /* What is under way goes on without the journal; what would make something new does not. */
    if (!note_is_needed) {
        g_warning("Migration '%s', step '%s': %s", ferry_migration_id(self->migration), step->name,
                  why->message);
        return ferry_migration_must_enter(self->migration, step->status);
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static bool
has_what_it_needs(const Run *self, const FerrySagaStep *step, GError **error)
{
    return !step->needs_instance ||
           ferry_migration_check_described(self->migration, step->needs_destination, error);
}

static FerryStepEnd
run_step(Run *self, const FerrySagaStep *step, GError **error)
{
    bool resumed = journaled_state(self, step->name) != NULL;

    if (step->point_of_no_return)
        ferry_migration_close_abort(self->migration);
    else if (ferry_migration_abort_requested(self->migration) && !resumed) {
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The migration was aborted by order");
        return FERRY_STEP_FAILED;
    }
    if (!has_what_it_needs(self, step, error))
        return FERRY_STEP_ERROR;
    if (!begin_step(self, step, error))
        return ferry_migration_is_detached(self->migration) ? FERRY_STEP_DETACHED
                                                            : FERRY_STEP_FAILED;
    ferry_fault_point(step->name, "begin");

    FerryStepEnd end = step->run(self->migration, resumed, error);

    ferry_fault_point(step->name, "end");
    if (end != FERRY_STEP_DETACHED)
        end_step(self, step, end == FERRY_STEP_DONE ? "done" : "failed");
    return end;
}

/* Backwards over everything that began, @last included. Returns: false when one could not be
 * undone; the record's error then tells of both. */
static bool
undo_steps(Run *self, const FerrySagaStep *last)
{
    bool clean = true;

    for (const FerrySagaStep *step = last; step >= self->saga->steps; step--) {
        g_autoptr(GError) error = NULL;

        if (!step->undo)
            continue;
        /* Noted before it begins: whoever takes over must not run on what is half undone. */
        end_step(self, step, "undoing");
        if (step->undo(self->migration, &error)) {
            end_step(self, step, "undone");
            continue;
        }
        clean = false;
        if (!ferry_migration_is_detached(self->migration))
            end_step(self, step, "failed");
        g_warning("Migration '%s', step '%s' cannot be undone: %s",
                  ferry_migration_id(self->migration), step->name, error->message);
        ferry_migration_set_error(self->migration, error);
    }
    return clean;
}

static void
end_migration(Run *self, FerryStatus status)
{
    self->saga->report(self->migration);
    (void)ferry_migration_must_enter(self->migration, status);
}

/* The cause is in the record: CANCELLED only there and only meanwhile, so that an agent that dies
 * while undoing knows how the migration has to end. */
static void
undo_and_end(Run *self, const FerrySagaStep *last, bool cancelled)
{
    if (!undo_steps(self, last)) {
        if (!ferry_migration_is_detached(self->migration))
            end_migration(self, FERRY_STATUS_ERROR);
        return;
    }
    if (cancelled)
        ferry_migration_set_error(self->migration, NULL);
    end_migration(self, cancelled ? FERRY_STATUS_CANCELLED : FERRY_STATUS_FAILED);
}

static void
end_failed(Run *self, const FerrySagaStep *last, const GError *error)
{
    bool cancelled = ferry_migration_abort_requested(self->migration) &&
                     !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
    g_autoptr(GError) order =
        ferry_error_new(FERRY_ERROR_CANCELLED, NULL, "The migration was aborted by order");

    ferry_migration_set_error(self->migration, cancelled ? order : error);
    ferry_migration_save(self->migration);
    undo_and_end(self, last, cancelled);
}

/* Returns: true when the agent died while it undid: what is gone must not be built on again. */
static bool
was_undoing(const Run *self)
{
    for (const FerrySagaStep *step = self->saga->steps; step->name; step++) {
        const char *state = journaled_state(self, step->name);

        if (g_strcmp0(state, "undoing") == 0 || g_strcmp0(state, "undone") == 0)
            return true;
    }
    return false;
}

/* Returns: (nullable): the last step of the table that has begun. */
static const FerrySagaStep *
last_begun(const Run *self)
{
    const FerrySagaStep *last = NULL;

    for (const FerrySagaStep *step = self->saga->steps; step->name; step++)
        if (journaled_state(self, step->name))
            last = step;
    return last;
}

static void
go_on_undoing(Run *self)
{
    const json_t *error = ferry_migration_record(self->migration)->error;
    const char *cancelled = ferry_error_code_name(FERRY_ERROR_CANCELLED);

    undo_and_end(self, last_begun(self),
                 g_strcmp0(ferry_json_get_string(error, "code"), cancelled) == 0);
}

/* --- what an earlier life left ---------------------------------------------------------------- */

static bool
is_known(const Run *self, const char *name)
{
    for (const FerrySagaStep *step = self->saga->steps; step->name; step++)
        if (g_strcmp0(step->name, name) == 0)
            return true;
    return false;
}

/* Returns: (nullable): a step that is under way, and that only a newer agent knows. */
static const char *
find_strange_step(const Run *self)
{
    json_t *step = NULL;
    gsize index = 0;

    json_array_foreach(self->journaled, index, step)
        if (g_strcmp0(ferry_json_get_string(step, "state"), "done") != 0 &&
            !is_known(self, ferry_json_get_string(step, "name")))
            return ferry_json_get_string(step, "name");
    return NULL;
}

/* The record enters a step's status before the step begins, and leaves it only for the next. */
static bool
status_fits(FerryStatus status, const FerrySagaStep *last)
{
    if (!last)
        return status <= FERRY_STATUS_PREPARING;
    return status == last->status ||
           ferry_status_may_follow(FERRY_ROLE_SOURCE, last->status, status);
}

static bool
makes_sense(const Run *self, GError **error)
{
    const FerryRecord *record = ferry_migration_record(self->migration);
    const FerrySagaStep *last = last_begun(self);
    const char *strange = find_strange_step(self);
    g_autofree char *why = NULL;

    if (strange)
        why = g_strdup_printf("no agent of this version knows the step '%s'", strange);
    else if (!status_fits(record->status, last))
        why = g_strdup_printf("it is %s, and the last step that has begun is '%s'",
                              ferry_status_to_string(record->status), last ? last->name : "none");
    else if (record->status == FERRY_STATUS_POST_MIGRATING && was_undoing(self))
        why = g_strdup("it was undone after the instance had arrived");
    if (why)
        g_propagate_error(error, ferry_record_unsound_error(record, why));
    return !why;
}

/* Steps only go forward. So one before a step that has begun is over, and so is one before the
 * record's status: the agent that began the migration had no such step, or could not note
 * its end. */
static bool
is_over(const Run *self, const FerrySagaStep *step, const FerrySagaStep *last)
{
    return (last && step < last) ||
           step->status < ferry_migration_record(self->migration)->status ||
           g_strcmp0(journaled_state(self, step->name), "done") == 0;
}

static void
end_by(Run *self, const FerrySagaStep *step, FerryStepEnd end, const GError *error)
{
    switch (end) {
    case FERRY_STEP_DONE:
        end_migration(self, FERRY_STATUS_COMPLETED);
        break;
    case FERRY_STEP_FAILED:
        end_failed(self, step, error);
        break;
    case FERRY_STEP_ERROR:
        ferry_migration_set_error(self->migration, error);
        end_migration(self, FERRY_STATUS_ERROR);
        break;
    case FERRY_STEP_DETACHED:
        break;
    }
}

FerryStepEnd
ferry_saga_step_broken(FerryMigration *migration)
{
    return ferry_migration_is_detached(migration) ? FERRY_STEP_DETACHED : FERRY_STEP_FAILED;
}

void
ferry_saga_run(FerryMigration *migration, const FerrySaga *saga)
{
    g_autoptr(FerryJson) journaled =
        ferry_journal_steps(ferry_migration_agent(migration)->journal,
                            ferry_migration_id(migration), FERRY_ROLE_SOURCE);
    Run self = {migration, saga, journaled};
    const FerrySagaStep *step = saga->steps;
    const FerrySagaStep *last = last_begun(&self);
    FerryStepEnd end = FERRY_STEP_DONE;
    g_autoptr(GError) error = NULL;

    if (!makes_sense(&self, &error)) {
        end_by(&self, step, FERRY_STEP_ERROR, error);
        return;
    }
    if (was_undoing(&self)) {
        go_on_undoing(&self);
        return;
    }
    for (; step->name; step++) {
        if (is_over(&self, step, last))
            continue;
        end = run_step(&self, step, &error);
        if (end != FERRY_STEP_DONE)
            break;
    }
    end_by(&self, step->name ? step : step - 1, end, error);
}

FerryStepEnd
ferry_saga_finish(FerryMigration *migration, const FerrySaga *saga, GError **error)
{
    Run self = {migration, saga, NULL};

    for (const FerrySagaStep *step = saga->steps; step->name; step++) {
        if (!step->point_of_no_return) {
            /* The outcome is known now: what was not decided before is. */
            end_step(&self, step, "done");
            continue;
        }
        if (!has_what_it_needs(&self, step, error) ||
            !ferry_journal_step_begin(ferry_migration_agent(migration)->journal,
                                      ferry_migration_record(migration), step->name, error))
            return FERRY_STEP_ERROR;

        FerryStepEnd end = step->run(migration, true, error);

        if (end != FERRY_STEP_DONE)
            return end;
        end_step(&self, step, "done");
    }
    saga->report(migration);
    return FERRY_STEP_DONE;
}

bool
ferry_saga_undo(FerryMigration *migration, const FerrySaga *saga, GError **error)
{
    Run self = {migration, saga, NULL};
    const FerrySagaStep *step = saga->steps;

    while (step->name)
        step++;
    while (step-- > saga->steps) {
        if (!step->undo)
            continue;
        if (!step->undo(migration, error))
            return false;
        end_step(&self, step, "undone");
    }
    return true;
}
