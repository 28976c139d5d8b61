#include "config.h"

#include "files/digests.h"

#include "ferry/error.h"
#include "ferry/lock.h"
#include "files/content-digest.h"
#include "journal/imports.h"
#include "runtime/detached-call.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A file that was written to so shortly before it is read may be written to again without a later
 * time of its last write: file systems note it in steps of some milliseconds. */
#define SETTLED_NS (100 * 1000 * 1000)
/* How often one that waits for a digest looks whether it is still wanted. */
#define LOOK_MS 1000

struct FerryDigests {
    FerryJournal *journal;  /* immutable */
    FerryVirt *virt;        /* immutable */
    GCancellable *stopping; /* immutable */

    GMutex lock;
    /* guarded by lock; path -> FerryDetachedCall of a file that is being read, or whose reading
     * failed and nobody has heard of it yet */
    GHashTable *readings;
};

typedef struct {
    FerryDigests *digests;
    char *path;
} Reading;

static void
reading_free(gpointer data)
{
    Reading *self = data;

    g_free(self->path);
    g_free(self);
}

FerryDigests *
ferry_digests_new(FerryJournal *journal, FerryVirt *virt, GCancellable *stopping)
{
    FerryDigests *self = g_new0(FerryDigests, 1);

    self->journal = journal;
    self->virt = virt;
    self->stopping = g_object_ref(stopping);
    self->readings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           (GDestroyNotify)ferry_detached_call_abandon);
    g_mutex_init(&self->lock);
    return self;
}

/* Returns: (transfer container): all that are read now, held. */
static GPtrArray *
hold_readings(FerryDigests *self)
{
    GPtrArray *held = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_detached_call_abandon);
    GHashTableIter iter;
    gpointer call = NULL;
    FERRY_LOCK_SCOPE(&self->lock);

    g_hash_table_iter_init(&iter, self->readings);
    while (g_hash_table_iter_next(&iter, NULL, &call))
        g_ptr_array_add(held, ferry_detached_call_ref(call));
    return held;
}

void
ferry_digests_free(FerryDigests *self)
{
    if (!self)
        return;

    g_autoptr(GPtrArray) held = hold_readings(self);

    for (guint i = 0; i < held->len; i++)
        ferry_detached_call_wait(g_ptr_array_index(held, i), G_MAXUINT, NULL);
    g_hash_table_unref(self->readings);
    g_object_unref(self->stopping);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static bool
stamp_of(const char *path, FerryFileStamp *ret_stamp, GError **error)
{
    struct stat st;

    if (lstat(path, &st) == 0) {
        *ret_stamp = (FerryFileStamp){
            .size_bytes = (guint64)st.st_size,
            .mtime_ns = (gint64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
            .inode = (guint64)st.st_ino,
        };
        return true;
    }
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at the file and at the agent's rights on its folder",
                    "Cannot look at '%s': %s", path, g_strerror(errno));
    return false;
}

static bool
is_settled(const FerryFileStamp *stamp)
{
    return g_get_real_time() * 1000 - stamp->mtime_ns >= SETTLED_NS;
}

static void
wait_until_settled(const FerryFileStamp *stamp)
{
    if (!is_settled(stamp))
        g_usleep(SETTLED_NS / 1000);
}

static bool
read_and_note(FerryDigests *self, const char *path, GError **error)
{
    FerryFileStamp before = {0};
    FerryFileStamp after = {0};

    if (!stamp_of(path, &before, error))
        return false;
    wait_until_settled(&before);

    g_autofree char *digest = ferry_content_digest_of_file(self->virt, path, self->stopping, error);

    if (!digest || !stamp_of(path, &after, error))
        return false;
    if (memcmp(&before, &after, sizeof before) != 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "A base or a medium must not change while instances use it",
                        "'%s' was written to while it was read", path);
        return false;
    }
    return ferry_journal_digest_put(self->journal, path, &after, digest, error);
}

