/* identities.h: the table of what files are (model/file-identity.h): of those that a migration made
 * here, put aside or left behind, kept by migration and path.
 *
 * No row: nobody could look, or an agent of before made the file. It is then no proof of anything.
 * Threads and errors as in journal.h.
 */
#pragma once

#include "journal/journal.h"
#include "model/file-identity.h"

/** Notes that the migration's file or folder at @path is this one; over what was noted before. */
bool ferry_journal_identity_put(FerryJournal *journal,
                                const char *migration_id,
                                const char *path,
                                const FerryFileIdentity *identity,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same of what is no file: @text is what tells it from another one, such as LVM's UUID. */
bool ferry_journal_identity_put_text(FerryJournal *journal,
                                     const char *migration_id,
                                     const char *path,
                                     const char *text,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets @ret_text (transfer full): NULL where nothing is noted. @error: the journal could not be
 * read. */
bool ferry_journal_identity_get_text(FerryJournal *journal,
                                     const char *migration_id,
                                     const char *path,
                                     char **ret_text,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes that the migration is going to make a file at @path: one whose identity is not noted then
 * is not the migration's. Over nothing that is noted. */
bool ferry_journal_identity_intend(FerryJournal *journal,
                                   const char *migration_id,
                                   const char *path,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when nothing at all is noted: it is the word of an agent of before. */
bool ferry_journal_identity_is_of_before(FerryJournal *journal,
                                         const char *migration_id,
                                         const char *path);

/** Sets @ret_identity, if @ret_known. @error: the journal could not be read. */
bool ferry_journal_identity_get(FerryJournal *journal,
                                const char *migration_id,
                                const char *path,
                                FerryFileIdentity *ret_identity,
                                bool *ret_known,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
