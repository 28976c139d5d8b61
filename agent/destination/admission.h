/* admission.h: whether a migration may come to this host: checks, and a slot, space and memory for
 * it. ferry_destination_check() is here, too. Threads: as destination.h.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/destination.h"
#include "journal/record.h"
#include "model/instance.h"
#include "model/order-options.h"

/** From here on @instance is described as it will be on this host: its name, its disks' paths,
 * pools and formats, the addresses at which it listens. */
void ferry_admission_place(const FerryAgent *agent,
                           FerryInstance *instance,
                           const FerryOrderOptions *options,
                           virConnectPtr connection);

/** Runs all checks of the destination. @error: of the first that failed, with all in its details */
bool ferry_admission_check(FerryDestination *destination,
                           virConnectPtr connection,
                           const FerryInstance *instance,
                           const FerryOrderOptions *options,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_admission_reserve:
 * Adds @record to the journal, which reserves slot, space and memory for it, if there are as many.
 * @error: FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, with "retry" in its details where the source shall
 *   ask again; or the journal's or libvirt's
 */
bool ferry_admission_reserve(FerryDestination *destination,
                             virConnectPtr connection,
                             FerryRecord *record,
                             const FerryInstance *instance,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
