#include "config.h"

#include "source/disk-attempt.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "model/seed-worth.h"
#include "model/storage-strategy.h"
#include "peer/peer.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/disk-writes.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/virt.h"

#include <sys/statvfs.h>

/* Between two questions while the first attempt ends on both hosts. */
#define PAUSE_MS 500
/* What a guest wrote in less is no rate. */
#define BEFORE_MIN_US (G_USEC_PER_SEC / 4)
/* What it wrote in as much is one to choose by. */
#define BEFORE_US G_USEC_PER_SEC

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

/* Returns: what it has written to the disks that move; 0 where nobody can tell. */
static guint64
written_bytes(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(migration)->virt, NULL);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, instance->uuid, NULL) : NULL;
    guint64 bytes = 0;

    for (guint i = 0; domain && i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate)
            bytes += ferry_virt_disk_written_bytes(domain, disk->target);
    }
    return bytes;
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

/* The seen bytes may be of a guest that was started anew since. */
static void
measure_before(FerryMigration *migration, guint64 bytes)
{
    guint64 seen_bytes = counter(migration, "seen_bytes");
    gint64 time_us = ferry_clock_now_us() - (gint64)counter(migration, "seen_us");

    if (seen_bytes == 0 || bytes < seen_bytes || time_us < BEFORE_MIN_US)
        return;
    change(migration, json_pack("{s:I}", "before_bytes_s",
                                (json_int_t)((double)(bytes - seen_bytes) * G_USEC_PER_SEC /
                                             (double)time_us)));
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

    if (counter(migration, "seen_bytes") == 0)
        return;
    measure_before(migration, written_bytes);
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

/* --- the first -------------------------------------------------------------------------------- */

static guint64
limit_bytes_s(const FerryMigration *migration)
{
    return ferry_migration_options(migration)->bandwidth_mibps << 20;
}

static bool
begins_synchronous(const FerryMigration *migration)
{
    const FerryOrderOptions *options = ferry_migration_options(migration);

    switch (options->disk_writes) {
    case FERRY_DISK_WRITES_SYNCHRONOUS:
        return true;
    case FERRY_DISK_WRITES_BACKGROUND:
        return false;
    case FERRY_DISK_WRITES_AUTO:
        break;
    }
    return ferry_disk_writes_exceed(counter(migration, "before_bytes_s"), limit_bytes_s(migration));
}

static void
look_again(FerryMigration *migration)
{
    if (counter(migration, "seen_bytes") > 0)
        measure_before(migration, written_bytes(migration));
}

void
ferry_disk_attempt_begin(FerryMigration *migration)
{
    look_again(migration);
    change(migration,
           json_pack("{s:s, s:i}", "mode",
                     begins_synchronous(migration) ? "synchronous" : "background", "attempts", 1));
}

/* --- seeds ------------------------------------------------------------------------------------ */

/* The overlays lie beside the images. */
static bool
has_room(const FerryMigration *migration, const GPtrArray *disks, guint64 bytes)
{
    guint64 reserved = ferry_migration_agent(migration)->config->reserved_bytes;

    for (guint i = 0; i < disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(disks, i);
        g_autofree char *folder = g_path_get_dirname(disk->source);
        struct statvfs space;

        if (statvfs(folder, &space) != 0 ||
            (guint64)space.f_bavail * space.f_frsize < reserved + MIN(bytes, disk->capacity_bytes))
            return false;
    }
    return true;
}

/* @room_bytes: what the overlays may grow to. */
static bool
are_seeds_worth(const FerryMigration *migration, FerrySeedWorth *worth, guint64 room_bytes)
{
    g_autoptr(GPtrArray) disks = ferry_storage_strategy_seedable(
        ferry_migration_instance(migration), ferry_migration_options(migration));

    for (guint i = 0; i < disks->len; i++)
        worth->image_bytes += ((const FerryDisk *)g_ptr_array_index(disks, i))->allocation_bytes;
    return ferry_seed_is_worth(worth) && has_room(migration, disks, room_bytes);
}

/* The checks may have been quick; the copy will not be. */
static void
await_rate(FerryMigration *migration)
{
    gint64 since_us = ferry_clock_now_us() - (gint64)counter(migration, "seen_us");

    if (since_us >= 0 && since_us < BEFORE_US)
        ferry_agent_pause(ferry_migration_agent(migration), (guint)((BEFORE_US - since_us) / 1000),
                          ferry_migration_cancellable(migration));
}

bool
ferry_disk_attempt_wants_seeds(FerryMigration *migration)
{
    FerrySeedWorth worth = {.link_bytes_s = limit_bytes_s(migration)};

    /* Whether it writes to the same places again and again nobody knows as yet; at the worst it
     * fills its disk. */
    if (ferry_migration_is_shut_off(migration) ||
        ferry_migration_options(migration)->disk_writes != FERRY_DISK_WRITES_AUTO ||
        !are_seeds_worth(migration, &worth, G_MAXUINT64))
        return false;
    await_rate(migration);
    look_again(migration);
    return begins_synchronous(migration);
}

bool
ferry_disk_attempt_may_seed(const FerryMigration *migration,
                            guint64 again_bytes,
                            guint64 link_bytes_s)
{
    FerrySeedWorth worth = {.again_bytes = again_bytes, .link_bytes_s = link_bytes_s};
    const FerryMigrateData *data = ferry_migration_migrate_data(migration);

    /* It may write to more by then. */
    return data && data->seeds_anew && are_seeds_worth(migration, &worth, 2 * again_bytes);
}

/* Returns: (transfer full) (nullable): the targets of what is to be seeded now. */
static json_t *
list_seeds(const FerryMigration *migration)
{
    g_autoptr(GPtrArray) disks = NULL;
    json_t *targets = NULL;

    if (!json_is_true(json_object_get(note_of(migration), "seeds")) ||
        ferry_disk_attempt_state(migration) != FERRY_DISK_ATTEMPT_ENDING)
        return NULL;
    disks = ferry_storage_strategy_seedable(ferry_migration_instance(migration),
                                            ferry_migration_options(migration));
    targets = json_array();
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

void
ferry_disk_attempt_end_first(FerryMigration *migration)
{
    change(migration, json_pack("{s:s, s:o}", "switching", "ending", "switched_at", now()));
    ferry_fault_point("second-attempt", "begin");
}

void
ferry_disk_attempt_end_for_seeds(FerryMigration *migration)
{
    change(migration, json_pack("{s:b}", "seeds", true));
    ferry_disk_attempt_end_first(migration);
}

static bool
is_here(const FerryAgent *agent, const FerryRecord *record, bool *ret_settled, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    FerryObservedState observed = connection
                                      ? ferry_virt_domain_observe(connection, record->instance_uuid)
                                      : FERRY_OBSERVED_UNREACHABLE;

    if (!connection)
        return false;
    *ret_settled = (observed == FERRY_OBSERVED_RUNNING || observed == FERRY_OBSERVED_PAUSED) &&
                   !ferry_virt_domain_is_busy(connection, record->instance_uuid);
    if (*ret_settled || observed == FERRY_OBSERVED_PAUSED_MIGRATION ||
        observed == FERRY_OBSERVED_RUNNING || observed == FERRY_OBSERVED_PAUSED)
        return true;
    ferry_set_error(
        error, FERRY_ERROR_INVALID_MIGRATION_STATE, "Look at the instance on both hosts",
        "After the first attempt of the transfer '%s' is on '%s' as '%s'", record->instance_name,
        record->source, ferry_observed_state_to_string(observed));
    return false;
}

/* The destination's word of what is prepared from now on. */
static bool
adopt(FerryMigration *migration, const json_t *answer, GError **error)
{
    json_t *told = json_object_get(answer, "migrate_data");

    ferry_migration_prefer_seeds(migration,
                                 "what the guest writes comes faster than a mirror copies it");
    if (!ferry_migration_set_migrate_data(migration, json_incref(told), error))
        return false;
    ferry_migration_adopt_volumes(migration);
    return true;
}

static bool
renew_images(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) args = json_pack("{s:s}", "migration_id", record->migration_id);
    g_autoptr(FerryJson) seeds = list_seeds(migration);

    if (seeds)
        json_object_set(args, "seeds", seeds);

    g_autoptr(FerryJson) answer =
        ferry_peer_call(agent,
                        &(FerryCall){.server = record->destination,
                                     .method = "renew_images",
                                     .args = json_incref(args),
                                     .timeout_ms = agent->config->outcome_timeout_s * 1000,
                                     .cancellable = ferry_migration_cancellable(migration)},
                        error);

    return answer && (!seeds || adopt(migration, answer, error));
}

/* Returns: true when @why passes while the first attempt ends there, too. */
static bool
passes(const GError *why, gint64 deadline_us)
{
    return g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE) &&
           g_get_monotonic_time() < deadline_us;
}

