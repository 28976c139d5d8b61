#include "config.h"

#include "source/migration.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/event.h"
#include "journal/journal.h"
#include "model/memory-way.h"
#include "model/persistent-plan.h"
#include "model/storage-strategy.h"
#include "runtime/notification.h"
#include "virt/virt.h"

/* How long a move that must not be lost waits before it asks the journal again. */
#define JOURNAL_RETRY_MS 2000

struct FerryMigration {
    const FerryAgent *agent;        /* immutable */
    FerryOrderOptions *options;     /* settled before the record is `running`; then immutable */
    GCancellable *cancellable;      /* thread-safe by itself */
    FerryRate *rate;                /* thread-safe by itself; as `tuning` says */
    char *migration_id;             /* immutable */
    FerryInstance *instance;        /* saga thread only; NULL until described */
    FerryMigrateData *migrate_data; /* saga thread only; NULL until told */
    gint64 last_sample_us;          /* saga thread only */
    gint64 kept_percent;            /* in the journal; saga thread only */
    guint64 samples;                /* saga thread only */

    GMutex lock;
    FerryRecord *record;   /* guarded by lock; written by the saga thread only, its instance_info
                            * made of `instance` */
    FerryTuning tuning;    /* guarded by lock */
    FerryVirtWatch *watch; /* guarded by lock */
    bool abort;            /* guarded by lock */
    bool abort_closed;     /* guarded by lock */
    bool force;            /* guarded by lock */
    bool awaits_slot;      /* guarded by lock; of the destination */
    bool detached;         /* guarded by lock */
};

/* Returns: (nullable): what an earlier life of the agent described. */
static FerryInstance *
journaled_instance(const FerryRecord *record)
{
    g_autoptr(GError) error = NULL;
    FerryInstance *instance =
        record->instance_info ? ferry_instance_from_json(record->instance_info, &error) : NULL;

    if (error)
        g_critical("Migration '%s': the journaled instance cannot be read: %s",
                   record->migration_id, error->message);
    return instance;
}

/* Returns: (nullable): what a destination, or the order, told in an earlier life of the agent. */
static FerryMigrateData *
journaled_migrate_data(const FerryRecord *record)
{
    g_autoptr(GError) error = NULL;
    FerryMigrateData *data =
        record->migrate_data ? ferry_migrate_data_from_json(record->migrate_data, &error) : NULL;

    if (error)
        g_critical("Migration '%s': the journaled migrate_data cannot be read: %s",
                   record->migration_id, error->message);
    return data;
}

static void
settle_memory_way(FerryMigration *self)
{
    if (!self->instance)
        return;
    FERRY_LOCK_SCOPE(&self->lock);
    ferry_memory_way_settle(self->options, self->instance);
}

FerryMigration *
ferry_migration_new(const FerryAgent *agent, FerryRecord *record, FerryOrderOptions *options)
{
    FerryMigration *self = g_atomic_rc_box_new0(FerryMigration);

    self->agent = agent;
    self->record = record;
    self->options = options;
    self->migration_id = g_strdup(record->migration_id);
    self->instance = journaled_instance(record);
    self->migrate_data = journaled_migrate_data(record);
    self->cancellable = g_cancellable_new();
    self->tuning =
        ferry_tuning_recall(record->parameters, options, agent->config, record->migration_id);
    /* What is told is what holds. */
    if (record->parameters)
        ferry_record_take(&record->parameters, ferry_tuning_to_json(&self->tuning));
    self->rate = ferry_rate_new(self->tuning.bandwidth_mibps);
    self->abort = record->abort_ordered;
    self->force = record->force_ordered;
    if (self->abort)
        g_cancellable_cancel(self->cancellable);
    g_mutex_init(&self->lock);
    settle_memory_way(self);
    return self;
}

static void
migration_clear(gpointer data)
{
    FerryMigration *self = data;

    ferry_record_free(self->record);
    ferry_order_options_free(self->options);
    g_clear_pointer(&self->instance, ferry_instance_free);
    g_clear_pointer(&self->migrate_data, ferry_migrate_data_free);
    g_object_unref(self->cancellable);
    ferry_rate_unref(self->rate);
    g_free(self->migration_id);
    g_mutex_clear(&self->lock);
}

