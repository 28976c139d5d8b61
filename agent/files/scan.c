#include "config.h"

#include "files/scan.h"

#include "ferry/error.h"
#include "virt/auto.h"
#include "virt/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *path;
    GCancellable *cancellable;
    FerryScanFunc func;
    gpointer user;
} Scan;

static bool
fail(const char *path, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at the file and at the agent's rights on it", "Cannot read '%s': %s",
                    path, g_strerror(errno));
    return false;
}

static bool
pass_on(guint64 offset, const guint8 *data, gsize length, gpointer user, GError **error)
{
    const Scan *scan = user;

    if (!g_cancellable_is_cancelled(scan->cancellable))
        return scan->func(offset, data, length, scan->user, error);
    ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "Reading '%s' was given up", scan->path);
    return false;
}

/* --- by the agent itself ---------------------------------------------------------------------- */

static bool
scan_extent(Scan *scan, int fd, guint64 offset, guint64 end, guint8 *piece, GError **error)
{
    while (offset < end) {
        gsize wanted = (gsize)MIN(end - offset, (guint64)FERRY_SCAN_PIECE_BYTES);
        gssize got = pread(fd, piece, wanted, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(scan->path, error);
        /* It shrank under our eyes: whoever compares the content will see it. */
        if (got == 0)
            return true;
        if (!pass_on(offset, piece, (gsize)got, scan, error))
            return false;
        offset += (guint64)got;
    }
    return true;
}

static bool
scan_open_file(Scan *scan, int fd, guint64 offset, guint64 size, GError **error)
{
    g_autofree guint8 *piece = g_malloc(FERRY_SCAN_PIECE_BYTES);

    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (offset < size) {
        off_t begin = lseek(fd, (off_t)offset, SEEK_DATA);

        /* ENXIO: nothing but a hole up to the end. */
        if (begin < 0 && errno == ENXIO)
            break;

        off_t end = begin < 0 ? begin : lseek(fd, begin, SEEK_HOLE);

        if (end < 0)
            return fail(scan->path, error);
        if (!scan_extent(scan, fd, (guint64)begin, (guint64)end, piece, error))
            return false;
        offset = (guint64)end;
    }
    return pass_on(size, NULL, 0, scan, error);
}

static bool
scan_by_hand(Scan *scan, int fd, guint64 offset, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail(scan->path, error);
    if (!S_ISREG(st.st_mode)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Only regular files can be read",
                        "'%s' is no regular file", scan->path);
        return false;
    }
    return scan_open_file(scan, fd, offset, (guint64)st.st_size, error);
}

/* --- by libvirt ------------------------------------------------------------------------------- */

static bool
scan_by_libvirt(FerryVirt *virt, Scan *scan, guint64 offset, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(virt, error);

    return connection &&
           ferry_virt_volume_scan(connection, scan->path, offset, pass_on, scan, error);
}

bool
ferry_file_scan(const FerryFileScan *request, FerryScanFunc func, gpointer user, GError **error)
{
    Scan scan = {request->path, request->cancellable, func, user};
    int fd = open(request->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return request->virt && (errno == EACCES || errno == EPERM)
                   ? scan_by_libvirt(request->virt, &scan, request->offset_bytes, error)
                   : fail(request->path, error);

    bool ok = scan_by_hand(&scan, fd, request->offset_bytes, error);

    close(fd);
    return ok;
}
