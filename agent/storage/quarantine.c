#include "config.h"

#include "storage/quarantine.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/lock.h"
#include "files/held-file.h"
#include "peer/location.h"
#include "runtime/expiry-timer.h"
#include "runtime/fault-point.h"
#include "storage/quarantine-private.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/pool.h"
#include "virt/virt.h"
#include "virt/volume.h"

/* What is over and has to stay is looked at again after as long as it was to stay, but so often. */
#define LOOK_AGAIN_MAX_S 600

struct FerryQuarantine {
    const FerryAgent *agent; /* immutable */
    FerryExpiryTimer *clock; /* set on main before others use us */
    GMutex operation_lock;   /* one order or expiry at a time; held while others are asked */
};

/* --- what every order looks at first ---------------------------------------------------------- */

static GPtrArray *
find(FerryQuarantine *self, const char *migration_id, GError **error)
{
    GPtrArray *files = ferry_journal_quarantine_list(self->agent->journal, migration_id, error);

    if (!files || files->len > 0)
        return files;
    g_ptr_array_unref(files);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND,
                    "list_quarantined_disks names those that there are",
                    "The migration '%s' has put nothing in quarantine on this host", migration_id);
    return NULL;
}

static bool
refuse_state(const GPtrArray *files, GError **error)
{
    bool deleted = ferry_quarantine_state_of(files) == FERRY_QUARANTINE_DELETED;

    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    deleted ? NULL : "Ask again when it is held; see list_quarantined_disks",
                    "The quarantine of '%s' is %s", ferry_quarantine_first(files)->instance_name,
                    ferry_quarantine_state_to_string(ferry_quarantine_state_of(files)));
    return false;
}

/* --- restoring -------------------------------------------------------------------------------- */

static bool
refuse_running(const FerryQuarantined *file,
               const char *host,
               FerryObservedState observed,
               GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INSTANCE_INVALID_STATE,
                    "Two copies of it would run; end it there first if the old one is wanted",
                    "The instance '%s' is not ended: '%s' shows it as '%s'", file->instance_name,
                    host, ferry_observed_state_to_string(observed));
    return false;
}

/* Shut off since it migrated away it does not run here; whether it does elsewhere is asked
 * there. */
static bool
is_dead_here(FerryQuarantine *self,
             virConnectPtr connection,
             const FerryQuarantined *file,
             GError **error)
{
    FerryObservedState here = ferry_virt_domain_observe(connection, file->instance_uuid);

    if (ferry_observed_state_is_dead(here))
        return true;
    if (ferry_observed_state_may_run(here))
        return refuse_running(file, self->agent->config->host, here, error);
    ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE, "Send the order again",
                    "Whether the instance '%s' runs here cannot be seen", file->instance_name);
    return false;
}

static bool
runs_nowhere(FerryQuarantine *self,
             virConnectPtr connection,
             const FerryQuarantined *file,
             bool force,
             bool *ret_defined_elsewhere,
             GError **error)
{
    g_auto(FerryLocation) found =
        ferry_location_find(self->agent, file->destination, file->instance_uuid);

    *ret_defined_elsewhere = found.observed == FERRY_OBSERVED_SHUT_OFF;
    if (!is_dead_here(self, connection, file, error))
        return false;
    if (ferry_observed_state_may_run(found.observed))
        return refuse_running(file, found.host, found.observed, error);
    if (found.observed != FERRY_OBSERVED_UNREACHABLE || force)
        return true;
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE,
                    "Make sure that it does not run there (power the host off), then order it with "
                    "force",
                    "Whether the instance '%s' runs on '%s' cannot be known", file->instance_name,
                    found.host);
    return false;
}

static bool
way_is_free(FerryQuarantine *self, const FerryQuarantined *file, GError **error)
{
    g_autoptr(GError) why = NULL;
    FerryOwnFileSeen seen = ferry_held_file_look(self->agent, file, file->path, &why);

    if (seen == FERRY_OWN_FILE_OURS)
        return true;
    if (seen != FERRY_OWN_FILE_GONE) {
        ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                        "Look whose it is and move it away; nothing was changed",
                        "'%s' is there already", file->path);
        return false;
    }
    if (ferry_held_file_look(self->agent, file, file->held_path, NULL) == FERRY_OWN_FILE_OURS)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look for it; nothing was changed",
                    "'%s' is gone, or another file has its name", file->held_path);
    return false;
}

/* Before the first is touched: a restore that stops half-way helps nobody. */
static bool
ways_are_free(FerryQuarantine *self, const GPtrArray *files, GError **error)
{
    for (guint i = 0; i < files->len; i++)
        if (!way_is_free(self, g_ptr_array_index(files, i), error))
            return false;
    return true;
}

