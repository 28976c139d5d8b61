/* import.h: files that arrive on this host byte for byte: bases, media, seeds, images of instances
 * that do not run. The destination's side; the source's is file-carrier.h.
 *
 * A file grows under a name of ours in its own folder and gets its name only when its content is
 * what was announced, without ever replacing another. Each is a row of the journal
 * (journal/imports.h) before anything is made; undoing removes only what the rows prove, and
 * nothing that another migration uses or waits for. Of several migrations that need one file, one
 * copies and the others wait; when it ends early, the next one goes on with what is there.
 *
 * Threads: any but main; each call of one migration follows the other (destination.c sees to it).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/record.h"
#include "runtime/agent.h"

typedef struct FerryImports FerryImports;

FerryImports *ferry_imports_new(const FerryAgent *agent);
void ferry_imports_free(FerryImports *imports);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryImports, ferry_imports_free)

/**
 * ferry_imports_begin:
 * @file: from the wire: {"kind", "path", "format", "file_bytes", "data_bytes", "digest", "pool"}
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field; FERRY_ERROR_PATH_NOT_ALLOWED;
 *   FERRY_ERROR_DESTINATION_DISK_EXISTS: a file with other content is there;
 *   FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: no space; FERRY_ERROR_MIGRATION_ERROR
 * Returns: (transfer full): {"state": "present"}, or {"state": "copy", "path", "offset_bytes"}:
 * write there from that offset on, then publish; or {"state": "wait", "why"}: ask again.
 */
json_t *ferry_imports_begin(FerryImports *imports,
                            virConnectPtr connection,
                            const FerryRecord *record,
                            const json_t *file,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_imports_publish:
 * @path: as announced
 * Returns: (transfer full): as begin: "present" once the file has its name; "wait" while it is
 * read; "copy" when the content was another: from the beginning.
 */
json_t *ferry_imports_publish(FerryImports *imports,
                              virConnectPtr connection,
                              const FerryRecord *record,
                              const char *path,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds {"kind", "path"[, "why"]} of what was removed and of what could not be; @error: libvirt or
 * the journal could not be asked: call again. */
bool ferry_imports_undo(FerryImports *imports,
                        virConnectPtr connection,
                        const char *migration_id,
                        json_t *removed,
                        json_t *kept,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What an agent of before brought, or began to, is noted as what it is, if it came into being
 * since its migration began. Called once, before orders are taken. */
void ferry_imports_adopt(FerryImports *imports);

/** Returns: true when the file at @path was brought by this migration, complete, or was there
 * with the same content. */
bool ferry_imports_brought(FerryImports *imports, const char *migration_id, const char *path);

/** The instance arrived: what it needs stays. */
bool ferry_imports_deliver(FerryImports *imports,
                           const char *migration_id,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
