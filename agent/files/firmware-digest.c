#include "config.h"

#include "files/firmware-digest.h"

#include <glib.h>

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES (64 * 1024 * 1024)
#define PIECE_BYTES (64 * 1024)

static bool
add_all(int fd, GChecksum *checksum)
{
    g_autofree guchar *piece = g_malloc(PIECE_BYTES);

    for (;;) {
        ssize_t got = read(fd, piece, PIECE_BYTES);

        if (got <= 0)
            return got == 0;
        g_checksum_update(checksum, piece, got);
    }
}

char *
ferry_firmware_digest(const char *path)
{
    struct stat status;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool read_all = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_size <= MAX_BYTES && add_all(fd, checksum);

    if (fd >= 0)
        close(fd);
    return read_all ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}
