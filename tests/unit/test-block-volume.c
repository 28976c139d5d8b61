#include "config.h"

#include "model/block-volume.h"

#include "ferry/error.h"
#include "scratch-folder.h"

#include <glib/gstdio.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static FerryDisk *
volume_new(const char *source)
{
    FerryDisk *disk = ferry_disk_new();
    disk->target = g_strdup("vda");
    disk->device = g_strdup("disk");
    disk->type = g_strdup("block");
    disk->format = g_strdup("raw");
    disk->source = g_strdup(source);
    disk->pool = g_strdup("vg0");
    return disk;
}

static void
make_cdrom(FerryDisk *disk)
{
    set_text(&disk->device, "cdrom");
}

static void
make_readonly(FerryDisk *disk)
{
    disk->readonly = true;
}

static void
make_qcow2(FerryDisk *disk)
{
    set_text(&disk->format, "qcow2");
}

static void
make_overlay(FerryDisk *disk)
{
    g_strfreev(disk->backing_chain);
    disk->backing_chain = g_strsplit("/dev/vg0/base", ",", -1);
}

static void
make_unvouched(FerryDisk *disk)
{
    g_clear_pointer(&disk->pool, g_free);
}

static void
test_faults(void)
{
    static void (*const spoilers[])(FerryDisk *) = {make_cdrom, make_readonly, make_qcow2,
                                                    make_overlay, make_unvouched};
    g_autoptr(FerryDisk) sound = volume_new("/dev/vg0/web01");
    g_assert_true(ferry_disk_is_block(sound));
    g_assert_null(ferry_block_volume_fault(sound));
    for (gsize i = 0; i < G_N_ELEMENTS(spoilers); i++) {
        g_autoptr(FerryDisk) disk = volume_new("/dev/vg0/web01");
        spoilers[i](disk);
        g_autofree char *fault = ferry_block_volume_fault(disk);
        g_assert_nonnull(fault);
        g_assert_nonnull(strstr(fault, "/dev/vg0/web01"));
    }
}

static void
check_path(const char *folder, const char *name, const char *allowed, const char *expected)
{
    const char *const folders[] = {allowed, NULL};
    g_autofree char *path = g_strconcat(folder, "/", name, NULL);
    g_autoptr(FerryDisk) disk = volume_new(path);
    g_autofree char *resolved = NULL;
    g_autoptr(GError) error = NULL;
    bool fine = ferry_disk_path_check(disk, folders, &resolved, &error);
    g_assert_cmpstr(resolved, ==, expected);
    if (expected == NULL)
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
    else
        g_assert_no_error(error);
    g_assert_true(fine == (expected != NULL));
}

/* The volume is a link by nature; its folder may not be one, nor lie elsewhere. */
static void
test_paths(void)
{
    g_autoptr(FerryScratch) scratch = ferry_scratch_make();
    g_autofree char *root = realpath(scratch, NULL);
    g_autofree char *group = g_build_filename(root, "vg0", NULL);
    g_autofree char *volume = g_build_filename(group, "web01", NULL);
    g_autofree char *link = g_build_filename(root, "vg1", NULL);
    g_autofree char *around = g_build_filename(group, "..", NULL);
    g_autofree char *missing = g_build_filename(root, "vg2", NULL);
    g_autofree char *new = g_build_filename(missing, "new", NULL);
    g_assert_cmpint(g_mkdir(group, 0700), ==, 0);
    g_assert_cmpint(symlink("/dev/null", volume), ==, 0);
    g_assert_cmpint(symlink(group, link), ==, 0);
    check_path(group, "web01", group, volume);
    check_path(missing, "new", missing, new);
    check_path(link, "web01", link, NULL);
    check_path(around, "web01", group, NULL);
    check_path(root, "web01", group, NULL);
    check_path(link, "web01", group, NULL);
    check_path("vg0", "web01", group, NULL);
}

static void
test_names(void)
{
    static const char *const names[] = {"", ".", "..", "-n", "a b", "a\nb", "a:b", "\303\244"};
    g_autofree char *long_name = g_strnfill(128, 'x');
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        check_path("/dev/vg0", names[i], "/dev", NULL);
    check_path("/dev/no-group", long_name, "/dev", NULL);
    check_path("/dev/no-group", "web01_vda-1.x+", "/dev", "/dev/no-group/web01_vda-1.x+");
}

/* A file is judged as ever: a link at its end is refused. */
static void
test_files(void)
{
    g_autoptr(FerryScratch) scratch = ferry_scratch_make();
    g_autofree char *root = realpath(scratch, NULL);
    g_autofree char *link = g_build_filename(root, "a", NULL);
    const char *const folders[] = {root, NULL};
    g_autoptr(FerryDisk) disk = volume_new(link);
    g_assert_cmpint(symlink("/dev/null", link), ==, 0);
    g_assert_true(ferry_disk_path_check(disk, folders, NULL, NULL));
    set_text(&disk->type, "file");
    g_assert_false(ferry_disk_path_check(disk, folders, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/block-volume/faults", test_faults);
    g_test_add_func("/block-volume/paths", test_paths);
    g_test_add_func("/block-volume/names", test_names);
    g_test_add_func("/block-volume/files", test_files);
    return g_test_run();
}
