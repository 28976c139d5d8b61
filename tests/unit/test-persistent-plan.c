/* What the next start of a running instance wants beside what the running one has: media are
 * carried, other files are named; and drives whose medium is gone. */
#include "config.h"

#include "model/persistent-plan.h"

#include "model/carried-file.h"
#include "model/medium.h"
#include "scratch-folder.h"

#include <string.h>

typedef struct {
    char *folder;
    FerryInstance *instance;
    FerryInstance *persistent;
} Fixture;

static FerryDisk *
add_disk(FerryInstance *instance, const char *target, const char *device, const char *path)
{
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup(target);
    disk->device = g_strdup(device);
    disk->type = g_strdup("file");
    disk->format = g_strdup("raw");
    disk->source = g_strdup(path);
    disk->capacity_bytes = 1024;
    g_ptr_array_add(instance->disks, disk);
    return disk;
}

static char *
make_file(const Fixture *self, const char *name)
{
    char *path = g_build_filename(self->folder, name, NULL);

    g_assert_true(g_file_set_contents(path, "content", -1, NULL));
    return path;
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    self->folder = ferry_scratch_make();
    self->instance = ferry_instance_new();
    self->instance->name = g_strdup("web01");
    self->persistent = ferry_instance_new();
    self->persistent->name = g_strdup("web01");
    add_disk(self->instance, "vda", "disk", "/srv/a.raw")->migrate = true;
    add_disk(self->persistent, "vda", "disk", "/srv/a.raw");
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_instance_free(self->instance);
    ferry_instance_free(self->persistent);
    ferry_scratch_remove(self->folder);
}

static void
plan(Fixture *self)
{
    ferry_persistent_plan_keep_own(self->instance, self->persistent);
    ferry_persistent_plan_make(self->instance, self->persistent);
}

static const FerryObstacle *
only(const GPtrArray *list, const char *name)
{
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpstr(((FerryObstacle *)g_ptr_array_index(list, 0))->name, ==, name);
    return g_ptr_array_index(list, 0);
}

static void
test_the_same(Fixture *self, gconstpointer user_data)
{
    /* In another drive, and an empty one. */
    add_disk(self->instance, "sda", "cdrom", "/srv/cd.iso");
    add_disk(self->persistent, "sdb", "cdrom", "/srv/cd.iso");
    add_disk(self->persistent, "sdc", "cdrom", NULL);
    plan(self);
    g_assert_cmpuint(self->instance->obstacles->len, ==, 0);
    g_assert_cmpuint(self->instance->warnings->len, ==, 0);
    g_assert_cmpuint(self->instance->persistent_disks->len, ==, 0);
}

static void
test_medium(Fixture *self, gconstpointer user_data)
{
    g_autofree char *path = make_file(self, "cd.iso");
    g_autoptr(GPtrArray) files = NULL;

    add_disk(self->persistent, "sda", "cdrom", path);
    plan(self);
    g_assert_cmpuint(self->instance->obstacles->len, ==, 0);
    files = ferry_carried_files_of(self->instance);
    g_assert_cmpuint(files->len, ==, 1);

    const FerryCarriedFile *file = g_ptr_array_index(files, 0);

    g_assert_cmpstr(file->path, ==, path);
    g_assert_cmpstr(file->kind, ==, FERRY_CARRIED_MEDIUM);
    g_assert_true(ferry_carried_file_is_of(file, self->instance));
}

/* It crosses the wire; a destination that does not await the file is of an agent of before. */
static void
test_told(Fixture *self, gconstpointer user_data)
{
    g_autofree char *path = make_file(self, "cd.iso");
    json_t *files = json_pack("[{s:s}]", "path", path);

    add_disk(self->persistent, "sda", "cdrom", path);
    plan(self);
    self->instance->uuid = g_strdup("7a7f1f3e-1c1b-4a7e-9a77-0123456789ab");
    self->instance->persistent_xml = g_strdup("<domain/>");

    json_t *told = ferry_instance_to_json(self->instance);
    g_autoptr(FerryInstance) read = ferry_instance_from_json(told, NULL);

    g_assert_cmpstr(read->persistent_xml, ==, "<domain/>");
    g_assert_cmpuint(read->persistent_disks->len, ==, 1);
    ferry_persistent_plan_adopt(read, files);
    g_assert_cmpuint(read->persistent_disks->len, ==, 1);
    ferry_persistent_plan_adopt(read, NULL);
    g_assert_cmpuint(read->persistent_disks->len, ==, 0);

    /* Images are made for what runs alone. */
    json_object_set_new(json_array_get(json_object_get(told, "persistent_disks"), 0), "migrate",
                        json_true());
    g_assert_null(ferry_instance_from_json(told, NULL));
    json_decref(told);
    json_decref(files);
}

