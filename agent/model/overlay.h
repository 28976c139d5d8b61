/* overlay.h: what a seeded disk writes to meanwhile: its name, and what becomes of it. Pure, any
 * thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/instance.h"

/* How much longer an overlay's name is than its image's. */
#define FERRY_OVERLAY_EXTRA_BYTES (7 + 36)

/* Of a seeded disk; the same names on both hosts. A plain value. */
typedef struct {
    char *target;
    char *image;   /* the disk's own */
    char *format;  /* the image's: raw, qcow2 */
    char *overlay; /* qcow2 beside it, named after the migration */
    char *pool;    /* the image's, or NULL */
    guint64 capacity_bytes;
} FerryOverlay;

void ferry_overlay_free(FerryOverlay *overlay);

/** Returns: (transfer full): the overlay of the image at @path. */
char *ferry_overlay_path(const char *path, const char *migration_id);

/** Returns: (transfer full) (element-type FerryOverlay): one for each seeded disk. */
GPtrArray *ferry_overlays_new(const FerryInstance *instance, const char *migration_id);

/** Returns: true when @name is what an overlay of @image is called, whichever migration made it. */
bool ferry_overlay_is_of(const char *name, const char *image);

/* What a disk writes to. */
typedef enum {
    FERRY_TOP_NONE, /* no such domain, definition or disk */
    FERRY_TOP_IMAGE,
    FERRY_TOP_OVERLAY,
    FERRY_TOP_OTHER,
} FerryTop;

typedef struct {
    FerryTop live;    /* NONE while QEMU does not run */
    FerryTop defined; /* at the next start; NONE for a transient domain */
} FerryTops;

/* What is to be done with an overlay when the instance stays. */
typedef enum {
    FERRY_OVERLAY_NOTHING,        /* it is not there */
    FERRY_OVERLAY_COMMIT,         /* the guest writes to it */
    FERRY_OVERLAY_COMMIT_OFFLINE, /* the guest is off, and its definition names it */
    FERRY_OVERLAY_REMOVE,         /* its content is in the image */
    FERRY_OVERLAY_KEEP,           /* nobody can tell: a person has to look */
} FerryOverlayAction;

/**
 * ferry_overlay_decide:
 * @noted: the journal says that the snapshot was seen to stand. Without that, a libvirtd that was
 *   killed in the middle of it may show the image where QEMU writes to the overlay
 * @exists: the overlay's file
 */
FerryOverlayAction ferry_overlay_decide(const FerryTops *tops, bool noted, bool exists);
