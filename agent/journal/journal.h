/* journal.h: what must survive the agent's death: orders, records, steps, creations, events.
 *
 * SQLite in STATE_PATH/journal.db, write-ahead log, full sync: a function that returns true has its
 * change on disk. Each public function is one transaction; a change of a record and the event that
 * tells of it are one call, so that neither exists without the other.
 *
 * Threads: any; one lock inside, held for the transaction (one fsync, ~ms) and never while calling
 * out, but for the wake-up function, which must not call back.
 * Errors: FERRY_ERROR_JOURNAL_UNAVAILABLE unless said otherwise: nothing was changed.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "journal/record.h"

typedef struct FerryJournal FerryJournal;

/**
 * ferry_journal_open:
 * @state_path: the folder; made (0700) when missing
 * @error: FERRY_ERROR_CONFIG with the path and what to do: no rights, locked by another agent, of a
 *   newer schema, damaged. A damaged file is left as it is.
 */
FerryJournal *ferry_journal_open(const char *state_path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_journal_close(FerryJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJournal, ferry_journal_close)

/** Called, from whichever thread, when the outbox got an event. Set before threads use the
 * journal. */
void ferry_journal_set_wakeup(FerryJournal *journal, void (*wakeup)(gpointer), gpointer data);

/** Without this (or with false) no event is written: notifications are off. */
void ferry_journal_enable_events(FerryJournal *journal, bool enable);

/* --- records ---------------------------------------------------------------------------------- */

/**
 * ferry_journal_add:
 * @record: written with its first event, that of its status; its seq becomes 1
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE: this id and role are there already;
 *   FERRY_ERROR_INSTANCE_ALREADY_MIGRATING: another open record of this role has the instance
 */
bool ferry_journal_add(FerryJournal *journal,
                       FerryRecord *record,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_journal_save:
 * @record: written over its former self; updated_us and, in a terminal status, ended_us are set
 * @event_type: (nullable): also queue this event, with the next seq, which @record then has
 */
bool ferry_journal_save(FerryJournal *journal,
                        FerryRecord *record,
                        const char *event_type,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What may be ordered about a migration that is open on its source. */
typedef enum {
    FERRY_MIGRATION_ACTION_ABORT,
    FERRY_MIGRATION_ACTION_FORCE_COMPLETE,
} FerryMigrationAction;

/** Notes an action that was ordered, so that it outlives the agent once it was acknowledged;
 * ferry_journal_save() does not touch it. */
bool ferry_journal_note_action(FerryJournal *journal,
                               const char *migration_id,
                               FerryMigrationAction action,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes what holds of an open migration since its parameters were changed, instead of what its
 * order says; likewise. */
bool ferry_journal_note_tuning(FerryJournal *journal,
                               const char *migration_id,
                               const json_t *parameters,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): NULL with FERRY_ERROR_MIGRATION_NOT_FOUND when there is none. */
FerryRecord *ferry_journal_get(FerryJournal *journal,
                               const char *migration_id,
                               FerryRole role,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *status;       /* NULL: any */
    const char *instance;     /* name or UUID; NULL: any */
    const char *migration_id; /* NULL: any */
    bool open_only;           /* not terminal */
    bool incoming_only;       /* of the destination's role */
    const char *marker;       /* a migration_id: only what follows it in this list; NULL: all */
    guint limit;              /* 0: none, for what must miss nothing */
} FerryJournalFilter;

/** Returns: (transfer full) (element-type FerryRecord): newest first; nothing follows a marker that
 * is not known. The records have neither order nor instance_info, nor migrate_data: a list may be
 * long, and these are what may be large in a record. */
GPtrArray *ferry_journal_list_brief(FerryJournal *journal,
                                    const FerryJournalFilter *filter,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryRecord): the same with whole records. */
GPtrArray *ferry_journal_list(FerryJournal *journal,
                              const FerryJournalFilter *filter,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As ferry_journal_list(): those that are on their way to this host. */
GPtrArray *ferry_journal_list_incoming(FerryJournal *journal,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends each open record that cannot be taken up (ferry_record_check()) in `error`, with the reason
 * and the event: a journal may come from another version, or somebody wrote to it. Before records
 * are taken up. */
bool ferry_journal_end_unsound(FerryJournal *journal, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes ended records, with all that hangs on them, that ended before @before_us, and digests
 * that nobody asked for since; events that still wait stay. */
bool ferry_journal_prune(FerryJournal *journal,
                         gint64 before_us,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- steps ------------------------------------------------------------------------------------ */

/** Notes that @step begins; a repeated begin after a crash keeps the first time. */
bool ferry_journal_step_begin(FerryJournal *journal,
                              const FerryRecord *record,
                              const char *step,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes how @step ended: "done", "failed", "undone", or that it is "undoing". */
bool ferry_journal_step_end(FerryJournal *journal,
                            const FerryRecord *record,
                            const char *step,
                            const char *state,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): array of {"name", "state", "started_at", "ended_at", "duration_ms"} in
 * the order in which the steps began; empty when none or unreadable. */
json_t *ferry_journal_steps(FerryJournal *journal, const char *migration_id, FerryRole role);

/* --- creations: what the agent made on this host ---------------------------------------------- */

typedef enum {
    FERRY_CREATION_DIRECTORY,
    FERRY_CREATION_POOL_DEFINED,
    FERRY_CREATION_POOL_STARTED,
    FERRY_CREATION_POOL_AUTOSTART,
    FERRY_CREATION_VOLUME,
    FERRY_CREATION_BLOCK_VOLUME, /* of a volume group; once made, its detail stays LVM's UUID */
    FERRY_CREATION_NVRAM,        /* a file of firmware variables, made by libvirt; of no pool */
    FERRY_CREATION_CONSOLE,      /* what a serial port or console writes to; the same */
    FERRY_CREATION_OTHER,        /* of a newer agent, which alone knows how to remove it */
} FerryCreationKind;

typedef enum {
    FERRY_CREATION_INTENDED, /* about to be made; may or may not exist */
    FERRY_CREATION_MADE,
    FERRY_CREATION_REMOVED,   /* undone */
    FERRY_CREATION_DELIVERED, /* belongs to the arrived instance now */
    FERRY_CREATION_KEPT,      /* could not be undone; the detail says why */
} FerryCreationState;

typedef struct {
    gint64 id;
    char *migration_id;
    FerryCreationKind kind;
    FerryCreationState state;
    char *pool;
    char *path;
    char *detail; /* NULL, why it was kept, or what the kind says */
    gint64 at_us; /* when it was intended */
} FerryCreation;

void ferry_creation_free(FerryCreation *creation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryCreation, ferry_creation_free)
const char *ferry_creation_kind_to_string(FerryCreationKind kind);

/* What is going to be made. A plain value. */
typedef struct {
    const char *migration_id;
    FerryCreationKind kind;
    const char *pool; /* "": none */
    const char *path;
    const char *detail; /* NULL, or what it will be known by */
} FerryIntention;

/** Notes an intention before the deed. Returns: true and the row in @ret_id. */
bool ferry_journal_creation_add(FerryJournal *journal,
                                const FerryIntention *intention,
                                gint64 *ret_id,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_journal_creation_set(FerryJournal *journal,
                                gint64 id,
                                FerryCreationState state,
                                const char *detail,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryCreation): newest first, so that undoing walks
 * forward; those INTENDED, MADE or KEPT. */
GPtrArray *ferry_journal_creations(FerryJournal *journal,
                                   const char *migration_id,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): the one of this kind at @path among @creations. */
FerryCreation *
ferry_creations_find(const GPtrArray *creations, FerryCreationKind kind, const char *path);

/** Returns: (transfer full) (nullable): the latest creation of an image at @path that is not over
 * (INTENDED, MADE or KEPT); NULL without @error set when there is none. */
FerryCreation *ferry_journal_creation_find(FerryJournal *journal, const char *path, GError **error);

/** Sets @ret_shared: another migration than @migration_id has an image in @pool, or delivered one
 * there since @migration_id first touched the pool. */
bool ferry_journal_pool_is_shared(FerryJournal *journal,
                                  const char *pool,
                                  const char *migration_id,
                                  bool *ret_shared,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets @ret_needed: another migration than @migration_id, that is not over, started @pool, too. */
bool ferry_journal_pool_is_needed(FerryJournal *journal,
                                  const char *pool,
                                  const char *migration_id,
                                  bool *ret_needed,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- the outbox ------------------------------------------------------------------------------- */

typedef struct {
    gint64 id;
    char *event_type;
    char *priority; /* info, error */
    char *message_id;
    gint64 time_us;
    json_t *payload; /* NULL: the row is damaged and cannot be sent */
} FerryOutboxEntry;

void ferry_outbox_entry_free(FerryOutboxEntry *entry);

/** Queues an event that belongs to no migration (agent.started ...). @payload: (transfer none). */
bool ferry_journal_outbox_add(FerryJournal *journal,
                              const char *event_type,
                              json_t *payload,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryOutboxEntry): up to @limit with an id above @after,
 * oldest first. */
GPtrArray *ferry_journal_outbox_peek(FerryJournal *journal,
                                     gint64 after,
                                     guint limit,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Forgets confirmed entries. @ids: (element-type gint64). */
bool ferry_journal_outbox_drop(FerryJournal *journal,
                               GArray *ids,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
