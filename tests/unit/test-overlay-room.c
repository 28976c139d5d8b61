/* Room for what a guest writes beside its frozen images; the file system is told how full it is. */
#include "config.h"

#include "source/overlay-room.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ferry/error.h"
#include "model/instance.h"
#include "model/overlay.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define MIGRATION "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

typedef struct {
    FerryInstance *instance;
    GPtrArray *overlays;
    char *folder;
} Fixture;

static guint64 free_bytes;
static bool is_dark;

/* In the place of the C library's. */
int
statvfs(const char *path, struct statvfs *space)
{
    *space = (struct statvfs){.f_frsize = 4096, .f_bavail = free_bytes / 4096};
    return is_dark ? -1 : 0;
}

static void
add_disk(Fixture *self, const char *target)
{
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup(target);
    disk->source = g_build_filename(self->folder, target, NULL);
    disk->format = g_strdup("raw");
    disk->migrate = true;
    disk->seeded = true;
    g_ptr_array_add(self->instance->disks, disk);
}

static const char *
overlay(Fixture *self, guint index)
{
    return ((const FerryOverlay *)g_ptr_array_index(self->overlays, index))->overlay;
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    self->folder = g_dir_make_tmp("virt-ferry-XXXXXX", NULL);
    self->instance = ferry_instance_new();
    add_disk(self, "vda");
    add_disk(self, "vdb");
    self->overlays = ferry_overlays_new(self->instance, MIGRATION);
    g_assert_cmpuint(self->overlays->len, ==, 2);
    is_dark = false;
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    for (guint i = 0; i < 2; i++)
        g_unlink(overlay(self, i));
    g_assert_cmpint(g_rmdir(self->folder), ==, 0);
    g_free(self->folder);
    g_ptr_array_unref(self->overlays);
    ferry_instance_free(self->instance);
}

static void
write_to(const char *path, off_t bytes)
{
    int fd = g_open(path, O_CREAT | O_WRONLY, 0600);

    g_assert_cmpint(posix_fallocate(fd, 0, bytes), ==, 0);
    g_assert_cmpint(close(fd), ==, 0);
}

static void
assert_check(Fixture *self, bool fits)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_overlay_room_check(self->overlays, &error) == fits);
    if (fits)
        g_assert_no_error(error);
    else
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSUFFICIENT_STORAGE);
}

/* As much as it takes already has to be left, beside each of them. */
static void
test_check(Fixture *self, gconstpointer user_data)
{
    write_to(overlay(self, 0), MIB);
    write_to(overlay(self, 1), 3 * MIB);
    free_bytes = 4 * MIB;
    assert_check(self, true);
    free_bytes = 2 * MIB;
    assert_check(self, false);
    is_dark = true;
    assert_check(self, true);
}

/* Not made as yet, or in a folder that is closed to the agent's user. */
static void
test_nothing_seen(Fixture *self, gconstpointer user_data)
{
    free_bytes = 0;
    assert_check(self, true);
}

static void
test_allows(Fixture *self, gconstpointer user_data)
{
    free_bytes = 4 * MIB;
    g_assert_true(ferry_overlay_room_allows(self->instance->disks, 4 * MIB));
    g_assert_false(ferry_overlay_room_allows(self->instance->disks, 5 * MIB));
    is_dark = true;
    g_assert_false(ferry_overlay_room_allows(self->instance->disks, 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/overlay-room/check", Fixture, NULL, set_up, test_check, tear_down);
    g_test_add("/overlay-room/nothing-seen", Fixture, NULL, set_up, test_nothing_seen, tear_down);
    g_test_add("/overlay-room/allows", Fixture, NULL, set_up, test_allows, tear_down);
    return g_test_run();
}
