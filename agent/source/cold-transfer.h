/* cold-transfer.h: the transfer of an instance that does not run: its images are carried as files,
 * then it is defined on the destination.
 *
 * The definition goes from libvirtd to libvirtd (an offline migration), so that it arrives with
 * what libvirt hides from clients. It goes last: a destination that has it has everything. The
 * source keeps its own until the outcome.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/transfer.h"

/**
 * ferry_cold_transfer_run:
 * @resumed: an agent's earlier life began it: what has arrived stays, the rest is carried
 * @ret_result: .error is what libvirt said when the instance was to be defined there; whether it
 *   is, both hosts have to tell
 * @error: nothing was defined: it was started meanwhile, its images changed, a file did not arrive,
 *   or it was aborted
 */
bool ferry_cold_transfer_run(FerryMigration *migration,
                             bool resumed,
                             FerryTransferResult *ret_result,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
