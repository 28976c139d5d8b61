/* destination-private.h: what the files of the destination's side share; nobody else's business.
 *
 * Threads: as destination.h.
 */
#pragma once

#include "destination/destination.h"
#include "destination/import.h"
#include "destination/migration-lock.h"
#include "journal/record.h"

struct FerryDestination {
    const FerryAgent *agent;    /* immutable */
    FerryImports *imports;      /* immutable pointer; thread-safe by itself */
    FerryMigrationLocks *locks; /* immutable pointer; thread-safe by itself */
    GMutex admission;           /* held while slot, space and memory are counted and taken; guards
                                   nothing in memory, but what the journal promises to others */
    FerryMigrationLocks *looks; /* immutable pointer; thread-safe by itself: looks at the room */
};

/** Saves @record in @status, with the event that tells of it. */
bool ferry_destination_enter(FerryDestination *self,
                             FerryRecord *record,
                             FerryStatus status,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Undoes what was made for @record and ends it: rolled back, or in error with what had to stay.
 * @error: libvirt or the journal could not be asked; call again */
bool ferry_destination_undo_record(FerryDestination *self,
                                   virConnectPtr connection,
                                   FerryRecord *record,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the record of a migration that is prepared, and a connection. Who asks
 * needs the preparation for longer: it has a whole lease's time again.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE unless it is prepared */
FerryRecord *ferry_destination_open_prepared(FerryDestination *self,
                                             const char *migration_id,
                                             virConnectPtr *ret_connection,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: how long a lease is, in microseconds. */
gint64 ferry_destination_lease_us(const FerryDestination *self);

/** From now on @record has a whole lease's time; the caller saves it. */
void ferry_destination_renew_lease(const FerryDestination *self, FerryRecord *record);
