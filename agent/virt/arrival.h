/* arrival.h: the definition of an instance that does not run, as it goes from host to host, with
 * the mark that ties it to its migration (xml/arrival-mark.h).
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/** Returns: (transfer full): on the source: @domain's definition with its secrets and the mark; for
 * the migration call alone. @error: FERRY_ERROR_MIGRATION_ERROR */
char *ferry_virt_arrival_document(virDomainPtr domain,
                                  const char *migration_id,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    FERRY_ARRIVAL_UNMARKED, /* also where there is no definition */
    FERRY_ARRIVAL_OURS,     /* it came by this migration */
    FERRY_ARRIVAL_OTHERS,   /* by another one */
} FerryArrivalMark;

/** What the definition with this @uuid says of itself. @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
 * FERRY_ERROR_MIGRATION_ERROR: it cannot be looked at */
bool ferry_virt_arrival_look(virConnectPtr connection,
                             const char *uuid,
                             const char *migration_id,
                             FerryArrivalMark *ret_mark,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes the mark away, once the migration is over: the definition is what it was. A failure is
 * logged: it harms nobody. */
void ferry_virt_arrival_settle(virConnectPtr connection, const char *uuid);
