/* copy-call.h: a copy of a file (files/copy.h) as a detached call.
 *
 * A connection to a host that is gone keeps its thread for a while, and who gave up must not wait
 * for it. Threads: any but main.
 */
#pragma once

#include "files/copy.h"
#include "runtime/detached-call.h"

/** @request: copied. Returns: a call whose result is that of ferry_file_copy_run(). */
FerryDetachedCall *ferry_file_copy_call_start(const FerryFileCopyRequest *request);

/** How far a call of ferry_file_copy_call_start() is, over or not: see FerryFileCopyCounter. */
void ferry_file_copy_call_count(FerryDetachedCall *call,
                                guint64 *ret_position_bytes,
                                guint64 *ret_sent_bytes);
