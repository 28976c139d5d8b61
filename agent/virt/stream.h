/* stream.h: the bytes of a volume through libvirt's sparse streams, in and out.
 *
 * What travels are the file's own bytes, whatever its format; holes are told and not sent.
 * Threads: any but main; each call blocks as long as libvirtd, the disk or the link does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* No piece is longer. libvirt's stream messages of all versions take as much. */
#define FERRY_SCAN_PIECE_BYTES (256 * 1024 - 64)

/**
 * FerryScanFunc:
 * @offset: where the piece lies in the file; rises from call to call. What is not told is a hole
 * @data: @length bytes; NULL with 0 at the end, when @offset is the length of the file
 * Returns: false with @error to end the scan.
 */
typedef bool (*FerryScanFunc)(
    guint64 offset, const guint8 *data, gsize length, gpointer user, GError **error);

/* An upload under way. One thread at a time. */
typedef struct FerryVolumeWriter FerryVolumeWriter;

/**
 * ferry_volume_writer_open:
 * @path: a volume of an active pool of @connection's host; exists already
 * @offset: where the first byte goes; what lies before it stays
 */
FerryVolumeWriter *ferry_volume_writer_open(virConnectPtr connection,
                                            const char *path,
                                            guint64 offset,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Both move on by @length bytes; @length of data is bounded by FERRY_SCAN_PIECE_BYTES. */
bool ferry_volume_writer_data(FerryVolumeWriter *writer,
                              const guint8 *data,
                              gsize length,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ferry_volume_writer_hole(FerryVolumeWriter *writer,
                              guint64 length,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Waits until the other side has written all of it. */
bool ferry_volume_writer_finish(FerryVolumeWriter *writer,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives the upload up unless it was finished. */
void ferry_volume_writer_free(FerryVolumeWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryVolumeWriter, ferry_volume_writer_free)

/**
 * ferry_virt_volume_scan:
 * As ferry_file_scan(), of a volume of an active pool of @connection's host.
 */
bool ferry_virt_volume_scan(virConnectPtr connection,
                            const char *path,
                            guint64 offset,
                            FerryScanFunc func,
                            gpointer data,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
