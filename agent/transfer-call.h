/* transfer-call.h: libvirt's blocking migration call in a thread of its own.
 *
 * Shared by the saga's thread and the call's; lives until both let go, because libvirt may answer
 * after the agent began to stop.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "migration.h"

typedef struct FerryTransferCall FerryTransferCall;

/** Starts the call for @migration's planned disks. @domain: (transfer none). @watch: woken when the
 * call ended, while the caller holds the returned object. */
FerryTransferCall *ferry_transfer_call_start(FerryMigration *migration,
                                             virDomainPtr domain,
                                             FerryVirtWatch *watch);

/** Returns: true once libvirt answered; then *ret_error (transfer full) is its error or NULL. */
bool ferry_transfer_call_is_over(FerryTransferCall *call, GError **ret_error);

/** The caller lets go; the watch is not woken any more. */
void ferry_transfer_call_unref(FerryTransferCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTransferCall, ferry_transfer_call_unref)
