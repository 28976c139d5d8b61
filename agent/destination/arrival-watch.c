#include "config.h"

#include "destination/arrival-watch.h"

#include "destination/image.h"
#include "destination/nvram.h"
#include "journal/imports.h"
#include "model/carried-file.h"
#include "runtime/detached-call.h"
#include "virt/domain-state.h"
#include "virt/virt.h"

#include <string.h>

/* Between two attempts to write to a journal that cannot be written to. */
#define NOTE_PAUSE_MS 1000

/* --- looking ---------------------------------------------------------------------------------- */

/* What ends without having come is seen as shut off for a moment; a definition is left by none of
 * them. Of any other state it is not known whether the guest has run. */
static FerryArrivalStage
stage_of(virConnectPtr connection, const char *uuid, FerryObservedState observed)
{
    switch (observed) {
    case FERRY_OBSERVED_UNREACHABLE:
    case FERRY_OBSERVED_ABSENT:
        return FERRY_ARRIVAL_AWAITED;
    case FERRY_OBSERVED_SHUT_OFF:
    case FERRY_OBSERVED_MIGRATED:
        return ferry_virt_domain_is_defined(connection, uuid) ? FERRY_ARRIVAL_CAME
                                                              : FERRY_ARRIVAL_BEGUN;
    case FERRY_OBSERVED_RUNNING:
    case FERRY_OBSERVED_PAUSED:
    case FERRY_OBSERVED_POSTCOPY:
    case FERRY_OBSERVED_POSTCOPY_FAILED:
        return FERRY_ARRIVAL_CAME;
    case FERRY_OBSERVED_INCOMING:
    case FERRY_OBSERVED_PAUSED_MIGRATION:
    case FERRY_OBSERVED_OTHER:
        break;
    }
    return FERRY_ARRIVAL_BEGUN;
}

bool
ferry_arrival_look(const FerryAgent *agent,
                   virConnectPtr connection,
                   const FerryRecord *record,
                   FerryObservedState *ret_observed,
                   FerryArrivalNote *ret_note,
                   GError **error)
{
    const char *id = record->migration_id;

    *ret_observed = ferry_virt_domain_observe(connection, record->instance_uuid);

    FerryArrivalStage stage = stage_of(connection, record->instance_uuid, *ret_observed);

    return (stage == FERRY_ARRIVAL_AWAITED ||
            ferry_journal_arrival_reach(agent->journal, id, stage, error)) &&
           ferry_journal_arrival_get(agent->journal, id, ret_note, error);
}

/* --- what is certain -------------------------------------------------------------------------- */

void
ferry_arrival_await(const FerryAgent *agent, const FerryRecord *record)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_journal_arrival_await(agent->journal, record->migration_id,
                                     ferry_virt_listening(agent->virt), &error))
        g_warning("Migration '%s': that it is awaited is not noted: %s", record->migration_id,
                  error->message);
}

static bool
creations_may_hold_data(const FerryAgent *agent, virConnectPtr connection, const char *migration_id)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, NULL);

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        if (creation->kind == FERRY_CREATION_BLOCK_VOLUME ||
            (creation->kind == FERRY_CREATION_VOLUME &&
             ferry_image_may_hold_data(agent, connection, creation)))
            return true;
    }
    return !creations;
}

/* A base or a medium is what it was; an image that came whole may have been written to since. */
static bool
imports_may_hold_data(const FerryAgent *agent, const char *migration_id)
{
    g_autoptr(GPtrArray) rows = ferry_journal_imports(agent->journal, migration_id, NULL);

    for (guint i = 0; rows && i < rows->len; i++) {
        const FerryImport *row = g_ptr_array_index(rows, i);

        if (row->state == FERRY_IMPORT_PUBLISHED && strcmp(row->kind, FERRY_CARRIED_IMAGE) == 0)
            return true;
    }
    return !rows;
}

bool
ferry_arrival_may_hold_data(const FerryAgent *agent,
                            virConnectPtr connection,
                            const char *migration_id)
{
    return creations_may_hold_data(agent, connection, migration_id) ||
           imports_may_hold_data(agent, migration_id);
}

bool
ferry_arrival_may_have_been(const FerryAgent *agent,
                            virConnectPtr connection,
                            const FerryRecord *record,
                            const FerryArrivalNote *note)
{
    if (note->stage != FERRY_ARRIVAL_AWAITED)
        return true;
    if (note->listening_us > 0 && note->listening_us == ferry_virt_listening(agent->virt))
        return false;
    return ferry_arrival_may_hold_data(agent, connection, record->migration_id);
}

/* --- libvirt's events ------------------------------------------------------------------------- */

static bool
note_reached(const FerryAgent *agent, const char *uuid, FerryArrivalStage stage, GError **error)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(agent->journal, error);

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (g_strcmp0(record->instance_uuid, uuid) == 0 &&
            !ferry_journal_arrival_reach(agent->journal, record->migration_id, stage, error))
            return false;
    }
    return records != NULL;
}

/* What was heard and is not noted would be proof of the contrary: only an agent that ends gives up,
 * and the next one has not heard all. */
void
ferry_arrival_note(const FerryAgent *agent, const char *uuid, bool runs)
{
    FerryArrivalStage stage = runs ? FERRY_ARRIVAL_CAME : FERRY_ARRIVAL_BEGUN;

    for (bool told = false;; told = true) {
        g_autoptr(GError) error = NULL;

        if (note_reached(agent, uuid, stage, &error))
            break;
        if (!told)
            g_warning("That '%s' arrives cannot be noted, which is tried again: %s", uuid,
                      error->message);
        ferry_agent_pause(agent, NOTE_PAUSE_MS, /* cancellable= */ NULL);
        if (g_cancellable_is_cancelled(agent->stopping))
            return;
    }
    if (!runs)
        ferry_nvram_note_arrival(agent, uuid);
}

/* Of a thread of its own. */
typedef struct {
    const FerryAgent *agent;
    char *uuid;
    bool runs;
} Event;

static void
event_free(gpointer data)
{
    Event *self = data;

    g_free(self->uuid);
    g_free(self);
}

static bool
note_event(gpointer data, GError **error)
{
    const Event *self = data;

    ferry_arrival_note(self->agent, self->uuid, self->runs);
    return true;
}

static void
on_event(const char *uuid, bool runs, gpointer user_data)
{
    Event *event = g_new0(Event, 1);
    FerryDetachedWork work = {
        .thread = "vf-arrival", .func = note_event, .data = event, .free_data = event_free};

    *event = (Event){user_data, g_strdup(uuid), runs};
    ferry_detached_call_abandon(ferry_detached_call_start(&work));
}

void
ferry_arrival_watch(const FerryAgent *agent)
{
    ferry_virt_set_arrival_func(agent->virt, on_event, (gpointer)agent);
}

void
ferry_arrival_unwatch(const FerryAgent *agent)
{
    ferry_virt_set_arrival_func(agent->virt, NULL, NULL);
}
