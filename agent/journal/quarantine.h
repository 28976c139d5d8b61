/* quarantine.h: source images that were put aside, a row a file, kept by migration.
 *
 * Rows are written before the deed: `intended` before the file is renamed, `restoring` before the
 * first one goes back. Threads and errors as in journal.h.
 */
#pragma once

#include "journal/journal.h"

typedef enum {
    FERRY_QUARANTINE_INTENDED,  /* about to be put aside; has either name */
    FERRY_QUARANTINE_HELD,      /* put aside */
    FERRY_QUARANTINE_RESTORING, /* on its way back; has either name */
    FERRY_QUARANTINE_RESTORED,
    FERRY_QUARANTINE_DELETED,
} FerryQuarantineState;

typedef struct {
    char *migration_id;
    char *path;      /* its own name */
    char *held_path; /* its name in quarantine, in the same folder */
    char *instance_name;
    char *instance_uuid;
    char *destination; /* the host that the instance moved to */
    guint64 inode;     /* what an agent of before told the file by */
    guint mode;        /* its own permission bits */
    FerryQuarantineState state;
    char *detail; /* NULL, or why it is still there */
    gint64 since_us;
    gint64 until_us;
    gint64 ended_us; /* 0 while it is in quarantine */
} FerryQuarantined;

void ferry_quarantined_free(FerryQuarantined *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryQuarantined, ferry_quarantined_free)

const char *ferry_quarantine_state_to_string(FerryQuarantineState state);

/** Notes an intention; one that is there already stays as it is. */
bool ferry_journal_quarantine_add(FerryJournal *journal,
                                  const FerryQuarantined *file,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @path: (nullable): NULL for all files of the migration. @state: also notes the end, if it is
 * one.
 * @detail: (nullable) */
bool ferry_journal_quarantine_set(FerryJournal *journal,
                                  const char *migration_id,
                                  const char *path,
                                  FerryQuarantineState state,
                                  const char *detail,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryQuarantined): the files of one migration, or, where
 * @migration_id is NULL, all that are in quarantine; oldest first, those of a migration
 * together. */
GPtrArray *ferry_journal_quarantine_list(FerryJournal *journal,
                                         const char *migration_id,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
