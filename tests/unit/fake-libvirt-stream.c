/* Streams: from and into the files of volumes. Holes are not seen on the way out. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct _virStream {
    int fd;
    guint64 at;
    guint64 left; /* to be read */
};

void
fake_streams_reset(void)
{
}

virStreamPtr
virStreamNew(virConnectPtr connection, unsigned int flags)
{
    if (!fake_begin(__func__, "%u", flags))
        return NULL;

    virStreamPtr stream = g_new0(struct _virStream, 1);

    stream->fd = -1;
    return stream;
}

int
virStreamFree(virStreamPtr stream)
{
    fake_forget_error();
    if (stream->fd >= 0)
        close(stream->fd);
    g_free(stream);
    return 0;
}

static int
open_stream(virStorageVolPtr volume, virStreamPtr stream, guint64 offset, guint64 length, int flags)
{
    stream->fd = open(volume->path, flags | O_CLOEXEC);
    stream->at = offset;
    stream->left = length > 0 ? length : G_MAXUINT64;
    return stream->fd >= 0 ? 0
                           : fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot open '%s'", volume->path);
}

int
virStorageVolDownload(virStorageVolPtr volume,
                      virStreamPtr stream,
                      unsigned long long offset,
                      unsigned long long length,
                      unsigned int flags)
{
    return fake_begin(__func__, "%s %llu", volume->path, offset)
               ? open_stream(volume, stream, offset, length, O_RDONLY)
               : -1;
}

int
virStorageVolUpload(virStorageVolPtr volume,
                    virStreamPtr stream,
                    unsigned long long offset,
                    unsigned long long length,
                    unsigned int flags)
{
    return fake_begin(__func__, "%s %llu", volume->path, offset)
               ? open_stream(volume, stream, offset, length, O_WRONLY)
               : -1;
}

int
virStreamRecv(virStreamPtr stream, char *data, size_t size)
{
    if (!fake_begin(__func__, "%zu", size))
        return -1;

    ssize_t got = pread(stream->fd, data, MIN(size, stream->left), (off_t)stream->at);

    if (got < 0)
        return fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot read");
    stream->at += (guint64)got;
    stream->left -= (guint64)got;
    return (int)got;
}

int
virStreamRecvFlags(virStreamPtr stream, char *data, size_t size, unsigned int flags)
{
    return virStreamRecv(stream, data, size);
}

int
virStreamRecvHole(virStreamPtr stream, long long *ret_length, unsigned int flags)
{
    *ret_length = 0;
    return 0;
}

int
virStreamSend(virStreamPtr stream, const char *data, size_t size)
{
    if (!fake_begin(__func__, "%zu", size))
        return -1;

    ssize_t sent = pwrite(stream->fd, data, size, (off_t)stream->at);

    if (sent < 0)
        return fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot write");
    stream->at += (guint64)sent;
    return (int)sent;
}

int
virStreamSendHole(virStreamPtr stream, long long length, unsigned int flags)
{
    if (!fake_begin(__func__, "%lld", length))
        return -1;
    stream->at += (guint64)length;
    return ftruncate(stream->fd, (off_t)stream->at) == 0
               ? 0
               : fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot make a hole");
}

int
virStreamFinish(virStreamPtr stream)
{
    return fake_begin(__func__, "%d", stream->fd) ? 0 : -1;
}

int
virStreamAbort(virStreamPtr stream)
{
    return fake_begin(__func__, "%d", stream->fd) ? 0 : -1;
}