/* @autostart: that of two copies which are defined both would not be started at boot. */
static bool
bring_back(FerryQuarantine *self,
           virConnectPtr connection,
           const GPtrArray *files,
           bool autostart,
           GError **error)
{
    const FerryQuarantined *first = ferry_quarantine_first(files);
    FerryJournal *journal = self->agent->journal;

    if (!ferry_journal_quarantine_set(journal, first->migration_id, NULL,
                                      FERRY_QUARANTINE_RESTORING, NULL, error))
        return false;
    for (guint i = 0; i < files->len; i++) {
        const FerryQuarantined *file = g_ptr_array_index(files, i);

        ferry_fault_point("restore", "begin");
        if (!ferry_held_file_bring_back(self->agent, file, error))
            return false;
        ferry_fault_point("restore", "end");
        ferry_virt_folder_refresh(connection, file->path);
    }
    if (!ferry_virt_definition_restore(self->agent, connection, first->migration_id,
                                       first->instance_uuid, autostart, error) ||
        !ferry_journal_quarantine_set(journal, first->migration_id, NULL, FERRY_QUARANTINE_RESTORED,
                                      NULL, error))
        return false;
    ferry_virt_definition_forget(self->agent, first->migration_id);
    return true;
}

static json_t *
answer_ended(FerryQuarantine *self, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) files = find(self, migration_id, error);

    return files ? ferry_quarantine_to_json(files) : NULL;
}

json_t *
ferry_quarantine_restore(FerryQuarantine *self,
                         const char *migration_id,
                         bool force,
                         GError **error)
{
    FERRY_LOCK_SCOPE(&self->operation_lock);
    g_autoptr(GPtrArray) files = find(self, migration_id, error);

    if (!files)
        return NULL;

    FerryQuarantineState state = ferry_quarantine_state_of(files);

    if (state == FERRY_QUARANTINE_RESTORED)
        return ferry_quarantine_to_json(files);
    if (state != FERRY_QUARANTINE_HELD && state != FERRY_QUARANTINE_RESTORING) {
        refuse_state(files, error);
        return NULL;
    }

    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);
    bool defined_elsewhere = false;

    if (!connection ||
        !runs_nowhere(self, connection, ferry_quarantine_first(files), force, &defined_elsewhere,
                      error) ||
        !ways_are_free(self, files, error) ||
        !bring_back(self, connection, files, !defined_elsewhere, error))
        return NULL;
    g_message("Migration '%s': the disks of '%s' are back from quarantine", migration_id,
              ferry_quarantine_first(files)->instance_name);
    return answer_ended(self, migration_id, error);
}

/* --- deleting --------------------------------------------------------------------------------- */

static bool
delete_files(FerryQuarantine *self, const GPtrArray *files, GError **error)
{
    const FerryQuarantined *first = ferry_quarantine_first(files);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection)
        return false;
    for (guint i = 0; i < files->len; i++) {
        const FerryQuarantined *file = g_ptr_array_index(files, i);
        g_autofree char *user = NULL;

        if (ferry_virt_path_is_used(connection, file->held_path, NULL, &user)) {
            ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look at that instance",
                            "'%s' is in use by '%s'", file->held_path, user);
            return false;
        }
        ferry_fault_point("release", "begin");
        if (!ferry_held_file_delete(self->agent, file, connection, error))
            return false;
        ferry_fault_point("release", "end");
    }
    if (!ferry_journal_quarantine_set(self->agent->journal, first->migration_id, NULL,
                                      FERRY_QUARANTINE_DELETED, NULL, error))
        return false;
    ferry_virt_definition_forget(self->agent, first->migration_id);
    g_message("Migration '%s': the disks of '%s' in quarantine are deleted", first->migration_id,
              first->instance_name);
    return true;
}

static bool
is_alive(FerryQuarantine *self, const FerryQuarantined *file, GError **error)
{
    g_auto(FerryLocation) found =
        ferry_location_find(self->agent, file->destination, file->instance_uuid);

    if (found.observed == FERRY_OBSERVED_RUNNING)
        return true;
    ferry_set_error(
        error,
        found.observed == FERRY_OBSERVED_UNREACHABLE ? FERRY_ERROR_DESTINATION_UNREACHABLE
                                                     : FERRY_ERROR_INSTANCE_INVALID_STATE,
        "The old disks may be all that is left of it: restore them, or order to delete "
        "them with force",
        "The instance '%s' is not seen running: '%s' shows it as '%s'", file->instance_name,
        found.host, ferry_observed_state_to_string(found.observed));
    return false;
}

