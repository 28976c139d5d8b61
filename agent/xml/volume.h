/* volume.h: volumes and pools in libvirt's storage XML. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/new-image.h"

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

/**
 * ferry_volxml_build:
 * @image: its owner, version, cluster size, lazy refcounts and extended L2 entries are asked for.
 *   Refcount width and compression are left to QEMU's defaults: libvirt cannot ask for them, and
 *   the guest does not see them. libvirt wants a backing file to exist
 * Returns: (transfer full): a <volume> of that capacity that allocates nothing, named as the last
 * part of the path.
 */
char *ferry_volxml_build(const FerryNewImage *image);

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

/** Returns: (transfer full): a <pool type='dir'> for an absolute @directory. @uuid: (nullable):
 * libvirt chooses one. @owner: (nullable): who gets the folder when libvirt makes it. */
char *ferry_poolxml_build(const char *name,
                          const char *uuid,
                          const char *directory,
                          const FerryFileOwner *owner);

/** @xml: of virConnectGetStoragePoolCapabilities(). Returns: true when it says that pools of @type
 * are not supported. */
bool ferry_poolcapsxml_lack(const char *xml, const char *type);

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
