#include "config.h"

#include "destination/import.h"

#include "destination/pool.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "files/digests.h"
#include "files/own-file.h"
#include "files/partial-file.h"
#include "journal/identities.h"
#include "model/carried-file.h"
#include "model/import.h"
#include "model/migrate-data.h"
#include "model/paths.h"
#include "model/storage-strategy.h"
#include "runtime/fault-point.h"
#include "storage/leftover.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/pool.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* How long a call waits for a file that is being read; less than the peer waits for an answer. */
#define READING_MS 2000
/* How much of a digest tells partial files of one folder apart. */
#define NAME_DIGITS 16

struct FerryImports {
    const FerryAgent *agent;
    GMutex lock; /* held while it is decided, by the journal, who copies and what may go */
};

FerryImports *
ferry_imports_new(const FerryAgent *agent)
{
    FerryImports *self = g_new0(FerryImports, 1);

    self->agent = agent;
    g_mutex_init(&self->lock);
    return self;
}

void
ferry_imports_free(FerryImports *self)
{
    if (!self)
        return;
    g_mutex_clear(&self->lock);
    g_free(self);
}

/* --- rows and answers ------------------------------------------------------------------------- */

/* Beside @path, and told from other contents for it by the end of the digest. A name that would be
 * too long loses its own end. */
static char *
partial_name(const char *path, const char *digest)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *end = g_strdup_printf(".%s.virt-ferry", digest + strlen(digest) - NAME_DIGITS);
    gsize length = MIN(strlen(name), NAME_MAX - strlen(end));

    while (length > 0 && ((guchar)name[length] & 0xC0) == 0x80)
        length--; /* not in the middle of a character */
    name[length] = '\0';
    return g_strconcat(folder, "/", name, end, NULL);
}

static FerryImport *
new_row(const char *migration_id, const char *path, const FerryCarriedFile *file)
{
    FerryImport *row = g_new0(FerryImport, 1);

    row->migration_id = g_strdup(migration_id);
    row->path = g_strdup(path);
    row->partial = partial_name(path, file->digest);
    row->kind = g_strdup(file->kind);
    row->digest = g_strdup(file->digest);
    row->file_bytes = file->file_bytes;
    return row;
}

static FerryImport *
find_row(FerryImports *self, const char *migration_id, const char *path, GError **error)
{
    g_autoptr(GPtrArray) rows = ferry_journal_imports(self->agent->journal, migration_id, error);

    for (guint i = 0; rows && i < rows->len; i++) {
        FerryImport *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->path, path) == 0)
            return g_ptr_array_steal_index(rows, i);
    }
    return NULL;
}

static bool
enter(FerryImports *self, FerryImport *row, FerryImportState state, GError **error)
{
    row->state = state;
    return ferry_journal_import_put(self->agent->journal, row, error);
}

static json_t *
answer_present(void)
{
    return json_pack("{s:s}", "state", "present");
}

static json_t *
answer_wait(const char *why)
{
    return json_pack("{s:s, s:s}", "state", "wait", "why", why);
}

static json_t *
answer_copy(const FerryImport *row, guint64 offset)
{
    return json_pack("{s:s, s:o, s:I}", "state", "copy", "path", ferry_json_text(row->partial),
                     "offset_bytes", (json_int_t)offset);
}

/* --- a file that is there --------------------------------------------------------------------- */

static bool
make_way(FerryImports *self,
         virConnectPtr connection,
         const FerryRecord *record,
         const char *path,
         const char *how,
         GError **error)
{
    const FerryArrival arrival = {
        .agent = self->agent,
        .connection = connection,
        .migration_id = record->migration_id,
        .instance_uuid = record->instance_uuid,
    };
    bool was_leftover = false;

    if (!ferry_leftover_set_aside(&arrival, path, &was_leftover, error))
        return false;
    return was_leftover || ferry_partial_refuse_other(path, how, error);
}

/* Whether the migration of @row gave the file its name. An agent of before noted no more than the
 * inode: that is enough to use the file, and not to delete it. */
