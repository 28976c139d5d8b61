/* import-decision.h: who copies a file that several migrations need, and who may remove it. Pure: from
 * the journal's rows alone; any thread. */
#pragma once

#include "journal-imports.h"

typedef enum {
    FERRY_IMPORT_COPY,   /* this migration copies, or goes on with what another one left */
    FERRY_IMPORT_WAIT,   /* another one copies the same */
    FERRY_IMPORT_REFUSE, /* another one copies something else to that path */
} FerryImportDecision;

/** @rows: of the path, of all migrations. For a path where no file is. */
FerryImportDecision
ferry_import_decide(GPtrArray *rows, const char *migration_id, const char *digest);

/** Returns: true while the migration's part in the file has not ended. */
bool ferry_import_is_open(const FerryImport *row);

/** Returns: true when some row says that @partial is a file of ours. */
bool ferry_import_is_ours(GPtrArray *rows, const char *partial);

/** Returns: (transfer none) (nullable): the migration, other than that of @own, for which the file or
 * its partial has to stay when @own's is rolled back. One that has arrived counts when it arrived with
 * this very file. */
const char *ferry_import_needed_by(GPtrArray *rows, const FerryImport *own);
