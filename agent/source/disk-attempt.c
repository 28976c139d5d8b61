#include "config.h"

#include "source/disk-attempt.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "model/seed-worth.h"
#include "model/storage-strategy.h"
#include "peer/peer.h"
#include "runtime/fault-point.h"
#include "source/known-link.h"
#include "source/overlay-room.h"
#include "virt/auto.h"
#include "virt/disk-writes.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/virt.h"

/* Between two looks at the guest before the first attempt, and two questions after it. */
#define PAUSE_MS 500
/* What a guest wrote in less is no rate... */
#define BEFORE_MIN_US (G_USEC_PER_SEC / 4)
/* ... and in less it may have been one gust. */
#define BEFORE_SURE_US (2 * G_USEC_PER_SEC)

/* --- the note --------------------------------------------------------------------------------- */

static const json_t *
note_of(const FerryMigration *migration)
{
    return json_object_get(ferry_migration_record(migration)->report, "disk_writes");
}

/* @changes: (transfer full): of the note. */
static void
change(FerryMigration *migration, json_t *changes)
{
    const json_t *before = note_of(migration);
    json_t *note = before ? json_deep_copy(before) : json_object();

    json_object_update(note, changes);
    json_decref(changes);
    ferry_migration_add_report(migration, json_pack("{s:o}", "disk_writes", note));
    ferry_migration_save(migration);
}

static json_t *
now(void)
{
    g_autofree char *text = ferry_clock_format_iso(ferry_clock_now_us());

    return ferry_json_text(text);
}

/* --- what the journal says -------------------------------------------------------------------- */

FerryDiskAttempt
ferry_disk_attempt_state(const FerryMigration *migration)
{
    const char *switching = ferry_json_get_string(note_of(migration), "switching");

    if (g_strcmp0(switching, "ending") == 0)
        return FERRY_DISK_ATTEMPT_ENDING;
    if (g_strcmp0(switching, "seeding") == 0)
        return FERRY_DISK_ATTEMPT_SEEDING;
    return g_strcmp0(switching, "beginning") == 0 ? FERRY_DISK_ATTEMPT_BEGINNING
                                                  : FERRY_DISK_ATTEMPT_UNDER_WAY;
}

bool
ferry_disk_attempt_is_synchronous(const FerryMigration *migration)
{
    return g_strcmp0(ferry_json_get_string(note_of(migration), "mode"), "synchronous") == 0;
}

bool
ferry_disk_attempt_may_repeat(const FerryMigration *migration)
{
    const FerryMigrateData *data = ferry_migration_migrate_data(migration);

    return data && data->renews_images;
}

/* --- what the guest writes -------------------------------------------------------------------- */

/* 0 where nobody can tell. */
static guint64
written_bytes(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(migration)->virt, NULL);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, instance->uuid, NULL) : NULL;

    return domain ? ferry_virt_disks_written_bytes(domain, instance) : 0;
}

static guint64
counter(const FerryMigration *migration, const char *key)
{
    return (guint64)MAX(json_integer_value(json_object_get(note_of(migration), key)), 0);
}

void
ferry_disk_attempt_look_before(FerryMigration *migration)
{
    guint64 bytes = ferry_migration_is_shut_off(migration) ? 0 : written_bytes(migration);

    if (bytes > 0)
        change(migration, json_pack("{s:I, s:I}", "seen_bytes", (json_int_t)bytes, "seen_us",
                                    (json_int_t)ferry_clock_now_us()));
}

/* What the guest has written since the first look, and for how long that was. */
typedef struct {
    guint64 bytes_s;
    gint64 time_us;
} Before;

/* The seen bytes may be of a guest that was started anew since. Returns: false where they are
 * nothing to go by. */
static bool
measure_before(const FerryMigration *migration, guint64 bytes, Before *ret)
{
    guint64 seen_bytes = counter(migration, "seen_bytes");
    gint64 time_us = ferry_clock_now_us() - (gint64)counter(migration, "seen_us");

    if (seen_bytes == 0 || bytes < seen_bytes || time_us <= 0)
        return false;
    ret->bytes_s = (guint64)((double)(bytes - seen_bytes) * G_USEC_PER_SEC / (double)time_us);
    ret->time_us = time_us;
    return true;
}