static bool
is_published_by(FerryImports *self, const FerryImport *row)
{
    struct stat st;
    const FerryOwnFile file = {
        .agent = self->agent, .migration_id = row->migration_id, .path = row->path};

    switch (ferry_own_file_look(&file, /* why= */ NULL)) {
    case FERRY_OWN_FILE_OURS:
        return true;
    case FERRY_OWN_FILE_UNKNOWN:
        return row->inode != 0 &&
               ferry_journal_identity_is_of_before(self->agent->journal, row->migration_id,
                                                   row->path) &&
               lstat(row->path, &st) == 0 && st.st_ino == row->inode;
    case FERRY_OWN_FILE_GONE:
    case FERRY_OWN_FILE_FOREIGN:
        break;
    }
    return false;
}

/* Ours also when an earlier life of the agent gave it its name and died before it could say so. */
static bool
is_made(FerryImports *self, const FerryImport *row)
{
    g_autoptr(FerryImport) before = find_row(self, row->migration_id, row->path, NULL);

    return before && (before->state == FERRY_IMPORT_PUBLISHED ||
                      (before->state == FERRY_IMPORT_COPYING && is_published_by(self, before)));
}

/* A base may be anybody's who has the same content; an image is of this instance alone: what it
 * left behind here, or nothing. */
static bool
use_present(FerryImports *self,
            virConnectPtr connection,
            const FerryRecord *record,
            FerryImport *row,
            const struct stat *st,
            GError **error)
{
    bool made = is_made(self, row);

    if (!made && strcmp(row->kind, FERRY_CARRIED_IMAGE) == 0 &&
        !ferry_leftover_may_replace(self->agent, connection, row->path, record->instance_uuid))
        return ferry_partial_refuse_other(row->path, "it is not what this instance left here",
                                          error);
    row->inode = st->st_ino;
    return enter(self, row, made ? FERRY_IMPORT_PUBLISHED : FERRY_IMPORT_PRESENT, error);
}

/* Sets @ret_answer to what is to be told of the file at the row's path, or to NULL when there is
 * none (any more). */
static bool
look_at_present(FerryImports *self,
                virConnectPtr connection,
                const FerryRecord *record,
                FerryImport *row,
                json_t **ret_answer,
                GError **error)
{
    struct stat st;
    g_autofree char *digest = NULL;

    *ret_answer = NULL;
    if (lstat(row->path, &st) < 0)
        return true;
    if (!S_ISREG(st.st_mode))
        return ferry_partial_refuse_other(row->path, "no regular file", error);
    if ((guint64)st.st_size != row->file_bytes)
        return make_way(self, connection, record, row->path, "its length differs", error);
    switch (ferry_digests_ask(self->agent->digests, row->path, READING_MS, &digest, error)) {
    case FERRY_DIGEST_FAILED:
        return false;
    case FERRY_DIGEST_PENDING:
        *ret_answer = answer_wait("the file that is there is compared");
        return true;
    case FERRY_DIGEST_KNOWN:
        break;
    }
    if (g_strcmp0(digest, row->digest) != 0)
        return make_way(self, connection, record, row->path, "its content differs", error);
    if (!use_present(self, connection, record, row, &st, error))
        return false;
    *ret_answer = answer_present();
    return true;
}

/* --- claiming and the partial file ------------------------------------------------------------ */

/* Returns: (transfer full) (nullable): the row, of this migration or another, by which its partial
 * file was made. */
static FerryImport *
steal_maker(FerryImports *self, GPtrArray *rows, const FerryImport *row)
{
    for (guint i = 0; i < rows->len; i++) {
        const FerryImport *other = g_ptr_array_index(rows, i);

        if (g_strcmp0(other->partial, row->partial) == 0 &&
            ferry_partial_is_made_by(self->agent, other))
            return g_ptr_array_steal_index(rows, i);
    }
    return NULL;
}

/* Once a row says that it is copied, and not that it is going to be, a file of its name counts as
 * one of an agent of before. */
