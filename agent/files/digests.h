/* digests.h: what files of this host hold, each computed once: by one detached call
 * (runtime/detached-call.h) however many ask, and not again as long as size, time of the last write
 * and inode stay (kept in the journal).
 *
 * Threads: any but main. Answers come within the time that the asker gives; the reading goes on
 * meanwhile, so a question without an answer is simply asked again.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "journal/journal.h"
#include "virt/virt.h"

typedef struct FerryDigests FerryDigests;

/** @stopping: ends all reading. */
FerryDigests *ferry_digests_new(FerryJournal *journal, FerryVirt *virt, GCancellable *stopping);
/** Waits for the threads that read; @stopping has to be ended before. */
void ferry_digests_free(FerryDigests *digests);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDigests, ferry_digests_free)

typedef enum {
    FERRY_DIGEST_KNOWN,
    FERRY_DIGEST_PENDING, /* ask again */
    FERRY_DIGEST_FAILED,
} FerryDigestAnswer;

/**
 * ferry_digests_ask:
 * @path: resolved and allowed
 * @wait_ms: how long the caller waits for a file that has to be read
 * @ret_digest: (transfer full): content-digest.h, when KNOWN
 * @error: FERRY_ERROR_MIGRATION_ERROR, when FAILED: it cannot be read, or was written to meanwhile
 */
FerryDigestAnswer ferry_digests_ask(FerryDigests *digests,
                                    const char *path,
                                    guint wait_ms,
                                    char **ret_digest,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As ferry_digests_ask(), but asks until it is known. @error: also FERRY_ERROR_CANCELLED when
 * @cancellable ended. Returns: (transfer full): NULL on error. */
char *ferry_digests_await(FerryDigests *digests,
                          const char *path,
                          GCancellable *cancellable,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The file at @path was renamed to @new_path: what is known of it moves along. A failure is
 * logged: it costs a second reading. */
void ferry_digests_renamed(FerryDigests *digests, const char *path, const char *new_path);
