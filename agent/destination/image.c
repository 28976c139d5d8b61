#include "config.h"

#include "destination/image.h"

#include "destination/pool.h"
#include "ferry/error.h"
#include "files/own-file.h"
#include "model/overlay.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "storage/leftover.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/volume.h"

#include <string.h>

/* --- the file of a row ------------------------------------------------------------------------ */

/* What it is noted with, so that one that nobody has written to is known. */
static char *
describe(const FerryNewImage *image)
{
    return g_strdup_printf("%s %" G_GUINT64_FORMAT, image->format, image->capacity_bytes);
}

/* Nothing of anybody's can be in it: it is what creating an image leaves, and no more. */
static bool
is_untouched(virConnectPtr connection, const FerryCreation *creation)
{
    g_auto(FerryImage) found = {0};
    g_auto(GStrv) words = g_strsplit(creation->detail ? creation->detail : "", " ", 2);

    if (g_strv_length(words) != 2 ||
        !ferry_virt_image_info(connection, creation->path, words[0], &found, NULL) ||
        found.capacity_bytes != g_ascii_strtoull(words[1], NULL, 10))
        return false;
    return strcmp(words[0], "qcow2") == 0
               ? found.file_bytes > 0 && found.file_bytes <= found.qcow2.tables_end_bytes
               : found.allocation_bytes == 0;
}

static FerryOwnFile
own_file(const FerryAgent *agent, const FerryCreation *creation)
{
    return (FerryOwnFile){
        .agent = agent,
        .migration_id = creation->migration_id,
        .path = creation->path,
    };
}

/* Where the agent ended between making and noting, no identity proves that the file is ours; that
 * it is exactly what was to be made, and empty, does as well: with it nothing can be lost. */
static FerryOwnFileSeen
look(const FerryAgent *agent, virConnectPtr connection, const FerryCreation *creation)
{
    const FerryOwnFile file = own_file(agent, creation);
    FerryOwnFileSeen seen = ferry_own_file_look(&file, /* why= */ NULL);
    g_autoptr(GError) error = NULL;

    if (seen != FERRY_OWN_FILE_UNKNOWN || creation->state != FERRY_CREATION_INTENDED ||
        !is_untouched(connection, creation))
        return seen;
    if (ferry_own_file_note(&file, &error))
        return ferry_own_file_look(&file, /* why= */ NULL);
    g_warning("Migration '%s': '%s' is not noted: %s", creation->migration_id, creation->path,
              error->message);
    return seen;
}

/* --- making ----------------------------------------------------------------------------------- */

static bool
clear_the_way(const FerryPreparation *preparation, const char *path, GError **error)
{
    const FerryArrival arrival = {
        .agent = preparation->agent,
        .connection = preparation->connection,
        .migration_id = preparation->migration_id,
        .instance_uuid = preparation->instance->uuid,
    };
    bool was_leftover = false;

    if (ferry_path_presence(path) != FERRY_PATH_THERE)
        return true;
    if (!ferry_leftover_set_aside(&arrival, path, &was_leftover, error))
        return false;
    if (was_leftover)
        return true;
    ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                    "Look whose it is and move it away; virt-ferry never overwrites a file that "
                    "it does not know",
                    "The file '%s' is there already", path);
    return false;
}