static bool
claim_copy(FerryImports *self, GPtrArray *rows, FerryImport *row, GError **error)
{
    bool is_noted = false;

    for (guint i = 0; i < rows->len; i++) {
        const FerryImport *before = g_ptr_array_index(rows, i);

        is_noted = is_noted || (before->state == FERRY_IMPORT_COPYING &&
                                g_strcmp0(before->migration_id, row->migration_id) == 0);
    }
    return (is_noted || ferry_partial_intend(self->agent, row, error)) &&
           enter(self, row, FERRY_IMPORT_COPYING, error);
}

/* Decides and notes in one go, so that of two migrations one copies. @ret_maker: of what is there
 * of it. */
static bool
claim(FerryImports *self, FerryImport *row, FerryImport **ret_maker, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);
    g_autoptr(GPtrArray) rows =
        ferry_journal_imports_of_path(self->agent->journal, row->path, error);

    if (!rows)
        return false;
    switch (ferry_import_decide(rows, row)) {
    case FERRY_IMPORT_REFUSE:
        return ferry_partial_refuse_other(row->path, "another migration is bringing it", error);
    case FERRY_IMPORT_WAIT:
        return enter(self, row, FERRY_IMPORT_WAITING, error);
    case FERRY_IMPORT_COPY:
        break;
    }
    if (!claim_copy(self, rows, row, error))
        return false;
    *ret_maker = steal_maker(self, rows, row);
    return true;
}

static bool
ensure_folder(FerryImports *self,
              virConnectPtr connection,
              const FerryImport *row,
              const FerryCarriedFile *file,
              GError **error)
{
    const FerryPreparation preparation = {
        .agent = self->agent,
        .connection = connection,
        .migration_id = row->migration_id,
    };
    g_autofree char *folder = g_path_get_dirname(row->path);
    g_autoptr(virStoragePool) pool =
        ferry_pool_ensure(&preparation, file->pool, folder, &file->folder_owner, error);

    return pool != NULL;
}

static json_t *
start_copy(FerryImports *self,
           virConnectPtr connection,
           FerryImport *row,
           const FerryCarriedFile *file,
           const FerryImport *maker,
           GError **error)
{
    guint64 offset = 0;

    if (!ensure_folder(self, connection, row, file, error))
        return NULL;
    ferry_fault_point("partial", "begin");

    if (!ferry_partial_begin(self->agent, row, file, maker, &offset, error))
        return NULL;
    ferry_fault_point("partial", "end");
    ferry_virt_folder_refresh(connection, row->path);
    return answer_copy(row, offset);
}

/* What is at a path, and whether a content was guessed right, is told to nobody who only asks. What
 * is a seed was decided here. */
static bool
check_is_brought(const FerryRecord *record, const FerryCarriedFile *file, GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(record->instance_info, error);
    g_autoptr(FerryMigrateData) prepared = NULL;

    if (!instance)
        return false;
    if (record->migrate_data) {
        prepared = ferry_migrate_data_from_json(record->migrate_data, error);
        if (!prepared)
            return false;
        ferry_storage_strategy_adopt(instance, prepared);
    }
    if (ferry_carried_file_is_of(file, instance))
        return true;
    ferry_set_error(
        error, FERRY_ERROR_INVALID_REQUEST, "Name it in the instance_info of pre_live_migration",
        "The migration '%s' brings no %s '%s'", record->migration_id, file->kind, file->path);
    return false;
}

json_t *
ferry_imports_begin(FerryImports *self,
                    virConnectPtr connection,
                    const FerryRecord *record,
                    const json_t *object,
                    GError **error)
{
    g_autoptr(FerryCarriedFile) file = ferry_carried_file_from_json(object, error);
    g_autofree char *path = NULL;
    g_autoptr(FerryImport) maker = NULL;
    json_t *answer = NULL;

    if (!file || !check_is_brought(record, file, error) ||
        !ferry_path_check(file->path, (const char *const *)self->agent->config->allowed_paths,
                          &path, error))
        return NULL;

    g_autoptr(FerryImport) row = new_row(record->migration_id, path, file);

    if (!look_at_present(self, connection, record, row, &answer, error) || answer)
        return answer;
    if (!claim(self, row, &maker, error))
        return NULL;
    return row->state == FERRY_IMPORT_WAITING
               ? answer_wait("another migration is bringing it")
               : start_copy(self, connection, row, file, maker, error);
}

