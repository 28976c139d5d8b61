#include "config.h"

#include "destination/volume-preparation.h"

#include "ferry/error.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "runtime/fault-point.h"
#include "virt/block.h"
#include "virt/domain.h"
#include "virt/pool.h"
#include "virt/volume.h"

#include <string.h>

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *migration_id;
    const FerryDisk *disk;
    const char *path;
} Preparing;

static bool
refuse_existing(const char *path, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                    "Look whose it is and delete it (virsh vol-delete); virt-ferry never "
                    "overwrites a volume that it has not made for the same migration",
                    "The volume '%s' is there already", path);
    return false;
}

/* Exactly the size, or QEMU refuses after the whole set-up. */
static bool
verify(const Preparing *self, FerryBlockVolume *ret_volume, GError **error)
{
    if (ferry_virt_block_presence(self->connection, self->path, ret_volume, error) !=
        FERRY_PRESENCE_ACTIVE) {
        if (error && !*error)
            ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL,
                            "The new volume '%s' is gone again", self->path);
        return false;
    }
    if (ret_volume->capacity_bytes == self->disk->capacity_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Use a volume group whose extents have the size of the source's, or a part of "
                    "it; or extend the volume on the source to what was made here",
                    "The new volume '%s' has %" G_GUINT64_FORMAT
                    " bytes, the disk %" G_GUINT64_FORMAT,
                    self->path, ret_volume->capacity_bytes, self->disk->capacity_bytes);
    return false;
}

/* Journal the intention, do the deed, journal that it is done, and to which volume. */
static bool
make(const Preparing *self, const char *pool, GError **error)
{
    FerryJournal *journal = self->agent->journal;
    gint64 id = 0;
    g_auto(FerryBlockVolume) volume = {0};

    if (!ferry_journal_creation_add(journal, self->migration_id, FERRY_CREATION_BLOCK_VOLUME, pool,
                                    self->path, &id, error))
        return false;
    ferry_fault_point("image", "begin");
    if (!ferry_virt_block_create(self->connection, self->path, self->disk->capacity_bytes, error)) {
        /* Somebody was faster: it is not ours, so the intention must not claim it. */
        if (error && g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS) &&
            !ferry_journal_creation_set(journal, id, FERRY_CREATION_REMOVED, "not ours", NULL))
            g_warning("Cannot take back the claim on '%s' in the journal", self->path);
        return false;
    }
    ferry_fault_point("image", "end");
    return verify(self, &volume, error) &&
           ferry_journal_creation_set(journal, id, FERRY_CREATION_MADE, volume.key, error);
}

/* Ours from a run that was cut short: nothing was there when the intention was noted. */
static bool
take(const Preparing *self, const FerryCreation *before, GError **error)
{
    g_auto(FerryBlockVolume) volume = {0};

    if (!verify(self, &volume, error))
        return false;
    if (before->detail)
        return strcmp(before->detail, volume.key) == 0 || refuse_existing(self->path, error);
    return ferry_journal_creation_set(self->agent->journal, before->id, FERRY_CREATION_MADE,
                                      volume.key, error);
}

bool
ferry_volume_prepare(const FerryAgent *agent,
                     virConnectPtr connection,
                     const char *migration_id,
                     const GPtrArray *creations,
                     const FerryDisk *disk,
                     char **ret_pool,
                     GError **error)
{
    g_autofree char *path = NULL;
    g_auto(FerryBlockVolume) there = {0};

    if (!ferry_disk_path_check(disk, (const char *const *)agent->config->allowed_paths, &path,
                               error))
        return false;

    const Preparing self = {agent, connection, migration_id, disk, path};
    const FerryCreation *before =
        ferry_creations_find(creations, FERRY_CREATION_BLOCK_VOLUME, path);
    FerryPresence presence = ferry_virt_block_presence(connection, path, &there, error);

    if (presence == FERRY_PRESENCE_UNKNOWN)
        return false;
    if (presence == FERRY_PRESENCE_ABSENT ? !make(&self, there.pool, error)
        : before                          ? !take(&self, before, error)
                                          : !refuse_existing(path, error))
        return false;
    *ret_pool = g_steal_pointer(&there.pool);
    return true;
}

bool
ferry_volume_undo(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    g_auto(FerryBlockVolume) volume = {0};

    ferry_virt_folder_refresh(connection, creation->path);
    switch (ferry_virt_block_presence(connection, creation->path, &volume, error)) {
    case FERRY_PRESENCE_ABSENT:
        return true;
    case FERRY_PRESENCE_INACTIVE:
    case FERRY_PRESENCE_UNKNOWN:
        return false;
    case FERRY_PRESENCE_ACTIVE:
        break;
    }
    if (creation->detail && strcmp(creation->detail, volume.key) != 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look whose it is",
                        "'%s' is another volume than the one that was made", creation->path);
        return false;
    }
    return ferry_virt_path_check_unused(connection, creation->path, error) &&
           ferry_virt_volume_delete(connection, creation->path, error);
}
