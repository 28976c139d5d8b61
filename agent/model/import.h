/* import.h: a file that a migration brought here, as the journal notes it (journal/imports.h); who
 * copies one that several migrations need, and who may remove it. Pure: from the rows alone; any
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_IMPORT_WAITING,   /* another migration copies it */
    FERRY_IMPORT_COPYING,   /* this migration's source writes into the partial file */
    FERRY_IMPORT_PUBLISHED, /* this migration brought it: under its name, complete and verified */
    FERRY_IMPORT_PRESENT,   /* it was there already and is used */
    FERRY_IMPORT_DELIVERED, /* the instance that needs it arrived */
    FERRY_IMPORT_RELEASED,  /* rolled back; the file is others' */
    FERRY_IMPORT_REMOVED,   /* rolled back; the file is gone */
} FerryImportState;

typedef struct {
    char *migration_id;
    char *path;    /* resolved */
    char *partial; /* where it grows until it is complete */
    char *kind;    /* base, medium, seed, image */
    char *digest;
    guint64 file_bytes;
    FerryImportState state;
    guint64 inode; /* of the file as it was published; 0 before. It proves nothing */
} FerryImport;

void ferry_import_free(FerryImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryImport, ferry_import_free)

typedef enum {
    FERRY_IMPORT_COPY,   /* this migration copies, or goes on with what another one left */
    FERRY_IMPORT_WAIT,   /* another one copies the same */
    FERRY_IMPORT_REFUSE, /* another one copies something else to that path */
} FerryImportDecision;

/** @rows: of the path, of all migrations. For a path where no file is. An image is one instance's
 * alone: nobody waits for another one's. */
FerryImportDecision ferry_import_decide(GPtrArray *rows, const FerryImport *own);

/** Returns: true for what several instances may use at the same time: bases and media. */
bool ferry_import_is_shared(const FerryImport *row);

/** Returns: true while the migration's part in the file has not ended. */
bool ferry_import_is_open(const FerryImport *row);

/** Returns: (transfer none) (nullable): the migration, other than that of @own, for which the file
 * or its partial has to stay when @own's is rolled back. One that has arrived counts when it
 * arrived with this very file. */
const char *ferry_import_needed_by(GPtrArray *rows, const FerryImport *own);