/* --- publishing ------------------------------------------------------------------------------- */

/* What it is is noted before the name is given: after a crash it tells our file from another. */
static json_t *
publish_partial(FerryImports *self, virConnectPtr connection, FerryImport *row, GError **error)
{
    bool read_only = g_strcmp0(row->kind, FERRY_CARRIED_BASE) == 0;

    if (!ferry_partial_settle(self->agent, row, read_only, error) ||
        !enter(self, row, FERRY_IMPORT_COPYING, error) ||
        !ferry_partial_give_name(self->agent, row, error))
        return NULL;
    ferry_fault_point("publish", "end");
    ferry_digests_renamed(self->agent->digests, row->partial, row->path);
    if (!enter(self, row, FERRY_IMPORT_PUBLISHED, error))
        return NULL;
    ferry_virt_folder_refresh(connection, row->path);
    return answer_present();
}

static json_t *
begin_again(FerryImports *self, FerryImport *row, GError **error)
{
    g_warning("What arrived in '%s' is not what was announced; it is copied again", row->partial);
    return ferry_partial_empty(self->agent, row, error) ? answer_copy(row, 0) : NULL;
}

static json_t *
verify_and_publish(FerryImports *self, virConnectPtr connection, FerryImport *row, GError **error)
{
    g_autofree char *digest = NULL;

    switch (ferry_digests_ask(self->agent->digests, row->partial, READING_MS, &digest, error)) {
    case FERRY_DIGEST_FAILED:
        return NULL;
    case FERRY_DIGEST_PENDING:
        return answer_wait("what arrived is verified");
    case FERRY_DIGEST_KNOWN:
        break;
    }
    return g_strcmp0(digest, row->digest) == 0 ? publish_partial(self, connection, row, error)
                                               : begin_again(self, row, error);
}

json_t *
ferry_imports_publish(FerryImports *self,
                      virConnectPtr connection,
                      const FerryRecord *record,
                      const char *path,
                      GError **error)
{
    g_autofree char *resolved = NULL;

    if (!ferry_path_check(path, (const char *const *)self->agent->config->allowed_paths, &resolved,
                          error))
        return NULL;

    g_autoptr(FerryImport) row = find_row(self, record->migration_id, resolved, error);

    if (row && row->state == FERRY_IMPORT_WAITING)
        return answer_wait("another migration is bringing it");
    if (row && (row->state == FERRY_IMPORT_PUBLISHED || row->state == FERRY_IMPORT_PRESENT))
        return answer_present();
    if (!row || row->state != FERRY_IMPORT_COPYING) {
        if (!error || !*error)
            ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                            "Call prepare_file with it first",
                            "The migration '%s' does not bring '%s'", record->migration_id, path);
        return NULL;
    }
    if (is_published_by(self, row))
        return enter(self, row, FERRY_IMPORT_PUBLISHED, error) ? answer_present() : NULL;
    return verify_and_publish(self, connection, row, error);
}

/* --- the end ---------------------------------------------------------------------------------- */

static json_t *
row_to_json(const FerryImport *row, const char *path, const char *why)
{
    json_t *object =
        json_pack("{s:o, s:o}", "kind", ferry_json_text(row->kind), "path", ferry_json_text(path));

    if (why)
        json_object_set_new(object, "why", ferry_json_text(why));
    return object;
}

/* Returns: (transfer none) (nullable): the file that is this migration's to remove by this row. */
static const char *
removable(FerryImports *self, const FerryImport *row)
{
    if (row->state != FERRY_IMPORT_PUBLISHED && row->state != FERRY_IMPORT_COPYING)
        return NULL;
    if (is_published_by(self, row))
        return row->path;
    return row->state == FERRY_IMPORT_COPYING ? row->partial : NULL;
}

/* What could not be removed stays in its state; what is not the migration's own does not keep
 * others waiting. */