FerryMigration *
ferry_migration_ref(FerryMigration *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
ferry_migration_unref(FerryMigration *self)
{
    if (self)
        g_atomic_rc_box_release_full(self, migration_clear);
}

/* --- any thread ------------------------------------------------------------------------------- */

const FerryAgent *
ferry_migration_agent(const FerryMigration *self)
{
    return self->agent;
}

const char *
ferry_migration_id(const FerryMigration *self)
{
    return self->migration_id;
}

const FerryOrderOptions *
ferry_migration_options(const FerryMigration *self)
{
    return self->options;
}

FerryRecord *
ferry_migration_snapshot(FerryMigration *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return ferry_record_copy(self->record);
}

GCancellable *
ferry_migration_cancellable(FerryMigration *self)
{
    return self->cancellable;
}

static void
wake(FerryMigration *self)
{
    if (self->watch)
        ferry_virt_watch_wake(self->watch);
}

/* It has not begun yet. */
static bool
refuse_early(FerryMigration *self, const char *what, GError **error)
{
    bool queued = self->record->status == FERRY_STATUS_QUEUED;

    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    queued ? "list_migrations shows for which others it waits; abort it if it is "
                             "not to move"
                           : "Wait until it runs, or abort it",
                    "The migration '%s' is %s; it cannot be %s yet%s", self->migration_id,
                    ferry_status_to_string(self->record->status), what,
                    queued ? ": it waits for others" : "");
    return false;
}

static bool
refuse_in_status(FerryMigration *self, const char *what, GError **error)
{
    g_autofree char *hint = g_strdup_printf("Follow it with get_migration %s", self->migration_id);

    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, hint,
                    "The migration '%s' is %s; it cannot be %s any more", self->migration_id,
                    ferry_status_to_string(self->record->status), what);
    return false;
}

static bool
take_abort(FerryMigration *self, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->abort_closed || ferry_status_is_terminal(self->record->status))
        return refuse_in_status(self, "aborted", error);
    if (!ferry_journal_note_action(self->agent->journal, self->migration_id,
                                   FERRY_MIGRATION_ACTION_ABORT, error))
        return false;
    self->abort = true;
    wake(self);
    return true;
}

bool
ferry_migration_request_abort(FerryMigration *self, GError **error)
{
    if (!take_abort(self, error))
        return false;
    /* Calls back into waits of the saga: never under our lock. */
    g_cancellable_cancel(self->cancellable);
    return true;
}

bool
ferry_migration_request_force(FerryMigration *self, const char **ret_action, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->record->status < FERRY_STATUS_RUNNING && !self->abort)
        return refuse_early(self, "forced to complete", error);
    if (self->record->status != FERRY_STATUS_RUNNING || self->abort_closed || self->abort)
        return refuse_in_status(self, "forced to complete", error);
    if (!ferry_journal_note_action(self->agent->journal, self->migration_id,
                                   FERRY_MIGRATION_ACTION_FORCE_COMPLETE, error))
        return false;
    self->force = true;
    wake(self);
    *ret_action = self->options->post_copy ? "post-copy" : "pause";
    return true;
}

bool
ferry_migration_tune(FerryMigration *self, const json_t *changes, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);
    FerryTuning tuning = self->tuning;

    if (self->abort_closed || self->abort || ferry_status_is_terminal(self->record->status))
        return refuse_in_status(self, "changed", error);
    if (!ferry_tuning_change(&tuning, changes, self->options, self->agent->config, error))
        return false;

    g_autoptr(FerryJson) parameters = ferry_tuning_to_json(&tuning);

    if (!ferry_journal_note_tuning(self->agent->journal, self->migration_id, parameters, error))
        return false;
    ferry_record_take(&self->record->parameters, g_steal_pointer(&parameters));
    self->tuning = tuning;
    ferry_rate_set(self->rate, tuning.bandwidth_mibps);
    wake(self);
    return true;
}