static void
note_before(FerryMigration *migration, const Before *before)
{
    if (before->time_us >= BEFORE_MIN_US)
        change(migration, json_pack("{s:I}", "before_bytes_s", (json_int_t)before->bytes_s));
}

/* Without @keys; ends with NULL. */
static void
forget(FerryMigration *migration, const char *const *keys)
{
    json_t *note = json_deep_copy(note_of(migration));

    for (gsize i = 0; keys[i]; i++)
        json_object_del(note, keys[i]);
    ferry_migration_add_report(migration, json_pack("{s:o}", "disk_writes", note));
    ferry_migration_save(migration);
}

void
ferry_disk_attempt_note_mirrors(FerryMigration *migration, guint64 written_bytes)
{
    static const char *const keys[] = {"seen_bytes", "seen_us", NULL};
    Before before = {0};

    if (counter(migration, "seen_bytes") == 0)
        return;
    if (measure_before(migration, written_bytes, &before))
        note_before(migration, &before);
    forget(migration, keys);
}

void
ferry_disk_attempt_note_rate(FerryMigration *migration, guint64 bytes_s)
{
    change(migration, json_pack("{s:I}",
                                ferry_disk_attempt_is_synchronous(migration) ? "synchronous_bytes_s"
                                                                             : "background_bytes_s",
                                (json_int_t)bytes_s));
}

void
ferry_disk_attempt_note_link(FerryMigration *migration, guint64 bytes_s)
{
    change(migration, json_pack("{s:I}", "link_bytes_s", (json_int_t)bytes_s));
}

/* --- the first -------------------------------------------------------------------------------- */

/* The limit, where that is less than what the link was seen to carry. */
static guint64
link_bytes_s(FerryMigration *migration)
{
    guint64 limit = ferry_migration_tuning(migration).bandwidth_mibps << 20;
    guint64 known = ferry_known_link_bytes_s(ferry_migration_agent(migration),
                                             ferry_migration_record(migration)->destination);

    return limit > 0 && known > 0 ? MIN(limit, known) : MAX(limit, known);
}

/* Looks on while the guest writes as much as the @link carries: it may be but one gust. */
static bool
exceeds(FerryMigration *migration, guint64 link, Before *before)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    GCancellable *cancellable = ferry_migration_cancellable(migration);

    while (measure_before(migration, written_bytes(migration), before) &&
           ferry_disk_writes_exceed(before->bytes_s, link)) {
        if (before->time_us >= BEFORE_SURE_US)
            return true;
        ferry_agent_pause(agent, PAUSE_MS, cancellable);
        if (g_cancellable_is_cancelled(cancellable))
            break;
    }
    return false;
}

static bool
exceeds_link(FerryMigration *migration)
{
    guint64 link = link_bytes_s(migration);
    Before before = {0};

    if (counter(migration, "seen_bytes") == 0)
        return ferry_disk_writes_exceed(counter(migration, "before_bytes_s"), link);

    bool exceeded = exceeds(migration, link, &before);

    note_before(migration, &before);
    return exceeded;
}

static bool
begins_synchronous(FerryMigration *migration)
{
    switch (ferry_migration_options(migration)->disk_writes) {
    case FERRY_DISK_WRITES_SYNCHRONOUS:
        return true;
    case FERRY_DISK_WRITES_BACKGROUND:
        return false;
    case FERRY_DISK_WRITES_AUTO:
        break;
    }
    return exceeds_link(migration);
}

void
ferry_disk_attempt_begin(FerryMigration *migration)
{
    change(migration,
           json_pack("{s:s, s:i}", "mode",
                     begins_synchronous(migration) ? "synchronous" : "background", "attempts", 1));
}

/* --- seeds ------------------------------------------------------------------------------------ */

