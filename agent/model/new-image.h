/* new-image.h: an empty image that is to be made. A plain value; its strings are somebody
 * else's. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/file-owner.h"
#include "model/qcow2.h"

/* The image that a new one lies on. */
typedef struct {
    const char *path; /* as the new image's header shall name it; NULL: on none */
    const char *format;
    bool missing; /* it comes later: the image is made by qemu-img, which does not look for it */
} FerryBacking;

typedef struct {
    const char *path;   /* absolute; its last part is valid UTF-8 without control characters */
    const char *format; /* raw, qcow2 */
    guint64 capacity_bytes;
    const FerryQcow2 *qcow2; /* for "qcow2": whose version, cluster size, refcount bits and features
                                it shall have; NULL or not known: QEMU's defaults */
    FerryBacking backing;    /* for "qcow2" only */
    const FerryFileOwner *owner; /* whose it shall be; NULL or not known: whoever makes it */
    const char *secret_uuid;     /* libvirt's secret with the passphrase of a LUKS image, or NULL */
} FerryNewImage;
