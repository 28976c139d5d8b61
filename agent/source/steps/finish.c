#include "config.h"

#include "source/steps/finish.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "peer/peer.h"
#include "runtime/stall-timer.h"
#include "source/autostart.h"

/* A commit that lasts: which disk's, and how long it has not come any further. */
typedef struct {
    char *target;
    FerryStallTimer stall;
} Commit;

static void
commit_clear(Commit *self)
{
    g_free(self->target);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Commit, commit_clear)

static json_t *
ask(FerryMigration *migration, bool autostart, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);
    json_t *args = json_pack("{s:s}", "migration_id", record->migration_id);

    if (autostart)
        json_object_set_new(args, "autostart", json_true());
    return ferry_peer_call(agent,
                           &(FerryCall){.server = record->destination,
                                        .method = "post_live_migration_at_destination",
                                        .args = args,
                                        .timeout_ms = agent->config->outcome_timeout_s * 1000},
                           error);
}

/* The destination was told of the autostart before it was found out here, or never. */
static json_t *
ask_to_finish(FerryMigration *migration, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GError) why = NULL;
    json_t *answer = NULL;

    if (!instance || !instance->autostart)
        return ask(migration, /* autostart= */ false, error);
    answer = ask(migration, /* autostart= */ true, &why);
    /* An agent of before does not know the word; the check has said what that means. */
    if (!answer && g_error_matches(why, FERRY_ERROR, FERRY_ERROR_REMOTE))
        return ask(migration, /* autostart= */ false, error);
    if (!answer)
        g_propagate_error(error, g_steal_pointer(&why));
    return answer;
}

/* Nobody has the definition of before any more. */
static void
warn_of_autostart(const FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);

    if (instance && instance->persistent && !instance->autostart_told)
        g_message("Migration '%s': the agent that began it did not note whether '%s' is started "
                  "when its host boots; see that it is right on '%s' (virsh autostart)",
                  ferry_migration_id(migration), instance->name,
                  ferry_migration_record(migration)->destination);
}

/* Returns: false when it breaks off again and again, or stands still. */
static bool
goes_on(Commit *self, const GError *busy, gint64 limit_us)
{
    const json_t *details = ferry_error_details(busy);
    const char *target = ferry_json_get_string(details, "target");
    json_int_t committed = json_integer_value(json_object_get(details, "committed_bytes"));

    if (g_strcmp0(target, self->target) != 0) {
        commit_clear(self);
        *self = (Commit){.target = g_strdup(target)};
    }
    return ferry_stall_timer_allows(&self->stall, (guint64)MAX(committed, 0),
                                    g_get_monotonic_time(), limit_us);
}

static json_t *
give_up(FerryMigration *migration, const GError *busy, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "It runs there, on an overlay. Look there for a full file system (df) and at "
                    "virsh blockjob, then virt-ferry resolve goes on",
                    "The destination '%s' gets no further: %s",
                    ferry_migration_record(migration)->destination, busy->message);
    return NULL;
}

/* Asks until the destination has finished: what seeded disks have written meanwhile takes its time
 * to be committed there. */
static json_t *
get_finished(FerryMigration *migration, GError **error)
{
    guint limit_s = ferry_migration_agent(migration)->config->outcome_timeout_s;
    g_auto(Commit) commit = {0};

    for (;;) {
        g_autoptr(GError) why = NULL;
        json_t *answer = ask_to_finish(migration, &why);

        if (answer)
            return answer;
        if (!ferry_peer_is_busy(why) || ferry_migration_is_detached(migration)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
        if (!goes_on(&commit, why, (gint64)limit_s * G_USEC_PER_SEC))
            return give_up(migration, why, error);
    }
}

FerryStepEnd
ferry_finish_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    ferry_source_autostart_recall(migration);
    warn_of_autostart(migration);

    g_autoptr(FerryJson) answer = get_finished(migration, error);

    if (!answer)
        return ferry_migration_is_detached(migration) ? FERRY_STEP_DETACHED : FERRY_STEP_ERROR;
    ferry_migration_add_report(migration, json_pack("{s:O}", "arrival", answer));
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}