static bool
undo_row(FerryImports *self,
         virConnectPtr connection,
         FerryImport *row,
         json_t *removed,
         json_t *kept,
         GError **error)
{
    g_autofree char *user = NULL;
    g_autoptr(GError) why = NULL;
    const char *path = removable(self, row);
    const FerryOwnFile file = {
        .agent = self->agent, .migration_id = row->migration_id, .path = path};
    g_autoptr(GPtrArray) rows =
        ferry_journal_imports_of_path(self->agent->journal, row->path, error);

    if (!rows)
        return false;
    if (!path || ferry_import_needed_by(rows, row))
        return enter(self, row, FERRY_IMPORT_RELEASED, error);
    if (ferry_virt_path_is_used(connection, path, NULL, &user)) {
        /* A base or a medium that somebody else began to use is theirs now. */
        if (ferry_import_is_shared(row))
            return enter(self, row, FERRY_IMPORT_RELEASED, error);
        why = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL, "'%s' is in use by '%s'", path,
                              user);
    }
    if (why || !ferry_own_file_delete(&file, connection, &why)) {
        if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        json_array_append_new(kept, row_to_json(row, path, why->message));
        return ferry_own_file_look(&file, /* why= */ NULL) == FERRY_OWN_FILE_OURS ||
               enter(self, row, FERRY_IMPORT_RELEASED, error);
    }
    json_array_append_new(removed, row_to_json(row, path, NULL));
    return enter(self, row, FERRY_IMPORT_REMOVED, error);
}

bool
ferry_imports_undo(FerryImports *self,
                   virConnectPtr connection,
                   const char *migration_id,
                   json_t *removed,
                   json_t *kept,
                   GError **error)
{
    g_autoptr(GPtrArray) rows = ferry_journal_imports(self->agent->journal, migration_id, error);

    if (!rows)
        return false;
    for (guint i = rows->len; i > 0; i--) {
        FerryImport *row = g_ptr_array_index(rows, i - 1);

        if (!ferry_import_is_open(row))
            continue;
        /* Against a migration that begins to wait for it at this moment. */
        g_mutex_lock(&self->lock);
        bool ok = undo_row(self, connection, row, removed, kept, error);
        g_mutex_unlock(&self->lock);

        if (!ok)
            return false;
    }
    return true;
}

/* The file that @row says to be the migration's, by the word of an agent of before. */
static void
adopt(FerryImports *self, const FerryImport *row, gint64 since_us)
{
    g_autoptr(GError) error = NULL;
    const FerryOwnFile file = {
        .agent = self->agent, .migration_id = row->migration_id, .path = removable(self, row)};

    if (file.path &&
        ferry_journal_identity_is_of_before(self->agent->journal, row->migration_id, file.path) &&
        ferry_own_file_is_born(&file, since_us, G_MAXINT64) && !ferry_own_file_note(&file, &error))
        g_warning("Migration '%s': a rollback will keep '%s': %s", row->migration_id, file.path,
                  error->message);
}

void
ferry_imports_adopt(FerryImports *self)
{
    g_autoptr(GPtrArray) records = ferry_journal_list_incoming(self->agent->journal, NULL);

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);
        g_autoptr(GPtrArray) rows =
            ferry_journal_imports(self->agent->journal, record->migration_id, NULL);

        for (guint j = 0; rows && j < rows->len; j++)
            adopt(self, g_ptr_array_index(rows, j), record->created_us);
    }
}

bool
ferry_imports_brought(FerryImports *self, const char *migration_id, const char *path)
{
    g_autoptr(FerryImport) row = find_row(self, migration_id, path, NULL);

    return row && (row->state == FERRY_IMPORT_PUBLISHED || row->state == FERRY_IMPORT_PRESENT);
}

bool
ferry_imports_deliver(FerryImports *self, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) rows = ferry_journal_imports(self->agent->journal, migration_id, error);

    for (guint i = 0; rows && i < rows->len; i++) {
        FerryImport *row = g_ptr_array_index(rows, i);

        if (ferry_import_is_open(row) && !enter(self, row, FERRY_IMPORT_DELIVERED, error))
            return false;
    }
    return rows != NULL;
}
