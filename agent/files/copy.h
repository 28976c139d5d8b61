/* copy.h: carries a file of this host, byte for byte, into a volume of another host's libvirt.
 *
 * What is sent are allocated pieces that are not zero; the rest become holes. The far file grows as
 * it is written, from front to back, so its length says how much has arrived: a copy that broke off
 * goes on there, and whoever compares the content at the end (content-digest.h) proves it.
 *
 * Threads: any but main; ferry_file_copy_run() blocks for the whole copy. The counter may be read
 * by any thread meanwhile.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "files/rate.h"
#include "virt/virt.h"

typedef struct {
    FerryVirt *virt;       /* the local libvirt: reads what the agent may not open */
    const char *to_uri;    /* of the far libvirt; checked by ferry_migrate_data_check() */
    const char *from_path; /* resolved and allowed */
    const char *to_path;   /* exists, in an active pool there, @offset_bytes long */
    guint64 offset_bytes;  /* what is there already */
    FerryRate *rate;       /* (nullable): the limit; it may change meanwhile */
    GCancellable *cancellable;
} FerryFileCopyRequest;

/* How far a copy is. Zero at first; written by the copy, read with ferry_file_copy_count(). */
typedef struct {
    GMutex lock;
    guint64 position_bytes; /* guarded by lock; in the file, holes included */
    guint64 sent_bytes;     /* guarded by lock; data on the link */
} FerryFileCopyCounter;

/**
 * ferry_file_copy_run:
 * @counter: a new one counts from @offset_bytes on
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: the far libvirt cannot be reached (any more), ask
 *   what has arrived and go on; FERRY_ERROR_CANCELLED; else a reason that will not pass by itself
 * Returns: true once the far side has written all of it.
 */
bool ferry_file_copy_run(const FerryFileCopyRequest *request,
                         FerryFileCopyCounter *counter,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

void ferry_file_copy_count(FerryFileCopyCounter *counter,
                           guint64 *ret_position_bytes,
                           guint64 *ret_sent_bytes);
