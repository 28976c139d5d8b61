/* A preparation that nobody used until its lease ended (lease.c) is rolled back. */
#include "config.h"

#include "destination/destination-private.h"
#include "destination/image.h"
#include "ferry/clock.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "virt/auto.h"
#include "virt/virt.h"

static void
roll_back(FerryDestination *self, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_destination_roll_back(self, migration_id, &error);

    if (answer)
        g_message("Migration '%s': nobody used the preparation in time; rolled back", migration_id);
    else
        g_message("Migration '%s': the lease is over, but: %s", migration_id, error->message);
}

/* A seed takes as long as its data: a preparation that is written to is used. */
static bool
is_filling(FerryDestination *self, const FerryRecord *record)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, NULL);

    return connection &&
           ferry_image_is_filling(self->agent, connection, record->migration_id,
                                  record->expires_us - ferry_destination_lease_us(self));
}

/* The instance is here or libvirt cannot tell: look again after another lease's time. */
static void
extend(FerryDestination *self, const char *migration_id)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_DESTINATION, &error);

    if (!record || ferry_status_is_terminal(record->status))
        return;
    ferry_destination_renew_lease(self, record);
    if (!ferry_journal_save(self->agent->journal, record, NULL, &error))
        g_warning("Migration '%s': cannot extend the lease: %s", migration_id, error->message);
}

static void
end_overdue(FerryDestination *self)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(self->agent->journal, NULL);
    gint64 now = ferry_clock_now_us();

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (record->expires_us == 0 || record->expires_us > now)
            continue;
        if (!is_filling(self, record))
            roll_back(self, record->migration_id);
        extend(self, record->migration_id);
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
