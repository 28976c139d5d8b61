/* stopped-domain.h: an instance that arrived, ran, and stands by an I/O error: its new file system
 * is full, most often.
 *
 * Threads: any but main; libvirt may block.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"

/**
 * ferry_stopped_domain_resume:
 * @instance: as described on the source, at its place here (placement.h); it ran there
 * Lets the domain go on where it stands by an I/O error, nothing but room was wanting, and there is
 * room again. Nothing is done to one that does not stand, or stands for another reason.
 * @error: FERRY_ERROR_MIGRATION_ERROR, with details.reason "io-error": it stands still. Says which
 *   disk has no room, and what to do
 */
bool ferry_stopped_domain_resume(virConnectPtr connection,
                                 const FerryInstance *instance,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