bool
ferry_disk_attempt_may_seed(const FerryMigration *migration,
                            guint64 again_bytes,
                            guint64 link_bytes_s)
{
    FerrySeedWorth worth = {.again_bytes = again_bytes, .link_bytes_s = link_bytes_s};
    const FerryMigrateData *data = ferry_migration_migrate_data(migration);
    guint64 reserved = ferry_migration_agent(migration)->config->reserved_bytes;
    g_autoptr(GPtrArray) disks = ferry_storage_strategy_seedable(
        ferry_migration_instance(migration), ferry_migration_options(migration));

    for (guint i = 0; i < disks->len; i++)
        worth.image_bytes += ((const FerryDisk *)g_ptr_array_index(disks, i))->allocation_bytes;
    /* It may write to more by then. */
    return data && data->seeds_anew && ferry_seed_is_worth(&worth) &&
           ferry_overlay_room_allows(disks, reserved + 2 * again_bytes);
}

/* Returns: whether the first attempt is ended for seeds, which are to be prepared as yet. */
static bool
awaits_seeds(const FerryMigration *migration)
{
    return ferry_disk_attempt_state(migration) == FERRY_DISK_ATTEMPT_ENDING &&
           json_is_true(json_object_get(note_of(migration), "seeds"));
}

/* Returns: (transfer full): their targets. */
static json_t *
list_seeds(const FerryMigration *migration)
{
    g_autoptr(GPtrArray) disks = ferry_storage_strategy_seedable(
        ferry_migration_instance(migration), ferry_migration_options(migration));
    json_t *targets = json_array();

    for (guint i = 0; i < disks->len; i++)
        json_array_append_new(
            targets, ferry_json_text(((const FerryDisk *)g_ptr_array_index(disks, i))->target));
    return targets;
}

/* --- the second ------------------------------------------------------------------------------- */

void
ferry_disk_attempt_note_switched(FerryMigration *migration)
{
    change(migration, json_pack("{s:s, s:o}", "mode", "synchronous", "switched_at", now()));
}

static void
end_first(FerryMigration *migration, bool seeds)
{
    change(migration, json_pack("{s:s, s:o, s:b}", "switching", "ending", "switched_at", now(),
                                "seeds", seeds));
    ferry_fault_point("second-attempt", "begin");
}

void
ferry_disk_attempt_end_first(FerryMigration *migration)
{
    end_first(migration, /* seeds= */ false);
}

void
ferry_disk_attempt_end_for_seeds(FerryMigration *migration)
{
    end_first(migration, /* seeds= */ true);
}

/* Returns: (transfer full): why an instance that is @observed here is not left in peace so far. */
static GError *
unsettled_error(const FerryRecord *record, FerryObservedState observed)
{
    GError *why = NULL;

    if (observed == FERRY_OBSERVED_UNREACHABLE)
        return ferry_error_new(FERRY_ERROR_HYPERVISOR_UNAVAILABLE, "Look at libvirt's log there",
                               "libvirt on '%s' does not say how '%s' is", record->source,
                               record->instance_name);
    if (observed != FERRY_OBSERVED_RUNNING && observed != FERRY_OBSERVED_PAUSED &&
        observed != FERRY_OBSERVED_PAUSED_MIGRATION)
        return ferry_error_new(
            FERRY_ERROR_INVALID_MIGRATION_STATE, "Look at the instance on both hosts",
            "After the first attempt of the transfer '%s' is on '%s' as '%s'",
            record->instance_name, record->source, ferry_observed_state_to_string(observed));
    why = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "Look at libvirt's log there",
                          "The first attempt of the transfer of '%s' has not ended on '%s'",
                          record->instance_name, record->source);
    ferry_error_set_detail(why, "retry", json_true());
    return why;
}

/* Returns: true once the instance runs here and nobody works on it. */
static bool
is_settled(const FerryAgent *agent, const FerryRecord *record, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    FerryObservedState observed = FERRY_OBSERVED_UNREACHABLE;

    if (!connection)
        return false;
    observed = ferry_virt_domain_observe(connection, record->instance_uuid);
    if ((observed == FERRY_OBSERVED_RUNNING || observed == FERRY_OBSERVED_PAUSED) &&
        !ferry_virt_domain_is_busy(connection, record->instance_uuid))
        return true;
    g_propagate_error(error, unsettled_error(record, observed));
    return false;
}

/* Of the attempt that is going to be made: another one each time that the images were made anew,
 * whether it has begun then or not. */
