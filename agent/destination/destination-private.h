/* destination-private.h: what the files of the destination's side share; nobody else's business.
 *
 * Threads: as destination.h.
 */
#pragma once

#include "destination/destination.h"
#include "destination/import.h"
#include "journal/record.h"

struct FerryDestination {
    const FerryAgent *agent;
    FerryImports *imports;

    GMutex admission; /* held while a slot is counted and taken */

    GMutex lock;
    GCond changed;
    GHashTable *busy; /* guarded by lock; ids of migrations that a call works on */
};

/* Calls for one migration follow each other; held as long as it lives. */
typedef struct {
    FerryDestination *destination;
    const char *migration_id;
} FerryMigrationLock;

FerryMigrationLock ferry_migration_lock_take(FerryDestination *self, const char *migration_id);
void ferry_migration_lock_release(FerryMigrationLock *lock);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryMigrationLock, ferry_migration_lock_release)

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
