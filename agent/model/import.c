#include "config.h"

#include "model/import.h"

#include "model/carried-file.h"

void
ferry_import_free(FerryImport *import)
{
    if (!import)
        return;
    g_free(import->migration_id);
    g_free(import->path);
    g_free(import->partial);
    g_free(import->kind);
    g_free(import->digest);
    g_free(import);
}

static const FerryImport *
row_at(GPtrArray *rows, guint index)
{
    return g_ptr_array_index(rows, index);
}

bool
ferry_import_is_shared(const FerryImport *row)
{
    return g_strcmp0(row->kind, FERRY_CARRIED_BASE) == 0 ||
           g_strcmp0(row->kind, FERRY_CARRIED_MEDIUM) == 0;
}

FerryImportDecision
ferry_import_decide(GPtrArray *rows, const FerryImport *own)
{
    for (guint i = 0; i < rows->len; i++) {
        const FerryImport *row = row_at(rows, i);

        if (row->state != FERRY_IMPORT_COPYING ||
            g_strcmp0(row->migration_id, own->migration_id) == 0)
            continue;
        return ferry_import_is_shared(own) && g_strcmp0(row->digest, own->digest) == 0
                   ? FERRY_IMPORT_WAIT
                   : FERRY_IMPORT_REFUSE;
    }
    return FERRY_IMPORT_COPY;
}

bool
ferry_import_is_open(const FerryImport *row)
{
    switch (row->state) {
    case FERRY_IMPORT_WAITING:
    case FERRY_IMPORT_COPYING:
    case FERRY_IMPORT_PUBLISHED:
    case FERRY_IMPORT_PRESENT:
        return true;
    case FERRY_IMPORT_DELIVERED:
    case FERRY_IMPORT_RELEASED:
    case FERRY_IMPORT_REMOVED:
        break;
    }
    return false;
}

/* Those that have arrived need it, too: their images may lie on it while they do not run, and then
 * nothing but this row says so. A file that was there under the name before is no reason. */
static bool
needs_it(const FerryImport *row, const FerryImport *own)
{
    return ferry_import_is_open(row) ||
           (row->state == FERRY_IMPORT_DELIVERED && row->inode == own->inode);
}

const char *
ferry_import_needed_by(GPtrArray *rows, const FerryImport *own)
{
    for (guint i = 0; i < rows->len; i++) {
        const FerryImport *row = row_at(rows, i);

        if (needs_it(row, own) && g_strcmp0(row->migration_id, own->migration_id) != 0)
            return row->migration_id;
    }
    return NULL;
}
