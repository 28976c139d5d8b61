#include "config.h"

#include "destination/rollback.h"

#include "destination/block-volume.h"
#include "destination/console-file.h"
#include "destination/definition.h"
#include "destination/image.h"
#include "destination/nvram.h"
#include "destination/pool.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "runtime/fault-point.h"
#include "storage/leftover.h"
#include "virt/domain.h"

/* One call of ferry_rollback_run(). */
typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *migration_id;
    json_t *removed;
    json_t *kept;
} Rollback;

/* --- what was made ---------------------------------------------------------------------------- */

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

static bool
undo(const Rollback *self, const FerryCreation *creation, GError **error)
{
    const FerryAgent *agent = self->agent;
    virConnectPtr connection = self->connection;

    switch (creation->kind) {
    case FERRY_CREATION_DIRECTORY:
    case FERRY_CREATION_POOL_DEFINED:
    case FERRY_CREATION_POOL_STARTED:
    case FERRY_CREATION_POOL_AUTOSTART:
        return ferry_pool_undo(agent, connection, creation, error);
    case FERRY_CREATION_VOLUME:
        return ferry_image_undo(agent, connection, creation, error);
    case FERRY_CREATION_BLOCK_VOLUME:
        return ferry_block_volume_undo(connection, creation, error);
    case FERRY_CREATION_NVRAM:
        return ferry_nvram_undo(agent, connection, creation, error);
    case FERRY_CREATION_CONSOLE:
        return ferry_console_file_undo(agent, connection, creation, error);
    case FERRY_CREATION_OTHER:
        break;
    }
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look at it, and remove it by hand",
                    "This virt-ferryd does not know what it is");
    return false;
}

/* Of a pool or volume that is kept, the proof that it is ours has to stay. */
static const char *
lasting_detail(const FerryCreation *creation, const GError *why)
{
    switch (creation->kind) {
    case FERRY_CREATION_POOL_DEFINED:
    case FERRY_CREATION_POOL_STARTED:
    case FERRY_CREATION_POOL_AUTOSTART:
    case FERRY_CREATION_BLOCK_VOLUME:
    case FERRY_CREATION_OTHER:
        return creation->detail;
    case FERRY_CREATION_DIRECTORY:
    case FERRY_CREATION_VOLUME:
    case FERRY_CREATION_NVRAM:
    case FERRY_CREATION_CONSOLE:
        break;
    }
    return why ? why->message : NULL;
}

static bool
undo_and_note(const Rollback *self, const FerryCreation *creation, GError **error)
{
    g_autoptr(GError) why = NULL;
    bool undone = undo(self, creation, &why);

    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    json_array_append_new(undone ? self->removed : self->kept,
                          creation_to_json(creation, why ? why->message : NULL));
    return ferry_journal_creation_set(self->agent->journal, creation->id,
                                      undone ? FERRY_CREATION_REMOVED : FERRY_CREATION_KEPT,
                                      lasting_detail(creation, why), error);
}

/* A pool that another instance came to live in since is no longer ours to stop. */
static bool
undo_unless_shared(const Rollback *self, const FerryCreation *creation, GError **error)
{
    FerryJournal *journal = self->agent->journal;
    bool shared = false;

    if (ferry_pool_made(creation->kind) && !ferry_pool_is_passing(creation) &&
        !ferry_journal_pool_is_shared(journal, creation->pool, self->migration_id, &shared, error))
        return false;
    return shared ? ferry_journal_creation_set(journal, creation->id, FERRY_CREATION_DELIVERED,
                                               "others use the pool by now", error)
                  : undo_and_note(self, creation, error);
}

static bool
undo_creations(const Rollback *self, GError **error)
{
    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(self->agent->journal, self->migration_id, error);

    if (!creations)
        return false;
    ferry_fault_point("undo", "begin");
    for (guint i = 0; i < creations->len; i++)
        if (!undo_unless_shared(self, g_ptr_array_index(creations, i), error))
            return false;
    ferry_fault_point("undo", "end");
    return true;
}

/* What the arrival made in their place is gone. */
static bool
put_leftovers_back(const Rollback *self, const char *instance_uuid, GError **error)
{
    const FerryArrival arrival = {self->agent, self->connection, self->migration_id, instance_uuid};

    return ferry_leftover_put_back(&arrival, self->kept, error);
}

json_t *
ferry_rollback_run(const FerryAgent *agent,
                   FerryImports *imports,
                   virConnectPtr connection,
                   const FerryRecord *record,
                   bool *ret_clean,
                   GError **error)
{
    g_autoptr(FerryJson) removed = json_array();
    g_autoptr(FerryJson) kept = json_array();
    g_autoptr(FerryJson) removed_files = json_array();
    g_autoptr(FerryJson) kept_files = json_array();
    const Rollback self = {agent, connection, record->migration_id, removed, kept};

    if (!ferry_definition_take_back(connection, record, error) ||
        !ferry_imports_undo(imports, connection, record->migration_id, removed_files, kept_files,
                            error) ||
        !undo_creations(&self, error) || !put_leftovers_back(&self, record->instance_uuid, error))
        return NULL;
    json_array_extend(removed, removed_files);
    json_array_extend(kept, kept_files);
    *ret_clean = json_array_size(kept) == 0;
    return json_pack("{s:O, s:O}", "removed", removed, "kept", kept);
}
