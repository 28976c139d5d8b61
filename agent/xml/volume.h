/* volume.h: volumes and pools in libvirt's storage XML. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/qcow2.h"

/* What libvirt says of a volume; a plain value, the owner clears it. */
typedef struct {
    char *name;
    char *path;   /* NULL where the XML has none */
    char *format; /* "raw" where the XML says nothing */
    char *mtime;  /* of the last write, seconds with fraction; NULL where the XML has none */
    guint64 capacity_bytes;
    guint64 allocation_bytes;
    bool has_backing_store;
    bool has_extents; /* a volume of a volume group, and where it lies */
} FerryVolumeInfo;

void ferry_volume_info_clear(FerryVolumeInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryVolumeInfo, ferry_volume_info_clear)

/* The image that a new one lies on. */
typedef struct {
    const char *path; /* as the new image's header shall name it */
    const char *format;
    bool missing; /* it comes later: the image is made by qemu-img, which does not look for it */
} FerryBacking;

/**
 * ferry_volxml_build:
 * @name: of the file in the pool: valid UTF-8 without control characters (paths.h looks)
 * @format: "raw" or "qcow2"
 * @qcow2: (nullable): the source's header, for "qcow2": its version, cluster size, lazy refcounts
 *   and extended L2 entries are asked for again. Refcount width and compression are left to QEMU's
 *   defaults: libvirt cannot ask for them, and the guest does not see them
 * @backing: (nullable): for "qcow2" only; libvirt wants it to exist
 * @secret_uuid: (nullable): libvirt's secret with the passphrase of a LUKS image
 * Returns: (transfer full): a <volume> of that capacity that allocates nothing.
 */
char *ferry_volxml_build(const char *name,
                         const char *format,
                         guint64 capacity_bytes,
                         const FerryQcow2 *qcow2,
                         const FerryBacking *backing,
                         const char *secret_uuid);

/** Returns: (transfer full): a raw <volume> of that capacity that allocates all of it. */
char *ferry_volxml_build_full(const char *name, guint64 capacity_bytes);

/**
 * ferry_volxml_parse:
 * @ret_info: set on success only
 * @error: FERRY_ERROR_INVALID_REQUEST: not a volume, or a size that is none
 */
bool ferry_volxml_parse(const char *xml,
                        FerryVolumeInfo *ret_info,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): a <pool type='dir'> for an absolute @directory. */
char *ferry_poolxml_build(const char *name, const char *directory);

/**
 * ferry_poolxml_parse:
 * @ret_name, @ret_type, @ret_target_path: (nullable) (out) (transfer full): set on success only;
 *   the path is NULL for a pool that has none (rbd, gluster ...)
 * @error: FERRY_ERROR_INVALID_REQUEST: not a pool, or one without name or type
 */
bool ferry_poolxml_parse(const char *xml,
                         char **ret_name,
                         char **ret_type,
                         char **ret_target_path,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
