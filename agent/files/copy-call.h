/* copy-call.h: a copy of a file (files/copy.h) in a thread of its own.
 *
 * Shared by the caller's thread and the copy's; lives until both let go, because a connection to a
 * host that is gone keeps its thread for minutes, and who gave up must not wait for it.
 */
#pragma once

#include "files/copy.h"

typedef struct FerryFileCopyCall FerryFileCopyCall;

/** @request: copied; @request->virt outlives the agent's threads. */
FerryFileCopyCall *ferry_file_copy_call_start(const FerryFileCopyRequest *request);

/** Returns: true once the copy ended, false after @timeout_ms. */
bool ferry_file_copy_call_wait(FerryFileCopyCall *call, guint timeout_ms);

/** How far it is: see FerryFileCopyCounter. */
void ferry_file_copy_call_count(FerryFileCopyCall *call,
                                guint64 *ret_position_bytes,
                                guint64 *ret_sent_bytes);

/** Of a copy that ended: as ferry_file_copy_run(). */
bool ferry_file_copy_call_result(FerryFileCopyCall *call, GError **error);

/** The caller lets go. */
void ferry_file_copy_call_unref(FerryFileCopyCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFileCopyCall, ferry_file_copy_call_unref)
