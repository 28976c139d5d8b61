/* content-digest.h: what a file holds, in one line: equal content gives equal digests, wherever it
 * has holes and whichever way its bytes were read. Its cost follows the data.
 *
 * SHA-256 over each block of 64 KiB that is not all zeros, with its offset before it, and over the
 * file's length at the end. Written as model/digest-line.h has it.
 * Threads: a digest belongs to one thread; no globals.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "virt/virt.h"

typedef struct FerryContentDigest FerryContentDigest;

FerryContentDigest *ferry_content_digest_new(void);
void ferry_content_digest_free(FerryContentDigest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryContentDigest, ferry_content_digest_free)

/** Takes a piece; offsets rise, pieces do not overlap, what is left out is zero. */
void ferry_content_digest_add(FerryContentDigest *digest,
                              guint64 offset,
                              const guint8 *data,
                              gsize length);

/** Returns: (transfer full): the line; @digest is used up. */
char *ferry_content_digest_finish(FerryContentDigest *digest, guint64 file_bytes);

/**
 * ferry_content_digest_of_file:
 * Reads all data of the file; blocks, any thread but main.
 * @error: as ferry_file_scan()
 * Returns: (transfer full): the line.
 */
char *ferry_content_digest_of_file(FerryVirt *virt,
                                   const char *path,
                                   GCancellable *cancellable,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
