#include "config.h"

#include "destination/nvram.h"

#include "destination/console-file.h"
#include "files/own-file.h"
#include "model/paths.h"
#include "storage/nvram-path.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"

static FerryOwnFile
own_file(const FerryAgent *agent, const FerryCreation *creation, GStrv allowed)
{
    return (FerryOwnFile){
        .agent = agent,
        .migration_id = creation->migration_id,
        .path = creation->path,
        .allowed_paths = (const char *const *)allowed,
    };
}

bool
ferry_nvram_note(const FerryPreparation *preparation, GError **error)
{
    const char *path = preparation->instance->nvram;
    gint64 id = 0;

    if (!path || ferry_preparation_find(preparation, FERRY_CREATION_NVRAM, path))
        return true;
    if (!ferry_nvram_path_check(preparation->agent, path, error))
        return false;
    const FerryIntention intention = {.kind = FERRY_CREATION_NVRAM, .pool = "", .path = path};

    return ferry_path_presence(path) != FERRY_PATH_ABSENT ||
           ferry_preparation_intend(preparation, &intention, &id, error);
}

static void
note(const FerryAgent *agent, const FerryCreation *creation)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) allowed = ferry_nvram_folders(agent);
    const FerryOwnFile file = own_file(agent, creation, allowed);

    if (!ferry_own_file_note(&file, &error) ||
        !ferry_journal_creation_set(agent->journal, creation->id, FERRY_CREATION_MADE, NULL,
                                    &error))
        g_warning("Migration '%s': a rollback will keep '%s': %s", creation->migration_id,
                  creation->path, error->message);
}

/* Returns: (transfer full) (nullable): the instance as it really is here: what was prepared is what
 * an order said. */
static FerryInstance *
describe_here(const FerryAgent *agent, const char *uuid)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, NULL);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, uuid, NULL) : NULL;

    return domain ? ferry_virt_domain_describe(connection, domain, NULL) : NULL;
}

static bool
is_awaited(const FerryCreation *creation)
{
    return creation->state == FERRY_CREATION_INTENDED &&
           (creation->kind == FERRY_CREATION_NVRAM || creation->kind == FERRY_CREATION_CONSOLE);
}

static bool
is_made_for(const FerryInstance *instance, const FerryCreation *creation)
{
    return creation->kind == FERRY_CREATION_NVRAM ? g_strcmp0(instance->nvram, creation->path) == 0
                                                  : ferry_console_file_is_of(creation, instance);
}

static void
note_of_migration(const FerryAgent *agent, const FerryRecord *record)
{
    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(agent->journal, record->migration_id, NULL);
    g_autoptr(FerryInstance) here = NULL;

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        if (!is_awaited(creation))
            continue;
        if (!here)
            here = describe_here(agent, record->instance_uuid);
        if (here && is_made_for(here, creation))
            note(agent, creation);
    }
}

void
ferry_nvram_note_arrival(const FerryAgent *agent, const char *uuid)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(agent->journal, NULL);

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (g_strcmp0(record->instance_uuid, uuid) == 0)
            note_of_migration(agent, record);
    }
}

bool
ferry_nvram_undo(const FerryAgent *agent,
                 virConnectPtr connection,
                 const FerryCreation *creation,
                 GError **error)
{
    g_auto(GStrv) allowed = ferry_nvram_folders(agent);
    const FerryOwnFile file = own_file(agent, creation, allowed);

    return ferry_own_file_look(&file, /* why= */ NULL) == FERRY_OWN_FILE_GONE ||
           (ferry_virt_path_check_unused(connection, creation->path, error) &&
            ferry_own_file_delete(&file, connection, error));
}