static bool
create(const FerryPreparation *preparation,
       virStoragePoolPtr pool,
       const FerryNewImage *image,
       GError **error)
{
    gint64 id = 0;
    g_autoptr(GError) why = NULL;
    g_autofree char *detail = describe(image);
    const FerryIntention intention = {.kind = FERRY_CREATION_VOLUME,
                                      .pool = virStoragePoolGetName(pool),
                                      .path = image->path,
                                      .detail = detail};

    if (!clear_the_way(preparation, image->path, error) ||
        !ferry_preparation_intend(preparation, &intention, &id, error))
        return false;
    ferry_fault_point("image", "begin");
    if (!ferry_virt_volume_create(pool, image, &why)) {
        ferry_preparation_note_failed(preparation, id, why);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    ferry_fault_point("image", "end");
    return ferry_preparation_note_file(preparation, id, image->path, detail, error);
}

/* Made by an earlier run that was cut short. */
static bool
is_made(const FerryPreparation *preparation,
        const FerryCreation *before,
        const FerryNewImage *image)
{
    g_auto(FerryImage) found = {0};

    return look(preparation->agent, preparation->connection, before) == FERRY_OWN_FILE_OURS &&
           ferry_virt_image_info(preparation->connection, image->path, image->format, &found,
                                 NULL) &&
           found.capacity_bytes == image->capacity_bytes;
}

/* Exactly the size, or QEMU refuses after the whole set-up. */
static bool
verify(const FerryPreparation *preparation, const FerryNewImage *image, GError **error)
{
    g_auto(FerryImage) found = {0};

    if (!ferry_virt_image_info(preparation->connection, image->path, image->format, &found, error))
        return false;
    if (found.capacity_bytes == image->capacity_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL,
                    "The new image '%s' has %" G_GUINT64_FORMAT
                    " bytes, the disk %" G_GUINT64_FORMAT,
                    image->path, found.capacity_bytes, image->capacity_bytes);
    return false;
}

static bool
ensure(const FerryPreparation *preparation,
       virStoragePoolPtr pool,
       const FerryNewImage *image,
       GError **error)
{
    const FerryCreation *before =
        ferry_preparation_find(preparation, FERRY_CREATION_VOLUME, image->path);
    g_autofree char *detail = describe(image);
    bool made = before && is_made(preparation, before, image)
                    ? ferry_preparation_note_made(preparation, before->id, detail, error)
                    : create(preparation, pool, image, error);

    return made && verify(preparation, image, error);
}

/* When the instance was here last it was sent away seeded: what it wrote on the way lies beside its
 * image and is as stale as that. */
static void
remove_stale_overlays(const FerryPreparation *preparation, const char *path)
{
    g_autoptr(GPtrArray) leftovers = ferry_journal_leftover_paths(
        preparation->agent->journal, preparation->instance->uuid, NULL);

    for (guint i = 0; leftovers && i < leftovers->len; i++) {
        const char *leftover = g_ptr_array_index(leftovers, i);
        g_autoptr(GError) error = NULL;

        if (ferry_overlay_is_of(leftover, path) && !clear_the_way(preparation, leftover, &error))
            g_warning("The stale overlay '%s' stays: %s", leftover, error->message);
    }
}

char *
ferry_image_ensure(const FerryPreparation *preparation, const FerryImagePlan *plan, GError **error)
{
    g_autoptr(virStoragePool) pool =
        ferry_pool_ensure(preparation, plan->pool, plan->folder, &plan->disk->folder_owner, error);

    if (!pool)
        return NULL;
    for (guint i = 0; i < plan->image_count; i++)
        if (!ensure(preparation, pool, &plan->images[i], error))
            return NULL;
    remove_stale_overlays(preparation, plan->beside);
    return g_strdup(virStoragePoolGetName(pool));
}

bool
ferry_image_undo(const FerryAgent *agent,
                 virConnectPtr connection,
                 const FerryCreation *creation,
                 GError **error)
{
    const FerryOwnFile file = own_file(agent, creation);

    return look(agent, connection, creation) == FERRY_OWN_FILE_GONE ||
           (ferry_virt_path_check_unused(connection, creation->path, error) &&
            ferry_own_file_delete(&file, connection, error));
}

static bool
remove_made(const FerryPreparation *preparation, const char *path, GError **error)
{
    const FerryCreation *before = ferry_preparation_find(preparation, FERRY_CREATION_VOLUME, path);

    return !before ||
           (ferry_image_undo(preparation->agent, preparation->connection, before, error) &&
            ferry_journal_creation_set(preparation->agent->journal, before->id,
                                       FERRY_CREATION_REMOVED, NULL, error));
}

bool
ferry_image_renew(const FerryPreparation *preparation,
                  const FerryImagePlan *plan,
                  const FerryNewImage *image,
                  GError **error)
{
    g_autoptr(virStoragePool) pool =
        ferry_pool_ensure(preparation, plan->pool, plan->folder, &plan->disk->folder_owner, error);

    return pool && remove_made(preparation, image->path, error) &&
           create(preparation, pool, image, error) && verify(preparation, image, error);
}

bool
ferry_image_may_hold_data(const FerryAgent *agent,
                          virConnectPtr connection,
                          const FerryCreation *creation)
{
    const FerryOwnFile file = own_file(agent, creation);

    return ferry_own_file_look(&file, /* why= */ NULL) != FERRY_OWN_FILE_GONE &&
           !is_untouched(connection, creation);
}

bool
ferry_image_is_filling(const FerryAgent *agent,
                       virConnectPtr connection,
                       const char *migration_id,
                       gint64 since_us)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, NULL);

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);
        g_auto(FerryImage) image = {0};

        if (creation->kind == FERRY_CREATION_VOLUME &&
            ferry_virt_image_info(connection, creation->path, "raw", &image, NULL) &&
            image.fingerprint &&
            g_ascii_strtod(image.fingerprint, NULL) * G_USEC_PER_SEC > (double)since_us)
            return true;
    }
    return false;
}