/* What was read is in the journal; who waits holds the call. */
static void
forget_reading(FerryDigests *self, const char *path)
{
    FERRY_LOCK_SCOPE(&self->lock);

    g_hash_table_remove(self->readings, path);
}

static bool
run_reading(gpointer data, GError **error)
{
    Reading *self = data;

    if (!read_and_note(self->digests, self->path, error))
        return false;
    forget_reading(self->digests, self->path);
    return true;
}

/* With the lock held. */
static FerryDetachedCall *
begin_reading(FerryDigests *self, const char *path)
{
    Reading *reading = g_new0(Reading, 1);
    FerryDetachedWork work = {
        .thread = "vf-digest", .func = run_reading, .data = reading, .free_data = reading_free};

    reading->digests = self;
    reading->path = g_strdup(path);

    FerryDetachedCall *call = ferry_detached_call_start(&work);

    g_hash_table_insert(self->readings, g_strdup(path), call);
    return call;
}

/* Returns: (transfer full): the reading of @path that is under way or has failed, or a new one. */
static FerryDetachedCall *
join_reading(FerryDigests *self, const char *path)
{
    FERRY_LOCK_SCOPE(&self->lock);
    FerryDetachedCall *call = g_hash_table_lookup(self->readings, path);

    return ferry_detached_call_ref(call ? call : begin_reading(self, path));
}

/* A failure is told once and then tried anew. */
static void
forget_failure(FerryDigests *self, const char *path, const FerryDetachedCall *call)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (g_hash_table_lookup(self->readings, path) == call)
        g_hash_table_remove(self->readings, path);
}

/* Waits for the reading of @path. Returns: false when it failed; true says nothing yet. */
static bool
wait_for_reading(FerryDigests *self, const char *path, guint wait_ms, GError **error)
{
    g_autoptr(FerryDetachedCall) call = join_reading(self, path);

    if (ferry_detached_call_wait(call, wait_ms, NULL) != FERRY_CALL_OVER ||
        ferry_detached_call_result(call, error))
        return true;
    forget_failure(self, path, call);
    return false;
}

FerryDigestAnswer
ferry_digests_ask(
    FerryDigests *self, const char *path, guint wait_ms, char **ret_digest, GError **error)
{
    for (int i = 0; i < 2; i++) {
        FerryFileStamp stamp = {0};

        if (!stamp_of(path, &stamp, error))
            return FERRY_DIGEST_FAILED;
        *ret_digest = ferry_journal_digest_get(self->journal, path, &stamp);
        if (*ret_digest)
            return FERRY_DIGEST_KNOWN;
        if (i == 0 && !wait_for_reading(self, path, wait_ms, error))
            return FERRY_DIGEST_FAILED;
    }
    return FERRY_DIGEST_PENDING;
}

char *
ferry_digests_await(FerryDigests *self, const char *path, GCancellable *cancellable, GError **error)
{
    for (;;) {
        char *digest = NULL;

        switch (ferry_digests_ask(self, path, LOOK_MS, &digest, error)) {
        case FERRY_DIGEST_KNOWN:
            return digest;
        case FERRY_DIGEST_FAILED:
            return NULL;
        case FERRY_DIGEST_PENDING:
            break;
        }
        if (g_cancellable_is_cancelled(cancellable)) {
            ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "Reading '%s' was given up", path);
            return NULL;
        }
    }
}

void
ferry_digests_renamed(FerryDigests *self, const char *path, const char *new_path)
{
    FerryFileStamp stamp = {0};
    g_autoptr(GError) error = NULL;

    if (!stamp_of(new_path, &stamp, &error)) {
        g_warning("%s", error->message);
        return;
    }

    g_autofree char *digest = ferry_journal_digest_get(self->journal, path, &stamp);

    if (digest && !ferry_journal_digest_put(self->journal, new_path, &stamp, digest, &error))
        g_warning("The digest of '%s' is not noted: %s", new_path, error->message);
}
