/* What becomes of the things that were made: removed as far as the journal proves them, or delivered. */
#include "config.h"

#include "destination/preparation.h"

#include "destination/nvram.h"
#include "destination/volume-preparation.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/volume.h"

static bool
undo_volume(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    if (ferry_path_presence(creation->path) != FERRY_PATH_THERE)
        return true;
    return ferry_virt_path_check_unused(connection, creation->path, error) &&
           ferry_virt_volume_delete(connection, creation->path, error);
}

static bool
apply_pool_undo(virStoragePoolPtr pool, FerryCreationKind kind)
{
    switch (kind) {
    case FERRY_CREATION_POOL_DEFINED:
        return virStoragePoolUndefine(pool) == 0;
    case FERRY_CREATION_POOL_STARTED:
        return virStoragePoolIsActive(pool) != 1 || virStoragePoolDestroy(pool) == 0;
    case FERRY_CREATION_POOL_AUTOSTART:
        return virStoragePoolSetAutostart(pool, 0) == 0;
    case FERRY_CREATION_DIRECTORY:
        /* rmdir at the bottom: a folder that got a file since stays, by the kernel's word. */
        return virStoragePoolDelete(pool, VIR_STORAGE_POOL_DELETE_NORMAL) == 0;
    case FERRY_CREATION_VOLUME:
    case FERRY_CREATION_BLOCK_VOLUME:
    case FERRY_CREATION_NVRAM:
        break;
    }
    return true;
}

static bool
undo_pool(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByName(connection, creation->pool);

    if (!pool)
        return true;
    if (apply_pool_undo(pool, creation->kind))
        return true;
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot undo %s of storage pool '%s'",
                                 ferry_creation_kind_to_string(creation->kind), creation->pool);
}

static json_t *
creation_to_json(const FerryCreation *creation, const char *why)
{
    json_t *object =
        json_pack("{s:s, s:o, s:o}", "kind", ferry_creation_kind_to_string(creation->kind), "pool",
                  ferry_json_text(creation->pool), "path", ferry_json_text(creation->path));

    if (why)
        json_object_set_new(object, "why", ferry_json_text(why));
    return object;
}

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    json_t *removed;
    json_t *kept;
} Undoing;

static bool
is_of_pool(FerryCreationKind kind)
{
    return kind != FERRY_CREATION_VOLUME && kind != FERRY_CREATION_BLOCK_VOLUME &&
           kind != FERRY_CREATION_NVRAM;
}

static bool
undo_creation(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    if (creation->kind == FERRY_CREATION_NVRAM)
        return ferry_nvram_undo(connection, creation, error);
    if (creation->kind == FERRY_CREATION_BLOCK_VOLUME)
        return ferry_volume_undo(connection, creation, error);
    return is_of_pool(creation->kind) ? undo_pool(connection, creation, error)
                                      : undo_volume(connection, creation, error);
}

/* Of a volume that is kept, the proof that it is ours has to stay. */
static const char *
lasting_detail(const FerryCreation *creation, const GError *why)
{
    if (creation->kind == FERRY_CREATION_BLOCK_VOLUME)
        return creation->detail;
    return why ? why->message : NULL;
}

static bool
undo_one(Undoing *self, const FerryCreation *creation, GError **error)
{
    g_autoptr(GError) why = NULL;
    bool undone = undo_creation(self->connection, creation, &why);

    if (why && g_error_matches(why, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    json_array_append_new(undone ? self->removed : self->kept,
                          creation_to_json(creation, why ? why->message : NULL));
    return ferry_journal_creation_set(self->agent->journal, creation->id,
                                      undone ? FERRY_CREATION_REMOVED : FERRY_CREATION_KEPT,
                                      lasting_detail(creation, why), error);
}

bool
ferry_preparation_undo(const FerryAgent *agent,
                       virConnectPtr connection,
                       const char *migration_id,
                       json_t **ret_removed,
                       json_t **ret_kept,
                       GError **error)
{
    g_autoptr(FerryJson) removed = json_array();
    g_autoptr(FerryJson) kept = json_array();
    Undoing self = {agent, connection, removed, kept};
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, error);

    if (!creations)
        return false;
    ferry_fault_point("undo", "begin");
    for (guint i = 0; i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        bool shared = false;

        if (is_of_pool(creation->kind) &&
            !ferry_journal_pool_is_shared(agent->journal, creation->pool, migration_id, &shared,
                                          error))
            return false;
        /* Another instance came to live in the pool since: it is no longer ours to stop. */
        if (shared ? !ferry_journal_creation_set(agent->journal, creation->id,
                                                 FERRY_CREATION_DELIVERED,
                                                 "others use the pool by now", error)
                   : !undo_one(&self, creation, error))
            return false;
    }
    ferry_fault_point("undo", "end");
    *ret_removed = g_steal_pointer(&removed);
    *ret_kept = g_steal_pointer(&kept);
    return true;
}

bool
ferry_preparation_deliver(const FerryAgent *agent, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, error);

    if (!creations)
        return false;
    for (guint i = 0; i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        if (!ferry_journal_creation_set(agent->journal, creation->id, FERRY_CREATION_DELIVERED,
                                        NULL, error))
            return false;
    }
    return true;
}

bool
ferry_preparation_is_filling(const FerryAgent *agent,
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