json_t *
ferry_quarantine_delete(FerryQuarantine *self, const char *migration_id, bool force, GError **error)
{
    FERRY_LOCK_SCOPE(&self->operation_lock);
    g_autoptr(GPtrArray) files = find(self, migration_id, error);

    if (!files)
        return NULL;
    if (ferry_quarantine_state_of(files) == FERRY_QUARANTINE_DELETED)
        return ferry_quarantine_to_json(files);
    if (ferry_quarantine_state_of(files) != FERRY_QUARANTINE_HELD) {
        refuse_state(files, error);
        return NULL;
    }
    if ((!force && !is_alive(self, ferry_quarantine_first(files), error)) ||
        !delete_files(self, files, error))
        return NULL;
    return answer_ended(self, migration_id, error);
}

/* --- the end of the time ---------------------------------------------------------------------- */

/* Says why it stays, and says it once. */
static void
keep(FerryQuarantine *self, const FerryQuarantined *file, const GError *why)
{
    g_autoptr(GError) error = NULL;

    if (g_strcmp0(file->detail, why->message) == 0)
        return;
    g_message("Migration '%s': the time of the quarantine is over, but the disks stay: %s",
              file->migration_id, why->message);
    if (!ferry_journal_quarantine_set(self->agent->journal, file->migration_id, NULL,
                                      FERRY_QUARANTINE_HELD, why->message, &error))
        g_warning("Migration '%s': %s", file->migration_id, error->message);
}

/* The others were asked without the lock, since a host that is lost is slow to answer, and just
 * then somebody orders a restore: so what is there is looked at anew. Returns: true when it is
 * gone. */
static bool
end_held(FerryQuarantine *self, const char *migration_id, bool alive, GError **error)
{
    FERRY_LOCK_SCOPE(&self->operation_lock);
    g_autoptr(GPtrArray) files = find(self, migration_id, NULL);

    if (!files || ferry_quarantine_state_of(files) != FERRY_QUARANTINE_HELD)
        return false;
    if (alive && delete_files(self, files, error))
        return true;
    keep(self, ferry_quarantine_first(files), *error);
    return false;
}

static gint64
look_again_at(const FerryQuarantine *self)
{
    gint64 again_s = MIN(self->agent->config->quarantine_s, LOOK_AGAIN_MAX_S);

    return ferry_clock_now_us() + again_s * G_USEC_PER_SEC;
}

/* Returns: when to look at it again; 0 when it is gone. */
static gint64
expire_one(FerryQuarantine *self, const GPtrArray *files)
{
    const FerryQuarantined *file = ferry_quarantine_first(files);
    g_autoptr(GError) why = NULL;

    if (file->until_us > ferry_clock_now_us())
        return file->until_us;
    if (ferry_quarantine_state_of(files) == FERRY_QUARANTINE_HELD) {
        bool alive = is_alive(self, file, &why);

        if (end_held(self, file->migration_id, alive, &why))
            return 0;
    }
    return look_again_at(self);
}

static gint64
expire(gpointer data)
{
    FerryQuarantine *self = data;
    g_autoptr(GPtrArray) files = ferry_journal_quarantine_list(self->agent->journal, NULL, NULL);
    g_autoptr(GPtrArray) groups = files ? ferry_quarantine_by_migration(files) : NULL;
    gint64 next_us = groups ? 0 : look_again_at(self);

    for (guint i = 0; groups && i < groups->len; i++) {
        gint64 at_us = expire_one(self, g_ptr_array_index(groups, i));

        if (at_us != 0 && (next_us == 0 || at_us < next_us))
            next_us = at_us;
    }
    return next_us;
}

/* --- life ------------------------------------------------------------------------------------- */

FerryQuarantine *
ferry_quarantine_new(const FerryAgent *agent)
{
    FerryQuarantine *self = g_new0(FerryQuarantine, 1);

    self->agent = agent;
    g_mutex_init(&self->operation_lock);
    return self;
}

void
ferry_quarantine_start(FerryQuarantine *self)
{
    self->clock = ferry_expiry_timer_new("vf-quarantine", expire, self);
}

void
ferry_quarantine_changed(FerryQuarantine *self)
{
    if (self->clock)
        ferry_expiry_timer_wake(self->clock);
}

void
ferry_quarantine_free(FerryQuarantine *self)
{
    if (!self)
        return;
    ferry_expiry_timer_free(self->clock);
    g_mutex_clear(&self->operation_lock);
    g_free(self);
}
