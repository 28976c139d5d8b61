#include "config.h"

#include "destination/preparation.h"

#include "ferry/error.h"
#include "files/own-file.h"

/* How long after its intention a thing of an agent of before was made, at most. */
#define MAKING_US (60 * G_USEC_PER_SEC)

bool
ferry_preparation_intend(const FerryPreparation *self,
                         const FerryIntention *intention,
                         gint64 *ret_id,
                         GError **error)
{
    FerryIntention own = *intention;

    own.migration_id = self->migration_id;
    return ferry_journal_creation_add(self->agent->journal, &own, ret_id, error);
}

bool
ferry_preparation_note_made(const FerryPreparation *self,
                            gint64 id,
                            const char *detail,
                            GError **error)
{
    return ferry_journal_creation_set(self->agent->journal, id, FERRY_CREATION_MADE, detail, error);
}

bool
ferry_preparation_note_file(
    const FerryPreparation *self, gint64 id, const char *path, const char *detail, GError **error)
{
    const FerryOwnFile file = {
        .agent = self->agent,
        .migration_id = self->migration_id,
        .path = path,
    };

    return ferry_own_file_note(&file, error) &&
           ferry_preparation_note_made(self, id, detail, error);
}

void
ferry_preparation_note_failed(const FerryPreparation *self, gint64 id, const GError *why)
{
    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS) &&
        !ferry_journal_creation_set(self->agent->journal, id, FERRY_CREATION_REMOVED, "not ours",
                                    NULL))
        g_warning("Migration '%s': the journal keeps a claim on what is not ours: %s",
                  self->migration_id, why->message);
}

const FerryCreation *
ferry_preparation_find(const FerryPreparation *self, FerryCreationKind kind, const char *path)
{
    return self->creations ? ferry_creations_find(self->creations, kind, path) : NULL;
}

static void
adopt(const FerryAgent *agent, const FerryCreation *creation)
{
    g_autoptr(GError) error = NULL;
    const FerryOwnFile file = {
        .agent = agent,
        .migration_id = creation->migration_id,
        .path = creation->path,
    };

    if (ferry_own_file_look(&file, /* why= */ NULL) == FERRY_OWN_FILE_UNKNOWN &&
        ferry_own_file_is_born(&file, creation->at_us - FERRY_PREPARATION_CLOCK_US,
                               creation->at_us + MAKING_US) &&
        !ferry_own_file_note(&file, &error))
        g_warning("Migration '%s': a rollback will keep '%s': %s", creation->migration_id,
                  creation->path, error->message);
}

static void
adopt_all(const FerryAgent *agent, const char *migration_id)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, NULL);

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);
        bool is_file =
            creation->kind == FERRY_CREATION_VOLUME || creation->kind == FERRY_CREATION_DIRECTORY;

        if (is_file && creation->state == FERRY_CREATION_MADE)
            adopt(agent, creation);
    }
}

void
ferry_preparation_adopt(const FerryAgent *agent)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(agent->journal, NULL);

    for (guint i = 0; records && i < records->len; i++)
        adopt_all(agent, ((FerryRecord *)g_ptr_array_index(records, i))->migration_id);
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
