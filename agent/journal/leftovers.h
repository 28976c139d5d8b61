/* leftovers.h: the tables of source images that a completed migration left behind on purpose, and
 * of those that an arrival of their instance set aside until it is over (storage/leftover.h).
 *
 * What these files are is in the table of identities: of a leftover under the migration that left
 * it and its path, of one that is set aside under the arrival and the name that it has there.
 * Threads and errors as in journal.h.
 */
#pragma once

#include "journal/journal.h"

typedef struct {
    char *path;         /* under which it was noted */
    char *migration_id; /* the one that left it */
    char *fingerprint;  /* what it looked like then, see virt/volume.h */
} FerryLeftover;

void ferry_leftover_free(FerryLeftover *leftover);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLeftover, ferry_leftover_free)

/** Over what was noted of @path before. */
bool ferry_journal_leftover_add(FerryJournal *journal,
                                const char *path,
                                const char *instance_uuid,
                                const char *migration_id,
                                const char *fingerprint,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the leftover at @path of this instance; NULL without @error
 * set when the journal knows of none. */
FerryLeftover *ferry_journal_leftover_find(FerryJournal *journal,
                                           const char *path,
                                           const char *instance_uuid,
                                           GError **error);

/** Returns: (transfer full) (element-type utf8): the paths of all leftovers of this instance. */
GPtrArray *ferry_journal_leftover_paths(FerryJournal *journal,
                                        const char *instance_uuid,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_journal_leftover_forget(FerryJournal *journal,
                                   const char *path,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- set aside -------------------------------------------------------------------------------- */

typedef struct {
    char *path;       /* its own name */
    char *aside_path; /* in the same folder */
} FerryAside;

void ferry_aside_free(FerryAside *aside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAside, ferry_aside_free)

/** @migration_id: the arrival's. Written before the deed; the file has either name. */
bool ferry_journal_aside_add(FerryJournal *journal,
                             const char *migration_id,
                             const char *path,
                             const char *aside_path,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryAside): those of one arrival. */
GPtrArray *ferry_journal_asides(FerryJournal *journal,
                                const char *migration_id,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_journal_aside_forget(FerryJournal *journal,
                                const char *migration_id,
                                const char *path,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
