/* redefine.h: the two documents of an instance that becomes something else at the destination:
 * other paths, other formats, holes that stay holes (model/thin-way.h), displays and ports that
 * listen at another address, and while it runs no iothread that the QEMU there cannot copy a disk
 * into.
 *
 * They are made on the source, at the last moment, from libvirt's own XML with its secrets: what
 * crosses the wire (instance_info) has them taken out and must never define a domain. They are not
 * journaled, logged or sent anywhere but into the migration call. Threads: any but main.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"
#include "model/migrate-data.h"

/* Both or none: with one of them alone libvirt would make the running instance and its definition
 * two different things. */
typedef struct {
    char *live;           /* VIR_MIGRATE_PARAM_DEST_XML */
    char *persistent;     /* VIR_MIGRATE_PARAM_PERSIST_XML */
    guint left_iothreads; /* SCSI controllers that arrive outside of theirs, until a cold boot */
} FerryRedefinition;

void ferry_redefinition_clear(FerryRedefinition *redefinition);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRedefinition, ferry_redefinition_clear)

/**
 * ferry_redefinition_make:
 * @domain: on the source
 * @instance: as described on the source
 * @migrate_data: what the destination made of its disks
 * @sparsify: zeroes that arrive are given back as holes, until the next cold boot
 * @ret: both NULL where the instance arrives as it is
 * @error: FERRY_ERROR_MIGRATION_ERROR: libvirt cannot print the domain, or it has other disks by
 * now
 */
bool ferry_redefinition_make(virDomainPtr domain,
                             const FerryInstance *instance,
                             const FerryMigrateData *migrate_data,
                             bool sparsify,
                             FerryRedefinition *ret,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @xml, the definition of an instance that does not run, with its
 * secrets, as the destination is to have it. */
char *ferry_redefinition_of_definition(const char *xml,
                                       const FerryInstance *instance,
                                       const FerryMigrateData *migrate_data,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