FerryTuning
ferry_migration_tuning(FerryMigration *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return self->tuning;
}

bool
ferry_migration_is_mirroring(FerryMigration *self)
{
    FERRY_LOCK_SCOPE(&self->lock);
    json_t *disks = json_object_get(self->record->instance_info, "disks");
    gsize index = 0;
    json_t *disk = NULL;

    /* Seeds are sent in that phase, too, before there is a watch. */
    if (!self->watch || self->record->phase != FERRY_PHASE_DISK)
        return false;
    json_array_foreach(disks, index, disk)
        if (ferry_json_get_bool(disk, "migrate", false))
            return true;
    return false;
}

FerryRate *
ferry_migration_rate(FerryMigration *self)
{
    return self->rate;
}

static bool
read_flag(FerryMigration *self, const bool *flag)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return *flag;
}

bool
ferry_migration_abort_requested(FerryMigration *self)
{
    return read_flag(self, &self->abort);
}

bool
ferry_migration_force_requested(FerryMigration *self)
{
    return read_flag(self, &self->force);
}

bool
ferry_migration_awaits_slot(FerryMigration *self)
{
    return read_flag(self, &self->awaits_slot);
}

void
ferry_migration_detach(FerryMigration *self)
{
    g_mutex_lock(&self->lock);
    self->detached = true;
    wake(self);
    g_mutex_unlock(&self->lock);
    g_cancellable_cancel(self->cancellable);
}

bool
ferry_migration_is_detached(FerryMigration *self)
{
    return read_flag(self, &self->detached);
}

/* --- the saga thread -------------------------------------------------------------------------- */

const FerryRecord *
ferry_migration_record(const FerryMigration *self)
{
    return self->record;
}

const FerryInstance *
ferry_migration_instance(const FerryMigration *self)
{
    return self->instance;
}

const FerryMigrateData *
ferry_migration_migrate_data(const FerryMigration *self)
{
    return self->migrate_data;
}

bool
ferry_migration_check_described(const FerryMigration *self, bool destination_too, GError **error)
{
    const char *lacks = NULL;

    if (!self->instance)
        lacks = "what the instance is";
    else if (destination_too && !self->migrate_data)
        lacks = "what the destination prepared";
    if (!lacks)
        return true;
    ferry_set_error(error, FERRY_ERROR_OUTCOME_UNKNOWN, FERRY_RECORD_UNSOUND_HINT,
                    "The journal does not say %s in the migration '%s'", lacks, self->migration_id);
    return false;
}

bool
ferry_migration_is_shut_off(const FerryMigration *self)
{
    return self->instance && ferry_instance_is_shut_off(self->instance);
}

FerryFileCarrier
ferry_migration_file_carrier(FerryMigration *self)
{
    return (FerryFileCarrier){
        .agent = self->agent,
        .migration_id = self->migration_id,
        .destination = self->record->destination,
        .libvirt_uri = self->migrate_data ? self->migrate_data->libvirt_uri : NULL,
        .rate = self->rate,
        .cancellable = self->cancellable,
    };
}

FerryRoomQuestion
ferry_migration_room_question(FerryMigration *self)
{
    return (FerryRoomQuestion){
        .agent = self->agent,
        .migration_id = self->migration_id,
        .destination = self->record->destination,
        .cancellable = self->cancellable,
    };
}

json_t *
ferry_migration_ordered_options(const FerryMigration *self)
{
    json_t *options = ferry_record_options(self->record);

    return options ? json_incref(options) : json_object();
}

void
ferry_migration_set_watch(FerryMigration *self, FerryVirtWatch *watch)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->watch = watch;
}

/* What a snapshot shares with the record is replaced, never changed. */
static void
take(FerryMigration *self, json_t **field, json_t *value)
{
    FERRY_LOCK_SCOPE(&self->lock);

    ferry_record_take(field, value);
}

static void
instance_has_changed(FerryMigration *self)
{
    take(self, &self->record->instance_info, ferry_instance_to_json(self->instance));
}

