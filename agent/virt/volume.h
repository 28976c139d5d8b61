/* volume.h: volumes of the local libvirt.
 *
 * Images are made, read and deleted through libvirt's storage API, so that the agent itself needs
 * no rights on the files. Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/new-image.h"
#include "model/qcow2.h"
#include "virt/passing-pool.h"

/* An image as the storage shows it. A plain value. */
typedef struct {
    char *pool; /* NULL when no active pool holds it */
    char *format;
    guint64 capacity_bytes;
    guint64 allocation_bytes;
    guint64 file_bytes; /* its length; 0 where the agent's user may not look */
    FerryQcow2 qcow2;   /* known only for qcow2 */
    char *fingerprint;  /* changes with every write to the file; NULL when it cannot be told */
} FerryImage;

void ferry_image_clear(FerryImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryImage, ferry_image_clear)

/**
 * ferry_virt_image_info:
 * @path: a file that the local libvirt names
 * @format: what the domain's XML says; the file's content is never probed for it
 * @error: FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: no pool holds it and it cannot be opened either,
 *   or a qcow2 header is not one
 */
bool ferry_virt_image_info(virConnectPtr connection,
                           const char *path,
                           const char *format,
                           FerryImage *ret_image,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_volume_create:
 * @pool: of the image's folder
 * Makes an empty thin image. What libvirt cannot say (ferry_qcow2_is_plain()) is made by qemu-img,
 * run without a shell; never an encrypted one.
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS, or FERRY_ERROR_MIGRATION_ERROR
 */
bool ferry_virt_volume_create(virStoragePoolPtr pool,
                              const FerryNewImage *image,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_volume_length:
 * @connection: of any host
 * @ret_bytes: how long its file is now, whatever it holds
 * @error: FERRY_ERROR_MIGRATION_ERROR, also when no active pool has it
 */
bool ferry_virt_volume_length(virConnectPtr connection,
                              const char *path,
                              guint64 *ret_bytes,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes the volume at @path. A volume that is not there counts as deleted. */
bool ferry_virt_volume_delete(virConnectPtr connection,
                              const char *path,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A volume, and the pool that was made for the time that it is looked at. A plain value. */
typedef struct {
    virStorageVolPtr volume; /* NULL: there is none */
    FerryPassingPool passing;
} FerryReachedVolume;

void ferry_reached_volume_clear(FerryReachedVolume *reached);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryReachedVolume, ferry_reached_volume_clear)

/** As ferry_virt_volume_find(); where no pool has the folder it is one until @ret is cleared. */
bool ferry_virt_volume_reach(virConnectPtr connection,
                             const char *path,
                             FerryReachedVolume *ret,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the volume at @path after refreshing its pool when needed;
 * NULL without @error when there is none. */
virStorageVolPtr ferry_virt_volume_find(virConnectPtr connection, const char *path, GError **error);
