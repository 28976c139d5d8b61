/* domain-edit.h: a domain's XML with its disks or listeners at other places. Pure, any thread.
 *
 * For the documents that a migration hands to libvirt: made from XML with its secrets, so the
 * result is never logged, journaled or sent anywhere else.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What changes of one disk; the strings are the caller's. */
typedef struct {
    const char *target; /* NULL: whichever drive has the file */
    const char *from;   /* the file that it has: another one is left alone */
    const char *pool;   /* where it is named as a volume: of this pool, instead; or NULL */
    const char *volume;
    const char *path;   /* the file that it gets */
    const char *format; /* "raw" or "qcow2" */
    bool unmap;         /* what is discarded is given back: discard='unmap' */
    bool detect_zeroes; /* and zeroes that are written are, too: detect_zeroes='unmap' */
} FerryDiskEdit;

/**
 * ferry_domxml_edit:
 * @xml: a <domain> with secrets, as libvirt printed it
 * @edits: one a disk. One that is named as a volume is named as a file afterwards, or as a device
 *   where its path lies in /dev. A <backingStore> goes where the file does: libvirt reads the chain
 *   anew
 * @ret_edited: (nullable): how many of @edits found their disk
 * @error: FERRY_ERROR_INVALID_REQUEST: not a domain's XML
 * Returns: (transfer full): the changed document.
 */
char *ferry_domxml_edit(const char *xml,
                        const FerryDiskEdit *edits,
                        guint count,
                        guint *ret_edited,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the document with a file in the place of each disk that is a volume of
 * a pool: for a question about devices, since the path is made up. @xml, @error: as above */
char *ferry_domxml_name_volumes_by_path(const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_domxml_move_listeners:
 * @xml: as above
 * @addresses: {address: what takes its place}: of displays, and of serial ports, consoles and
 *   channels that listen there; who connects to an address goes on connecting to it
 * Returns: (transfer full): the changed document.
 */
char *ferry_domxml_move_listeners(const char *xml,
                                  const json_t *addresses,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the document with its SCSI controllers outside of their iothreads; the
 * number of queues, which the guest sees, stays. @ret_left: how many had one. @error: as above */
char *ferry_domxml_leave_scsi_iothreads(const char *xml,
                                        guint *ret_left,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
