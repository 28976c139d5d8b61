/* transfer-call.h: libvirt's blocking migration call in a thread of its own.
 *
 * Shared by the saga's thread and the call's; lives until both let go, because libvirt may answer
 * after the agent began to stop.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "source/migration.h"

typedef struct FerryTransferCall FerryTransferCall;

/**
 * ferry_transfer_call_start:
 * Starts the call for @migration's planned disks, on a connection of its own.
 * @resume: it takes up a post-copy that broke off
 * @watch: woken when the call ended, while the caller holds the returned object
 * Returns: NULL with FERRY_ERROR_HYPERVISOR_UNAVAILABLE or FERRY_ERROR_INSTANCE_NOT_FOUND; nothing
 * was started then.
 */
FerryTransferCall *ferry_transfer_call_start(FerryMigration *migration,
                                             FerryVirtWatch *watch,
                                             bool resume,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true once libvirt answered; then *ret_error (transfer full) is its error or NULL. */
bool ferry_transfer_call_is_over(FerryTransferCall *call, GError **ret_error);

/** The caller lets go; the watch is not woken any more. */
void ferry_transfer_call_unref(FerryTransferCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTransferCall, ferry_transfer_call_unref)