static void
test_disk(Fixture *self, gconstpointer user_data)
{
    g_autofree char *path = make_file(self, "other.raw");

    add_disk(self->persistent, "vdb", "disk", path);
    plan(self);

    const FerryObstacle *obstacle = only(self->instance->obstacles, "persistent-definition");

    g_assert_nonnull(strstr(obstacle->message, path));
    g_assert_nonnull(strstr(obstacle->hint, "virsh detach-disk web01 vdb --config"));
    g_assert_cmpuint(self->instance->persistent_disks->len, ==, 0);
}

/* The next start fails here, too; where libvirt starts without it there is nothing to say. */
static void
test_missing(Fixture *self, gconstpointer user_data)
{
    add_disk(self->persistent, "sda", "cdrom", "/none/a.iso");
    add_disk(self->persistent, "sdb", "cdrom", "/none/b.iso")->startup_policy =
        g_strdup("optional");
    plan(self);
    g_assert_cmpuint(self->instance->obstacles->len, ==, 0);
    g_assert_nonnull(
        strstr(only(self->instance->warnings, "persistent-definition")->message, "/none/a.iso"));
}

static void
test_obstacles(Fixture *self, gconstpointer user_data)
{
    ferry_instance_add_obstacle(self->instance, "filesystem", "A folder", NULL);
    ferry_instance_add_obstacle(self->persistent, "filesystem", "A folder", NULL);
    plan(self);
    only(self->instance->obstacles, "filesystem");
    ferry_instance_add_obstacle(self->persistent, "host-device", "A device", "Detach it");
    plan(self);
    g_assert_cmpuint(self->instance->obstacles->len, ==, 2);
    g_assert_cmpstr(((FerryObstacle *)g_ptr_array_index(self->instance->obstacles, 1))->message, ==,
                    "Persistent definition: A device");
}

static void
test_variables(Fixture *self, gconstpointer user_data)
{
    self->instance->nvram = g_strdup("/vars/a.fd");
    self->persistent->nvram = g_strdup("/vars/a.fd");
    plan(self);
    g_assert_cmpuint(self->instance->warnings->len, ==, 0);
    g_free(self->persistent->nvram);
    self->persistent->nvram = g_strdup("/vars/b.fd");
    plan(self);
    only(self->instance->warnings, "persistent-definition");
}

/* --- drives whose medium is gone -------------------------------------------------------------- */

static void
check_gone(Fixture *self, const char *policy, guint obstacles, guint warnings)
{
    FerryDisk *disk = add_disk(self->instance, "sda", "cdrom", "/none/a.iso");

    disk->carry = true;
    disk->startup_policy = g_strdup(policy);
    ferry_medium_plan_missing(self->instance);
    g_assert_false(disk->carry);
    g_assert_cmpuint(self->instance->obstacles->len, ==, obstacles);
    g_assert_cmpuint(self->instance->warnings->len, ==, warnings);
}

static void
test_gone(Fixture *self, gconstpointer user_data)
{
    check_gone(self, "optional", 0, 1);
    check_gone(self, "requisite", 0, 2);
    check_gone(self, "mandatory", 1, 2);
    check_gone(self, NULL, 2, 2);
}

static void
test_there(Fixture *self, gconstpointer user_data)
{
    g_autofree char *path = make_file(self, "cd.iso");
    FerryDisk *disk = add_disk(self->instance, "sda", "cdrom", path);

    disk->carry = true;
    ferry_medium_plan_missing(self->instance);
    g_assert_true(disk->carry);
    g_assert_cmpuint(self->instance->obstacles->len + self->instance->warnings->len, ==, 0);
}

#define ADD(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/persistent-plan/the-same", test_the_same);
    ADD("/persistent-plan/medium", test_medium);
    ADD("/persistent-plan/told", test_told);
    ADD("/persistent-plan/disk", test_disk);
    ADD("/persistent-plan/missing", test_missing);
    ADD("/persistent-plan/obstacles", test_obstacles);
    ADD("/persistent-plan/variables", test_variables);
    ADD("/medium/gone", test_gone);
    ADD("/medium/there", test_there);
    return g_test_run();
}