void
ferry_migration_set_instance(FerryMigration *self, FerryInstance *instance)
{
    g_clear_pointer(&self->instance, ferry_instance_free);
    self->instance = instance;
    instance_has_changed(self);
    settle_memory_way(self);
}

void
ferry_migration_set_autostart(FerryMigration *self, bool autostart)
{
    self->instance->autostart = autostart;
    self->instance->autostart_told = true;
    instance_has_changed(self);
    ferry_migration_save(self);
}

void
ferry_migration_avoid_seeds(FerryMigration *self, const char *why)
{
    ferry_storage_strategy_avoid_seeds(self->instance, self->options, why);
    instance_has_changed(self);
}

void
ferry_migration_prefer_seeds(FerryMigration *self, const char *why)
{
    ferry_storage_strategy_prefer_seeds(self->instance, self->options, why);
    instance_has_changed(self);
}

bool
ferry_migration_set_migrate_data(FerryMigration *self, json_t *migrate_data, GError **error)
{
    FerryMigrateData *data = ferry_migrate_data_from_json(migrate_data, error);

    json_decref(migrate_data);
    if (!data)
        return false;
    g_clear_pointer(&self->migrate_data, ferry_migrate_data_free);
    self->migrate_data = data;
    take(self, &self->record->migrate_data, ferry_migrate_data_to_json(data));
    return true;
}

void
ferry_migration_adopt_volumes(FerryMigration *self)
{
    ferry_storage_strategy_adopt(self->instance, self->migrate_data);
    ferry_persistent_plan_adopt(self->instance, self->migrate_data->files);
    instance_has_changed(self);
}

void
ferry_migration_set_error(FerryMigration *self, const GError *error)
{
    take(self, &self->record->error, error ? ferry_error_to_json(error) : NULL);
}

void
ferry_migration_add_report(FerryMigration *self, json_t *part)
{
    json_t *report = self->record->report ? json_copy(self->record->report) : json_object();

    json_object_update(report, part);
    json_decref(part);
    take(self, &self->record->report, report);
}

void
ferry_migration_set_awaits_slot(FerryMigration *self, bool awaits)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->awaits_slot = awaits;
}

void
ferry_migration_set_report(FerryMigration *self, json_t *report)
{
    take(self, &self->record->report, report);
}

bool
ferry_migration_close_abort(FerryMigration *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->abort_closed = true;
    return !self->abort;
}

/* The journal is asked with a copy, so that a reader never waits for the disk. */
static bool
commit(FerryMigration *self, FerryRecord *changed, const char *event_type, GError **error)
{
    if (!ferry_journal_save(self->agent->journal, changed, event_type, error))
        return false;
    g_mutex_lock(&self->lock);
    self->record->status = changed->status;
    self->record->phase = changed->phase;
    self->record->updated_us = changed->updated_us;
    self->record->ended_us = changed->ended_us;
    self->record->seq = changed->seq;
    g_mutex_unlock(&self->lock);
    return true;
}

/* What an earlier life of the agent left may be anything. */
static bool
may_follow(const FerryRecord *record, FerryStatus status, GError **error)
{
    if (ferry_status_may_follow(FERRY_ROLE_SOURCE, record->status, status))
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, FERRY_RECORD_UNSOUND_HINT,
                    "The migration '%s' is %s, and cannot become %s", record->migration_id,
                    ferry_status_to_string(record->status), ferry_status_to_string(status));
    return false;
}

bool
ferry_migration_enter(FerryMigration *self, FerryStatus status, GError **error)
{
    g_autoptr(FerryRecord) changed = ferry_migration_snapshot(self);

    if (changed->status == status)
        return true;
    if (!may_follow(changed, status, error))
        return false;
    changed->status = status;
    if (status != FERRY_STATUS_RUNNING)
        changed->phase = FERRY_PHASE_NONE;
    return commit(self, changed, ferry_status_event_type(FERRY_ROLE_SOURCE, status), error);
}

