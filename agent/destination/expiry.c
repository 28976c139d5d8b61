/* A preparation that nobody used until its lease ended (lease.c) is rolled back, where it is
 * certain that nothing came of it; otherwise all of it stays, in error. */
#include "config.h"

#include "destination/arrival-watch.h"
#include "destination/destination-private.h"
#include "destination/image.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "journal/journal.h"
#include "virt/auto.h"
#include "virt/virt.h"

/* A seed takes as long as its data: a preparation that is written to is used. */
static bool
is_filling(FerryDestination *self, virConnectPtr connection, const FerryRecord *record)
{
    return ferry_image_is_filling(self->agent, connection, record->migration_id,
                                  record->expires_us - ferry_destination_lease_us(self));
}

/* Its source alone knows what became of it, and may say so later: finish and roll back are heard
 * of a record in error, too. */
static bool
keep(FerryDestination *self, FerryRecord *record, const FerryArrivalNote *note, GError **error)
{
    bool came = note->stage == FERRY_ARRIVAL_CAME;
    g_autoptr(GError) why = ferry_error_new(
        FERRY_ERROR_OUTCOME_UNKNOWN,
        "Start virt-ferryd on the source: it asks both hosts and ends the migration. Where the "
        "source is lost, look at the images here and keep or delete them by hand",
        came ? "The instance '%s' came to '%s' and is not alive there any more, and its source has "
               "not said that the migration is over; nothing was removed"
             : "The instance '%s' may have come to '%s', and its source has not said what became "
               "of it; nothing was removed",
        record->instance_name, record->destination);

    if (!ferry_journal_arrival_reach(self->agent->journal, record->migration_id,
                                     FERRY_ARRIVAL_BEGUN, error))
        return false;
    g_message("Migration '%s': the lease is over: %s", record->migration_id, why->message);
    ferry_record_take(&record->error, ferry_error_to_json(why));
    record->expires_us = 0;
    return ferry_destination_enter(self, record, FERRY_STATUS_ERROR, error);
}

/* Returns: true when the record is ended; false: nothing was done, and @error may say why. */
static bool
end(FerryDestination *self, FerryRecord *record, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);
    FerryObservedState observed = FERRY_OBSERVED_UNREACHABLE;
    FerryArrivalNote note = {0};

    if (!connection || is_filling(self, connection, record) ||
        !ferry_arrival_look(self->agent, connection, record, &observed, &note, error) ||
        !ferry_observed_state_is_dead(observed))
        return false;
    if (ferry_arrival_may_have_been(self->agent, connection, record, &note))
        return keep(self, record, &note, error);
    if (!ferry_destination_undo_record(self, connection, record, error))
        return false;
    g_message("Migration '%s': nobody used the preparation in time; rolled back",
              record->migration_id);
    return true;
}

/* The instance is here, or nobody can tell: look again after another lease's time. */
static void
extend(FerryDestination *self, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_DESTINATION, &error);

    if (!record || ferry_status_is_terminal(record->status))
        return;
    ferry_destination_renew_lease(self, record);
    if (!ferry_journal_save(self->agent->journal, record, NULL, &error))
        g_warning("Migration '%s': cannot extend the lease: %s", migration_id, error->message);
}

static bool
is_overdue(const FerryRecord *record)
{
    return !ferry_status_is_terminal(record->status) && record->expires_us > 0 &&
           record->expires_us <= ferry_clock_now_us();
}

/* What was overdue when it was listed may have been used, or ended, since. */
static void
end_if_overdue(FerryDestination *self, const char *migration_id)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_DESTINATION, NULL);

    if (!record || !is_overdue(record) || end(self, record, &error))
        return;
    if (error)
        g_message("Migration '%s': the lease is over, but: %s", migration_id, error->message);
    extend(self, migration_id);
}

static void
end_overdue(FerryDestination *self)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(self->agent->journal, NULL);

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (is_overdue(record))
            end_if_overdue(self, record->migration_id);
    }
}

static gint64
next_end(const FerryDestination *self)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(self->agent->journal, NULL);
    gint64 next = 0;

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (record->expires_us > 0 && (next == 0 || record->expires_us < next))
            next = record->expires_us;
    }
    return next;
}

gint64
ferry_destination_expire(gpointer destination)
{
    end_overdue(destination);
    return next_end(destination);
}
