/* imports.h: the tables of files that migrations brought here as they are
 * (agent/destination/import.h), and of what files hold (agent/files/digests.h).
 *
 * A row is one file of one migration: its part in it, for as long as the migration's history lasts.
 * Threads and errors: as journal.h.
 */
#pragma once

#include "journal/journal.h"
#include "model/import.h"

/** Writes the row of this migration and path over its former self. */
bool ferry_journal_import_put(FerryJournal *journal,
                              const FerryImport *import,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryImport): of all migrations that had a part in the
 * file at @path, in whichever state. */
GPtrArray *ferry_journal_imports_of_path(FerryJournal *journal,
                                         const char *path,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type FerryImport): of one migration. */
GPtrArray *ferry_journal_imports(FerryJournal *journal,
                                 const char *migration_id,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What tells that a file was not written to since. */
typedef struct {
    guint64 size_bytes;
    gint64 mtime_ns;
    guint64 inode;
} FerryFileStamp;

/** Notes the digest that the file at @path had under @stamp. */
bool ferry_journal_digest_put(FerryJournal *journal,
                              const char *path,
                              const FerryFileStamp *stamp,
                              const char *digest,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the digest noted for exactly this @stamp. */
char *
ferry_journal_digest_get(FerryJournal *journal, const char *path, const FerryFileStamp *stamp);