void
ferry_migration_enter_phase(FerryMigration *self, FerryPhase phase)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) changed = ferry_migration_snapshot(self);

    /* Phases are inside `running`: one that is resolved after its end has none. */
    if (changed->phase == phase || changed->status != FERRY_STATUS_RUNNING)
        return;
    changed->phase = phase;
    if (!commit(self, changed, "migration.phase", &error))
        g_warning("Migration '%s': phase '%s' is not journaled: %s", self->migration_id,
                  ferry_phase_to_string(phase), error->message);
}

void
ferry_migration_tell_stall(FerryMigration *self, const FerryStall *stall, gint64 since_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) changed = ferry_migration_snapshot(self);
    g_autofree char *since =
        ferry_clock_format_iso(ferry_clock_now_us() - (g_get_monotonic_time() - since_us));

    changed->stalled = ferry_stall_to_json(stall);
    json_object_set_new(changed->stalled, "since", ferry_json_text(since));
    if (!commit(self, changed, "migration.stalled", &error))
        g_warning("Migration '%s': its stall is not journaled: %s", self->migration_id,
                  error->message);
}

bool
ferry_migration_must_enter(FerryMigration *self, FerryStatus status)
{
    for (;;) {
        g_autoptr(GError) error = NULL;

        if (ferry_migration_enter(self, status, &error))
            return true;
        if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE)) {
            g_critical("%s", error->message);
            return false;
        }
        g_warning("Migration '%s' is '%s', but: %s; trying again", self->migration_id,
                  ferry_status_to_string(status), error->message);
        if (ferry_migration_is_detached(self))
            return false;
        ferry_agent_pause(self->agent, JOURNAL_RETRY_MS, NULL);
    }
}

bool
ferry_migration_resolve(FerryMigration *self, FerryStatus status, json_t *evidence, GError **error)
{
    g_autoptr(FerryRecord) changed = ferry_migration_snapshot(self);
    json_t *report = changed->report ? json_copy(changed->report) : json_object();

    json_object_set_new(report, "evidence", evidence);
    ferry_record_take(&changed->report, report);
    if (!may_follow(changed, status, error))
        return false;
    changed->status = status;
    /* What was unknown is known: a success has no error any more. */
    if (status == FERRY_STATUS_COMPLETED)
        ferry_record_take(&changed->error, NULL);
    return commit(self, changed, "migration.resolved", error);
}

void
ferry_migration_save(FerryMigration *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) changed = ferry_migration_snapshot(self);

    if (!commit(self, changed, NULL, &error))
        g_warning("Migration '%s': %s", self->migration_id, error->message);
}

static void
publish_sample(FerryMigration *self, const FerryRecord *record)
{
    g_autofree char *message_id = g_uuid_string_random();
    gint64 now = ferry_clock_now_us();
    g_autoptr(FerryJson) payload = ferry_event_sample_payload(record, ++self->samples, now);
    const FerryNotification event = {
        .priority = "sample",
        .event_type = "migration.progress",
        .message_id = message_id,
        .time_us = now,
        .payload = payload,
        .sample = true,
        .replace_key = self->migration_id,
    };

    ferry_notification_publish(self->agent, &event, /* confirmed= */ NULL, NULL);
}

/* A failure is not told for each look: the next percent is another attempt. */
static void
keep_percent(FerryMigration *self, json_t *progress)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) changed = NULL;
    gint64 percent = json_integer_value(json_object_get(progress, "percent"));

    if (percent <= self->kept_percent)
        return;
    self->kept_percent = percent;
    changed = ferry_migration_snapshot(self);
    ferry_record_take(&changed->progress, json_incref(progress));
    if (!commit(self, changed, NULL, &error))
        g_warning("Migration '%s': %s", self->migration_id, error->message);
}

void
ferry_migration_report_progress(FerryMigration *self, json_t *progress)
{
    gint64 now = g_get_monotonic_time();

    keep_percent(self, progress);
    take(self, &self->record->progress, progress);
    if (ferry_notification_topics(self->agent->config) == 0 ||
        now - self->last_sample_us < (gint64)self->options->progress_interval_ms * 1000)
        return;
    self->last_sample_us = now;

    g_autoptr(FerryRecord) record = ferry_migration_snapshot(self);

    publish_sample(self, record);
}
