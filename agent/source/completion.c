#include "config.h"

#include "source/completion.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/carried-file.h"
#include "model/downtime-steps.h"
#include "runtime/expiry-timer.h"

#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* What is waited for while nothing crosses the link is not the transfer: queue, checks,
 * trimming. */
const char *const ferry_completion_steps[] = {"files", "snapshot", "seed", "transfer", NULL};

/* --- the time --------------------------------------------------------------------------------- */

static gint64
time_of(const json_t *step, const char *key)
{
    return ferry_clock_parse_iso(ferry_json_get_string(step, key));
}

gint64
ferry_completion_spent_us(const json_t *steps, gint64 now_us)
{
    gint64 spent_us = 0;

    for (gsize i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        gint64 begun_us = time_of(step, "started_at");
        gint64 ended_us = time_of(step, "ended_at");
        const char *name = ferry_json_get_string(step, "name");

        /* A clock that was set back has not given time back. */
        if (name && begun_us && g_strv_contains(ferry_completion_steps, name))
            spent_us += MAX((ended_us ? ended_us : now_us) - begun_us, 0);
    }
    return spent_us;
}

static guint64
files_gib(const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);
    guint64 bytes = 0;

    for (guint i = 0; i < files->len; i++)
        bytes += ((const FerryCarriedFile *)g_ptr_array_index(files, i))->data_bytes;
    return (bytes + GIB - 1) / GIB;
}

/* 0: none. */
static guint64
limit_s(FerryMigration *migration)
{
    const FerryOrderOptions *options = ferry_migration_options(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);

    if (ferry_migration_is_shut_off(migration))
        return 0;
    return options->has_completion_timeout
               ? options->completion_timeout_s
               : ferry_migration_agent(migration)->config->live_migration_completion_timeout_s *
                     (ferry_downtime_data_gib(instance) + files_gib(instance));
}

gint64
ferry_completion_deadline_us(FerryMigration *migration)
{
    g_autoptr(FerryJson) steps =
        ferry_journal_steps(ferry_migration_agent(migration)->journal,
                            ferry_migration_id(migration), FERRY_ROLE_SOURCE);
    guint64 limit = limit_s(migration);

    if (limit == 0)
        return G_MAXINT64;
    return g_get_monotonic_time() + (gint64)limit * G_USEC_PER_SEC -
           ferry_completion_spent_us(steps, ferry_clock_now_us());
}

/* Returns: (transfer full): the name of the step that runs; null where the journal does not say. */
static json_t *
running_step(FerryMigration *migration)
{
    g_autoptr(FerryJson) steps =
        ferry_journal_steps(ferry_migration_agent(migration)->journal,
                            ferry_migration_id(migration), FERRY_ROLE_SOURCE);
    const json_t *last = json_array_get(steps, json_array_size(steps) - 1);

    return ferry_json_text(ferry_json_get_string(last, "name"));
}

GError *
ferry_completion_error(FerryMigration *migration)
{
    const json_t *progress = ferry_migration_record(migration)->progress;
    GError *error = ferry_error_new(FERRY_ERROR_MIGRATION_TIMEOUT,
                                    "Give more time (completion_timeout_s) or let it be forced "
                                    "(timeout_action)",
                                    "The transfer did not complete in %" G_GUINT64_FORMAT " s",
                                    limit_s(migration));

    ferry_error_set_detail(error, "budget", json_string("completion"));
    ferry_error_set_detail(error, "step", running_step(migration));
    ferry_error_set_detail(error, "link_bytes_s",
                           json_integer(ferry_json_get_int(progress, "throughput_bytes_s", 0)));
    return error;
}

/* --- work in it ------------------------------------------------------------------------------- */

/* Ends the work when the time is over. */
typedef struct {
    GCancellable *cancellable; /* immutable */
    gint64 deadline_us;        /* immutable; monotonic */
    bool over;                 /* the timer's thread; it ended the work */
} Guard;

/* The timer counts by UTC: the deadline is looked at again when it is due. */
static gint64
end_when_over(gpointer data)
{
    Guard *self = data;
    gint64 left_us = self->deadline_us - g_get_monotonic_time();

    if (left_us > 0)
        return ferry_clock_now_us() + left_us;
    self->over = true;
    g_cancellable_cancel(self->cancellable);
    return 0;
}

static bool
run_guarded(Guard *self, FerryCompletionFunc work, gpointer data, GError **error)
{
    g_autoptr(FerryExpiryTimer) timer G_GNUC_UNUSED =
        ferry_expiry_timer_new("vf-limit", end_when_over, self);

    return work(data, error);
}

bool
ferry_completion_run(FerryMigration *migration,
                     FerryCompletionFunc work,
                     gpointer data,
                     GError **error)
{
    Guard guard = {.cancellable = ferry_migration_cancellable(migration),
                   .deadline_us = ferry_completion_deadline_us(migration)};
    bool force =
        ferry_migration_options(migration)->timeout_action == FERRY_TIMEOUT_ACTION_FORCE_COMPLETE;
    g_autoptr(GError) why = NULL;

    if (guard.deadline_us == G_MAXINT64 || force)
        return work(data, error);

    bool ok = run_guarded(&guard, work, data, &why);

    /* Whoever was ready at the last moment finds the waits of all further steps ended. */
    if (guard.over)
        g_propagate_error(error, ferry_completion_error(migration));
    else if (!ok)
        g_propagate_error(error, g_steal_pointer(&why));
    return ok && !guard.over;
}
