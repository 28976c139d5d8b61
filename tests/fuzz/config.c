/* The configuration, from a file without a name to every value in its place. */
#include "config.h"

#include "target.h"

#include "ferry/config.h"

#include <sys/mman.h>
#include <unistd.h>

static int
get_file(void)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("virt-ferryd.conf", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = get_file();
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    const char *const files[] = {path, NULL};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);

    g_autoptr(FerryConfig) config = ferry_config_load(files, &error);

    g_assert_true((config == NULL) == (error != NULL));
    if (!config)
        return 0;
    g_assert_nonnull(config->host);
    g_assert_nonnull(config->messaging->transport_url);
    g_assert_nonnull(config->allowed_paths);
    g_assert_nonnull(config->notification_topics);
    return 0;
}
