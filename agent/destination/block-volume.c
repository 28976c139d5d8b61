#include "config.h"

#include "destination/block-volume.h"

#include "ferry/error.h"
#include "runtime/fault-point.h"
#include "virt/block.h"
#include "virt/domain.h"
#include "virt/pool.h"
#include "virt/volume.h"

static bool
refuse_existing(const char *path, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                    "Look whose it is and delete it (virsh vol-delete); virt-ferry never "
                    "overwrites a volume that it has not made for the same migration",
                    "The volume '%s' is there already", path);
    return false;
}

static bool
look(const FerryPreparation *preparation,
     const FerryImagePlan *plan,
     FerryBlockVolume *ret_volume,
     GError **error)
{
    g_autoptr(GError) why = NULL;

    if (ferry_virt_block_presence(preparation->connection, plan->path, ret_volume, &why) !=
        FERRY_PRESENCE_ACTIVE) {
        if (!why)
            ferry_set_error(&why, FERRY_ERROR_MIGRATION_ERROR, NULL,
                            "The new volume '%s' is gone again", plan->path);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return true;
}

/* Exactly the size, or QEMU refuses after the whole set-up. */
static bool
check_size(const FerryImagePlan *plan, const FerryBlockVolume *volume, GError **error)
{
    guint64 wanted_bytes = plan->disk->capacity_bytes;

    if (volume->capacity_bytes == wanted_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Use a volume group whose extents have the size of the source's, or a part of "
                    "it; or extend the volume on the source to what was made here",
                    "The new volume '%s' has %" G_GUINT64_FORMAT
                    " bytes, the disk %" G_GUINT64_FORMAT,
                    plan->path, volume->capacity_bytes, wanted_bytes);
    return false;
}

static bool
create(const FerryPreparation *preparation,
       const FerryImagePlan *plan,
       const char *pool,
       GError **error)
{
    gint64 id = 0;
    g_autoptr(GError) why = NULL;
    g_auto(FerryBlockVolume) volume = {0};

    const FerryIntention intention = {
        .kind = FERRY_CREATION_BLOCK_VOLUME, .pool = pool, .path = plan->path};

    if (!ferry_preparation_intend(preparation, &intention, &id, error))
        return false;
    ferry_fault_point("image", "begin");
    if (!ferry_virt_block_create(preparation->connection, plan->path, plan->disk->capacity_bytes,
                                 &why)) {
        ferry_preparation_note_failed(preparation, id, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    ferry_fault_point("image", "end");
    return look(preparation, plan, &volume, error) &&
           ferry_preparation_note_made(preparation, id, volume.key, error) &&
           check_size(plan, &volume, error);
}

/* One that an earlier run made, which was cut short. Where it ended before it could note which
 * volume it had made, nothing proves that this is it. */
static bool
use_existing(const FerryPreparation *preparation, const FerryImagePlan *plan, GError **error)
{
    g_auto(FerryBlockVolume) volume = {0};
    const FerryCreation *before =
        ferry_preparation_find(preparation, FERRY_CREATION_BLOCK_VOLUME, plan->path);

    if (!before || !before->detail)
        return refuse_existing(plan->path, error);
    return look(preparation, plan, &volume, error) &&
           (g_strcmp0(before->detail, volume.key) == 0 || refuse_existing(plan->path, error)) &&
           check_size(plan, &volume, error);
}

char *
ferry_block_volume_ensure(const FerryPreparation *preparation,
                          const FerryImagePlan *plan,
                          GError **error)
{
    g_auto(FerryBlockVolume) found = {0};
    FerryPresence presence =
        ferry_virt_block_presence(preparation->connection, plan->path, &found, error);

    if (presence == FERRY_PRESENCE_UNKNOWN ||
        !(presence == FERRY_PRESENCE_ABSENT ? create(preparation, plan, found.pool, error)
                                            : use_existing(preparation, plan, error)))
        return NULL;
    return g_steal_pointer(&found.pool);
}

bool
ferry_block_volume_undo(virConnectPtr connection, const FerryCreation *creation, GError **error)
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
    if (g_strcmp0(creation->detail, volume.key) != 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Look whose it is; delete it by hand when nobody needs it",
                        creation->detail ? "'%s' is another volume than the one that was made"
                                         : "Nothing proves that '%s' was made by this migration",
                        creation->path);
        return false;
    }
    return ferry_virt_path_check_unused(connection, creation->path, error) &&
           ferry_virt_volume_delete(connection, creation->path, error);
}