static guint
next_number(const FerryMigration *migration)
{
    return (guint)counter(migration, "renewals") + 2;
}

static json_t *
renewal_args(const FerryMigration *migration)
{
    json_t *args = json_pack("{s:s}", "migration_id", ferry_migration_id(migration));

    if (ferry_migration_migrate_data(migration)->numbers_attempts)
        json_object_set_new(args, "attempt", json_integer(next_number(migration)));
    if (awaits_seeds(migration))
        json_object_set_new(args, "seeds", list_seeds(migration));
    return args;
}

/* The destination's word of what is prepared from now on. */
static bool
adopt(FerryMigration *migration, const json_t *answer, GError **error)
{
    json_t *told = json_object_get(answer, "migrate_data");

    if (!ferry_migration_set_migrate_data(migration, json_incref(told), error))
        return false;
    ferry_migration_prefer_seeds(migration,
                                 "what the guest writes comes faster than a mirror copies it");
    ferry_migration_adopt_volumes(migration);
    return true;
}

static bool
renew_images(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) answer =
        ferry_peer_call(ferry_migration_agent(migration),
                        &(FerryCall){.server = record->destination,
                                     .method = "renew_images",
                                     .args = renewal_args(migration),
                                     .cancellable = ferry_migration_cancellable(migration)},
                        error);

    return answer && (!awaits_seeds(migration) || adopt(migration, answer, error));
}

/* Here first: an instance that has left is nobody's to wait for. What is being sent stays. */
static bool
is_clear(FerryMigration *migration, GError **error)
{
    return is_settled(ferry_migration_agent(migration), ferry_migration_record(migration), error) &&
           (ferry_disk_attempt_state(migration) == FERRY_DISK_ATTEMPT_SEEDING ||
            renew_images(migration, error));
}

/* Returns: true when @why passes: the first attempt has not ended on both hosts, or one of them
 * does not answer. */
static bool
passes(const GError *why)
{
    return ferry_peer_is_busy(why) || ferry_peer_is_silent(why);
}

static bool
await_clear(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    GCancellable *cancellable = ferry_migration_cancellable(migration);
    gint64 limit_us = (gint64)agent->config->outcome_timeout_s * G_USEC_PER_SEC;
    gint64 deadline_us = g_get_monotonic_time() + limit_us;

    for (;;) {
        g_autoptr(GError) why = NULL;

        if (is_clear(migration, &why))
            return true;
        if (!passes(why) || g_get_monotonic_time() >= deadline_us) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        ferry_agent_pause(agent, PAUSE_MS, cancellable);
        if (g_cancellable_is_cancelled(cancellable)) {
            ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL,
                            "The migration was aborted by order");
            return false;
        }
    }
}

bool
ferry_disk_attempt_begin_second(FerryMigration *migration, GError **error)
{
    bool seeds = awaits_seeds(migration);

    g_message("Migration '%s': the transfer begins once more, with synchronous writes",
              ferry_migration_id(migration));
    if (!await_clear(migration, error))
        return false;
    if (ferry_disk_attempt_state(migration) == FERRY_DISK_ATTEMPT_SEEDING)
        return true;
    /* The first one is over for good: a job that is seen from here on is the second's. */
    change(migration, json_pack("{s:s, s:s, s:i, s:I}", "switching",
                                seeds ? "seeding" : "beginning", "mode", "synchronous", "attempts",
                                2, "renewals", (json_int_t)next_number(migration) - 1));
    ferry_fault_point("second-attempt", "end");
    return true;
}

void
ferry_disk_attempt_note_seeded(FerryMigration *migration)
{
    change(migration, json_pack("{s:s}", "switching", "beginning"));
}

void
ferry_disk_attempt_forget_switching(FerryMigration *migration)
{
    static const char *const keys[] = {"switching", "seeds", NULL};

    forget(migration, keys);
}

void
ferry_disk_attempt_finish(FerryMigration *migration)
{
    static const char *const keys[] = {"switching",  "seeds",   "renewals",
                                       "seen_bytes", "seen_us", NULL};

    if (note_of(migration))
        forget(migration, keys);
}
