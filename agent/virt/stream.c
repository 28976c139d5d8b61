#include "config.h"

#include "virt/stream.h"

#include "virt/auto.h"
#include "virt/error.h"
#include "virt/volume.h"

/* What virStreamRecvFlags() answers in place of a number of bytes. */
#define AT_HOLE (-3)

struct FerryVolumeWriter {
    virStreamPtr stream;
    char *path;
    bool finished;
};

static bool
find_volume(virConnectPtr connection,
            const char *path,
            virStorageVolPtr *ret_volume,
            GError **error)
{
    g_autoptr(GError) find_error = NULL;
    virStorageVolPtr volume = ferry_virt_volume_find(connection, path, &find_error);

    if (volume) {
        *ret_volume = volume;
        return true;
    }
    if (find_error)
        g_propagate_error(error, g_steal_pointer(&find_error));
    else
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Define and start a storage pool for its folder",
                        "No active storage pool holds '%s'", path);
    return false;
}

/* --- in --------------------------------------------------------------------------------------- */

FerryVolumeWriter *
ferry_volume_writer_open(virConnectPtr connection, const char *path, guint64 offset, GError **error)
{
    virStorageVolPtr found = NULL;

    if (!find_volume(connection, path, &found, error))
        return NULL;

    g_autoptr(virStorageVol) volume = found;
    g_autoptr(virStream) stream = virStreamNew(connection, 0);

    if (!stream ||
        virStorageVolUpload(volume, stream, offset, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM) < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot write to the volume '%s'",
                              path);
        return NULL;
    }

    FerryVolumeWriter *writer = g_new0(FerryVolumeWriter, 1);

    writer->stream = g_steal_pointer(&stream);
    writer->path = g_strdup(path);
    return writer;
}

static bool
fail_writing(const FerryVolumeWriter *writer, GError **error)
{
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "The upload to '%s' broke off",
                                 writer->path);
}

bool
ferry_volume_writer_data(FerryVolumeWriter *writer,
                         const guint8 *data,
                         gsize length,
                         GError **error)
{
    while (length > 0) {
        int sent = virStreamSend(writer->stream, (const char *)data, length);

        if (sent < 0)
            return fail_writing(writer, error);
        data += sent;
        length -= (gsize)sent;
    }
    return true;
}

bool
ferry_volume_writer_hole(FerryVolumeWriter *writer, guint64 length, GError **error)
{
    return length == 0 || virStreamSendHole(writer->stream, (long long)length, 0) == 0 ||
           fail_writing(writer, error);
}

bool
ferry_volume_writer_finish(FerryVolumeWriter *writer, GError **error)
{
    writer->finished = true;
    return virStreamFinish(writer->stream) == 0 || fail_writing(writer, error);
}

void
ferry_volume_writer_free(FerryVolumeWriter *writer)
{
    if (!writer)
        return;
    if (!writer->finished)
        virStreamAbort(writer->stream);
    virStreamFree(writer->stream);
    g_free(writer->path);
    g_free(writer);
}

/* --- out -------------------------------------------------------------------------------------- */

static bool
fail_reading(const char *path, GError **error)
{
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Reading '%s' broke off",
                                 path);
}

static bool
read_pieces(virStreamPtr stream,
            const char *path,
            guint64 offset,
            FerryScanFunc func,
            gpointer data,
            GError **error)
{
    g_autofree guint8 *piece = g_malloc(FERRY_SCAN_PIECE_BYTES);

    for (;;) {
        long long hole = 0;
        int got = virStreamRecvFlags(stream, (char *)piece, FERRY_SCAN_PIECE_BYTES,
                                     VIR_STREAM_RECV_STOP_AT_HOLE);

        if (got == 0)
            return func(offset, NULL, 0, data, error);
        if (got == AT_HOLE) {
            if (virStreamRecvHole(stream, &hole, 0) < 0)
                return fail_reading(path, error);
            offset += (guint64)hole;
        } else if (got < 0) {
            return fail_reading(path, error);
        } else {
            if (!func(offset, piece, (gsize)got, data, error))
                return false;
            offset += (guint64)got;
        }
    }
}

bool
ferry_virt_volume_scan(virConnectPtr connection,
                       const char *path,
                       guint64 offset,
                       FerryScanFunc func,
                       gpointer data,
                       GError **error)
{
    g_auto(FerryReachedVolume) reached = {0};

    if (!ferry_virt_volume_reach(connection, path, &reached, error))
        return false;
    if (!reached.volume) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look whether it is there",
                        "libvirt does not see '%s'", path);
        return false;
    }

    g_autoptr(virStream) stream = virStreamNew(connection, 0);

    if (!stream || virStorageVolDownload(reached.volume, stream, offset, 0,
                                         VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot read the volume '%s'", path);

    if (!read_pieces(stream, path, offset, func, data, error)) {
        virStreamAbort(stream);
        return false;
    }
    return virStreamFinish(stream) == 0 || fail_reading(path, error);
}