static bool
renew_when_clear(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);
    gint64 limit_us = (gint64)agent->config->outcome_timeout_s * G_USEC_PER_SEC;
    gint64 deadline_us = g_get_monotonic_time() + limit_us;

    for (;;) {
        bool settled = false;
        g_autoptr(GError) why = NULL;

        /* Here first: an instance that has left is nobody's to wait for. */
        if (!is_here(agent, record, &settled, error))
            return false;
        if (settled && renew_images(migration, &why))
            return true;
        if (why && !passes(why, deadline_us)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        if (!why && g_get_monotonic_time() >= deadline_us) {
            ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look at libvirt's log there",
                            "The first attempt of the transfer has not ended on '%s' in %u s",
                            record->source, agent->config->outcome_timeout_s);
            return false;
        }
        ferry_agent_pause(agent, PAUSE_MS, ferry_migration_cancellable(migration));
        if (g_cancellable_is_cancelled(ferry_migration_cancellable(migration))) {
            ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL,
                            "The migration was aborted by order");
            return false;
        }
    }
}

bool
ferry_disk_attempt_begin_second(FerryMigration *migration, GError **error)
{
    g_message("Migration '%s': the transfer begins once more, with synchronous writes",
              ferry_migration_id(migration));
    g_autoptr(FerryJson) seeds = list_seeds(migration);

    if (!renew_when_clear(migration, error))
        return false;
    /* The first one is over for good: a job that is seen from here on is the second's. */
    change(migration, json_pack("{s:s, s:s, s:i}", "switching", seeds ? "seeding" : "beginning",
                                "mode", "synchronous", "attempts", 2));
    ferry_fault_point("second-attempt", "end");
    return true;
}

void
ferry_disk_attempt_note_seeded(FerryMigration *migration)
{
    change(migration, json_pack("{s:s}", "switching", "beginning"));
}

void
ferry_disk_attempt_note_second(FerryMigration *migration)
{
    static const char *const keys[] = {"switching", NULL};

    forget(migration, keys);
}

void
ferry_disk_attempt_finish(FerryMigration *migration)
{
    static const char *const keys[] = {"switching", "seeds", "seen_bytes", "seen_us", NULL};

    if (note_of(migration))
        forget(migration, keys);
}
