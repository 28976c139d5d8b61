/* What a destination makes beside plain image files, by its orders: block volumes, the firmware's
 * variables, overlays of seeded disks, files that are brought. */
#include "config.h"

#include "destination/nvram.h"

#include "destination-fixture.h"
#include "ferry/json.h"
#include "files/digests.h"
#include "model/overlay.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

typedef DestinationFixture Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    destination_set_up(self, "disk.img");
    fake_pool_add("images", self->agent.images);
}

static json_t *
disk_of(Fixture *self)
{
    return json_array_get(json_object_get(self->info, "disks"), 0);
}

/* --- block volumes ---------------------------------------------------------------------------- */

/* The disk is a volume of a group that has the images' folder as its own: an allowed path. */
static char *
make_block(Fixture *self)
{
    char *folder = g_build_filename(self->agent.images, "vg", NULL);
    g_autofree char *path = g_build_filename(folder, "web", NULL);

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    fake_pool_add_typed("vg", "logical", folder);
    json_object_set_new(disk_of(self), "type", json_string("block"));
    json_object_set_new(disk_of(self), "source", json_string(path));
    json_object_set_new(disk_of(self), "pool", json_string("vg"));
    return folder;
}

static void
test_block(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = make_block(self);
    g_autoptr(FerryJson) data = destination_prepare_well(self);
    const json_t *volume = json_array_get(json_object_get(data, "volumes"), 0);
    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);

    g_assert_cmpstr(ferry_json_get_string(volume, "pool"), ==, "vg");
    g_assert_true(fake_volume_exists("vg", "web"));
    g_assert_cmpstr(creations, ==, "block-volume /vg/web\n");

    g_autoptr(FerryJson) answer = destination_roll_back(self);

    g_assert_cmpuint(json_array_size(json_object_get(answer, "removed")), ==, 1);
    g_assert_false(fake_volume_exists("vg", "web"));
}

static void
test_block_is_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = make_block(self);

    fake_volume_add("vg", "web", "strangers", 8 * MIB);
    g_assert_null(destination_prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_true(fake_volume_exists("vg", "web"));
}

/* Extents that the size is no multiple of: QEMU would refuse after the whole set-up. */
static void
test_block_of_another_size(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = make_block(self);

    fake_pool_set_extent("vg", 3 * MIB);
    g_assert_null(destination_prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_false(fake_volume_exists("vg", "web"));
}

static void
remove_volume(void)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(NULL, "vg");
    virStorageVolPtr volume = virStorageVolLookupByName(pool, "web");

    g_assert_cmpint(virStorageVolDelete(volume, 0), ==, 0);
    virStorageVolFree(volume);
    virStoragePoolFree(pool);
}

/* Another volume has come under the same name: it is left alone. */
static void
test_block_that_is_another_now(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = make_block(self);
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    remove_volume();
    fake_volume_add("vg", "web", "strangers", 8 * MIB);

    g_autoptr(FerryJson) answer = destination_roll_back(self);

    g_assert_cmpuint(json_array_size(json_object_get(answer, "kept")), ==, 1);
    g_assert_true(fake_volume_exists("vg", "web"));
}

/* --- the firmware's variables ----------------------------------------------------------------- */

static void
test_nvram(Fixture *self, gconstpointer user_data)
{
    g_autofree char *nvram = agent_image(&self->agent, "web_VARS.fd");

    json_object_set_new(self->info, "nvram", json_string(nvram));

    g_autoptr(FerryJson) data = destination_prepare_well(self);
    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);

    /* libvirt makes it later, when the instance begins to arrive; the row is there before. */
    g_assert_nonnull(strstr(creations, "nvram /web_VARS.fd\n"));
    agent_write_raw(nvram, 540672);
    g_autofree char *xml =
        g_strdup_printf("<domain type='qemu'><name>web-1</name><uuid>" UUID "</uuid>"
                        "<os><type>hvm</type><nvram>%s</nvram></os></domain>",
                        nvram);

    fake_domain_add(xml);
    ferry_nvram_note_arrival(&self->agent.agent, UUID);
    fake_domain_remove(UUID);

    g_autoptr(FerryJson) answer = destination_roll_back(self);

    g_assert_cmpuint(json_array_size(json_object_get(answer, "kept")), ==, 0);
    g_assert_false(g_file_test(nvram, G_FILE_TEST_EXISTS));
}

static void
test_nvram_outside(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    json_object_set_new(self->info, "nvram", json_string("/etc/web_VARS.fd"));
    g_assert_null(destination_prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpuint(fake_call_count("virStorageVolCreateXML"), ==, 0);
}

/* --- seeded disks ----------------------------------------------------------------------------- */

static void
let_arrive_on(Fixture *self, const char *top)
{
    g_autofree char *xml = agent_domain_xml(top, "qcow2");

    fake_domain_add(xml);
}

static void
test_seeded(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *overlay = ferry_overlay_path(self->path, MIGRATION);

    json_object_set_new(disk_of(self), "seeded", json_true());

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(overlay, G_FILE_TEST_EXISTS));
    let_arrive_on(self, overlay);

    g_autoptr(FerryJson) answer =
        ferry_destination_finish(self->destination, MIGRATION, /* autostart= */ false, &error);
    g_autofree char *xml = fake_domain_xml(UUID);

    /* What it wrote on the way is in the image, and nothing is left of the overlay. */
    g_assert_no_error(error);
    g_assert_nonnull(answer);
    g_assert_cmpuint(fake_call_count("virDomainBlockCommit"), ==, 1);
    g_assert_nonnull(strstr(xml, self->path));
    g_assert_false(g_file_test(overlay, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

/* It takes longer than a call may: the source is told how far it is, and asks again. */
static void
test_seeded_takes_time(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *overlay = ferry_overlay_path(self->path, MIGRATION);

    json_object_set_new(disk_of(self), "seeded", json_true());

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    let_arrive_on(self, overlay);
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT, 100, 65536);
    g_assert_null(
        ferry_destination_finish(self->destination, MIGRATION, /* autostart= */ false, &error));

    json_t *details = ferry_error_details(error);

    g_assert_true(ferry_json_get_bool(details, "retry", false));
    g_assert_cmpint(ferry_json_get_int(details, "committed_bytes", 0), ==, 100);
    g_assert_true(g_file_test(overlay, G_FILE_TEST_EXISTS));
}

/* --- files that are brought ------------------------------------------------------------------- */

#define CONTENT "what a base holds, and nothing else"

/* Returns: (transfer full): the path of a base, which the instance has from now on. */
static char *
name_base(Fixture *self)
{
    g_autofree char *medium = agent_image(&self->agent, "medium.qcow2");
    char *base = agent_image(&self->agent, "base.raw");
    json_t *layer = json_pack("{s:s, s:s, s:I}", "path", base, "format", "raw", "file_bytes",
                              (json_int_t)strlen(CONTENT));
    json_t *image =
        json_pack("{s:i, s:I, s:i, s:i, s:b, s:s, s:s}", "version", 3, "virtual_size_bytes",
                  (json_int_t)MIB, "cluster_size_bytes", 65536, "refcount_bits", 16,
                  "has_backing_file", true, "backing_name", base, "backing_format", "raw");

    json_array_append_new(json_object_get(self->info, "disks"),
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:[o], s:o}",
                                    "target", "vdb", "device", "disk", "type", "file", "source",
                                    medium, "format", "qcow2", "readonly", true, "carry", true,
                                    "capacity_bytes", (json_int_t)MIB, "file_bytes",
                                    (json_int_t)MIB, "layers", layer, "image", image));
    return base;
}

static json_t *
ask_for_kind(
    Fixture *self, const char *kind, const char *path, const char *digest, int mode, GError **error)
{
    g_autoptr(FerryJson) file =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:i}", "kind", kind, "path", path, "format",
                  "raw", "file_bytes", (json_int_t)strlen(CONTENT), "data_bytes",
                  (json_int_t)strlen(CONTENT), "digest", digest, "mode", mode);

    return ferry_destination_prepare_file(self->destination, MIGRATION, file, error);
}

static json_t *
ask_for(Fixture *self, const char *path, const char *digest, GError **error)
{
    return ask_for_kind(self, "base", path, digest, 0644, error);
}

/* Returns: (transfer full): what a file with @content has. */
static char *
digest_of(Fixture *self, const char *content)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = agent_image(&self->agent, "elsewhere.raw");

    g_assert_true(g_file_set_contents(path, content, -1, NULL));

    char *digest = ferry_digests_await(self->agent.agent.digests, path, NULL, &error);

    g_assert_no_error(error);
    return digest;
}

static json_t *
publish(Fixture *self, const char *path, GError **error)
{
    for (;;) {
        json_t *answer = ferry_destination_publish_file(self->destination, MIGRATION, path, error);

        if (g_strcmp0(ferry_json_get_string(answer, "state"), "wait") != 0)
            return answer;
        json_decref(answer);
    }
}

static void
write_over(const char *path, const char *content)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileIOStream) stream = g_file_open_readwrite(file, NULL, NULL);
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(stream));

    g_assert_true(g_output_stream_write_all(out, content, strlen(content), NULL, NULL, NULL));
}

static void
test_file(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);
    g_autoptr(FerryJson) answer = ask_for(self, base, digest, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "state"), ==, "copy");
    g_assert_cmpint(ferry_json_get_int(answer, "offset_bytes", -1), ==, 0);
    /* It has no name of its own before it is whole. */
    g_assert_false(g_file_test(base, G_FILE_TEST_EXISTS));
    write_over(ferry_json_get_string(answer, "path"), CONTENT);

    g_autoptr(FerryJson) published = publish(self, base, &error);
    g_autoptr(FerryJson) again = ask_for(self, base, digest, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(published, "state"), ==, "present");
    g_assert_cmpstr(ferry_json_get_string(again, "state"), ==, "present");
    g_assert_true(g_file_test(base, G_FILE_TEST_EXISTS));

    g_autoptr(FerryJson) rolled_back = destination_roll_back(self);

    g_assert_cmpuint(json_array_size(json_object_get(rolled_back, "removed")), ==, 2);
    g_assert_false(g_file_test(base, G_FILE_TEST_EXISTS));
}

/* A secret on the source stays one here, from the first byte on. */
static void
test_file_mode(Fixture *self, gconstpointer user_data)
{
    static const struct {
        int there;
        mode_t partial;
        mode_t here;
    } modes[] = {{0644, 0644, 0444}, {0640, 0640, 0440}, {0600, 0600, 0400},
                 {0400, 0600, 0400}, {0777, 0664, 0444}, {0, 0600, 0400}};
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryJson) answer =
            ask_for_kind(self, "base", base, digest, modes[i].there, &error);
        struct stat st;

        g_assert_no_error(error);
        g_assert_cmpint(stat(ferry_json_get_string(answer, "path"), &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, modes[i].partial);
        write_over(ferry_json_get_string(answer, "path"), CONTENT);

        g_autoptr(FerryJson) published = publish(self, base, &error);

        g_assert_no_error(error);
        g_assert_cmpint(stat(base, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, modes[i].here);
        g_assert_cmpint(g_unlink(base), ==, 0);
    }
}

/* An instance that does not run comes from an agent of before, which sets no mark: the definition
 * is known by the images that were brought for it. */
static void
test_definition_without_a_mark(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autofree char *xml = agent_domain_xml(user_data ? user_data : self->path, "raw");

    json_object_set_new(self->info, "state", json_string("shutoff"));

    g_autoptr(FerryJson) data = destination_prepare_well(self);
    g_autoptr(FerryJson) answer = ask_for_kind(self, "image", self->path, digest, 0600, &error);

    g_assert_no_error(error);
    write_over(ferry_json_get_string(answer, "path"), CONTENT);

    g_autoptr(FerryJson) published = publish(self, self->path, &error);

    g_assert_no_error(error);
    fake_domain_add(xml);
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN);

    g_autoptr(FerryJson) finished =
        ferry_destination_finish(self->destination, MIGRATION, /* autostart= */ false, &error);

    if (user_data) {
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
        return;
    }
    g_assert_no_error(error);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

/* Nobody learns what is at a path, or makes a file there, who only asks for it. */
static void
test_file_of_nobody(Fixture *self, gconstpointer user_data)
{
    g_autofree char *base = name_base(self);
    g_autofree char *other = agent_image(&self->agent, "other.raw");
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);
    const struct {
        const char *kind;
        const char *path;
    } wrong[] = {{"base", other},      {"medium", other},        {"image", self->path},
                 {"base", self->path}, {"medium", base},         {"image", base},
                 {"seed", self->path}, {"base", "/etc/hostname"}};

    g_assert_true(g_file_set_contents(other, CONTENT, -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(ask_for_kind(self, wrong[i].kind, wrong[i].path, digest, 0644, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    }
    g_assert_false(g_file_test(base, G_FILE_TEST_EXISTS));
}

/* What arrived is something else: it is not published, and is copied from the beginning. */
static void
test_file_that_is_another(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);
    g_autoptr(FerryJson) answer = ask_for(self, base, digest, &error);

    write_over(ferry_json_get_string(answer, "path"), "what a base holds, and nothing ELSE");

    g_autoptr(FerryJson) published = publish(self, base, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(published, "state"), ==, "copy");
    g_assert_cmpint(ferry_json_get_int(published, "offset_bytes", -1), ==, 0);
    g_assert_false(g_file_test(base, G_FILE_TEST_EXISTS));
}

static void
test_file_is_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_true(g_file_set_contents(base, CONTENT, -1, NULL));

    g_autoptr(FerryJson) answer = ask_for(self, base, digest, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "state"), ==, "present");

    /* It was there before: it stays. */
    g_autoptr(FerryJson) rolled_back = destination_roll_back(self);

    g_assert_cmpuint(json_array_size(json_object_get(rolled_back, "removed")), ==, 1);
    g_assert_true(g_file_test(base, G_FILE_TEST_EXISTS));
}

static void
test_other_file_is_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_true(g_file_set_contents(base, "a stranger's", -1, NULL));
    g_assert_null(ask_for(self, base, digest, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_true(g_file_test(base, G_FILE_TEST_EXISTS));
}

static void
test_file_without_a_preparation(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = name_base(self);
    g_autofree char *digest = digest_of(self, CONTENT);

    g_assert_null(ask_for(self, base, digest, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
}

/* --- raw disks between releases, and the room ------------------------------------------------- */

static void
come_from(Fixture *self, const char *libvirt, const char *qemu, bool may_seed)
{
    json_t *disk = json_array_get(json_object_get(self->info, "disks"), 0);

    json_object_set_new(self->info, "libvirt_version", json_string(libvirt));
    json_object_set_new(self->info, "qemu_version", json_string(qemu));
    json_object_set_new(disk, "may_seed", json_boolean(may_seed));
}

static bool
is_seeded(const json_t *data)
{
    return ferry_json_get_bool(json_array_get(json_object_get(data, "volumes"), 0), "seeded",
                               false);
}

/* Whatever the source chose, it learns from the volumes what was prepared. */
static void
test_only_a_seed_is_thin(Fixture *self, gconstpointer user_data)
{
    come_from(self, "11.3.0", "10.0.13", /* may_seed= */ true);

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_true(is_seeded(data));
    g_assert_cmpstr(ferry_json_get_string(data, "libvirt_version"), ==, "9.0.0");
}

/* The source compares what was interrupted; whose seed it is was decided here. */
static void
test_a_seed_is_compared(Fixture *self, gconstpointer user_data)
{
    g_autofree char *digest = digest_of(self, CONTENT);
    g_autoptr(GError) error = NULL;

    come_from(self, "11.3.0", "10.0.13", /* may_seed= */ true);

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_true(is_seeded(data));
    write_over(self->path, CONTENT);

    g_autoptr(FerryJson) answer = ask_for_kind(self, "seed", self->path, digest, 0644, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "state"), ==, "present");
}

static void
test_a_mirror_is_thin(Fixture *self, gconstpointer user_data)
{
    come_from(self, "9.0.0", "7.2.22", /* may_seed= */ true);

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_false(is_seeded(data));
}

static gint64
wanted_bytes(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_destination_get_room(self->destination, MIGRATION, &error);
    const json_t *one = json_array_get(json_object_get(answer, "file_systems"), 0);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(answer, "file_systems")), ==, 1);
    g_assert_nonnull(ferry_json_get_string(one, "path"));
    g_assert_cmpint(json_integer_value(json_object_get(one, "available_bytes")), >, 0);
    g_assert_cmpint(json_integer_value(json_object_get(one, "reserved_bytes")), ==, 0);
    return json_integer_value(json_object_get(one, "wanted_bytes"));
}

static void
assert_wanted(Fixture *self, const char *libvirt, bool in_full)
{
    json_t *disk = json_array_get(json_object_get(self->info, "disks"), 0);
    gint64 capacity = json_integer_value(json_object_get(disk, "capacity_bytes"));
    g_autoptr(GError) error = NULL;

    g_assert_null(ferry_destination_get_room(self->destination, MIGRATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
    come_from(self, libvirt, "7.2.22", /* may_seed= */ false);
    json_object_set_new(disk, "allocation_bytes", json_integer(capacity / 2));

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_cmpint(wanted_bytes(self), ==, in_full ? capacity : capacity / 2);
}

static void
test_room(Fixture *self, gconstpointer user_data)
{
    assert_wanted(self, "9.0.0", /* in_full= */ false);
}

static void
test_room_in_full(Fixture *self, gconstpointer user_data)
{
    assert_wanted(self, "11.3.0", /* in_full= */ true);
}

/* A file system that hangs, in the place of libc's function: the agent is linked to this one. */
static GMutex hang;
static gint waiting; /* atomic */

int
statvfs(const char *path, struct statvfs *ret)
{
    struct statfs fs;

    g_atomic_int_inc(&waiting);
    g_mutex_lock(&hang);
    g_mutex_unlock(&hang);
    if (statfs(path, &fs) < 0)
        return -1;
    *ret = (struct statvfs){.f_frsize = (unsigned long)fs.f_frsize, .f_bavail = fs.f_bavail};
    return 0;
}

static gpointer
look_at_room(gpointer data)
{
    Fixture *self = data;
    g_autoptr(FerryJson) answer = ferry_destination_get_room(self->destination, MIGRATION, NULL);

    return GINT_TO_POINTER(answer != NULL);
}

static void
test_room_that_hangs(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_mutex_lock(&hang);
    g_atomic_int_set(&waiting, 0);

    GThread *first = g_thread_new("first", look_at_room, self);

    while (g_atomic_int_get(&waiting) == 0)
        g_usleep(1000);
    g_assert_null(ferry_destination_get_room(self->destination, MIGRATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_mutex_unlock(&hang);
    g_assert_true(GPOINTER_TO_INT(g_thread_join(first)));
    g_assert_true(GPOINTER_TO_INT(look_at_room(self)));
}

#define ADD(path, func)                                                                            \
    g_test_add("/destination-disks/" path, Fixture, NULL, set_up, func, destination_tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("block", test_block);
    ADD("block/is-there", test_block_is_there);
    ADD("block/of-another-size", test_block_of_another_size);
    ADD("block/that-is-another-now", test_block_that_is_another_now);
    ADD("nvram", test_nvram);
    ADD("nvram/outside", test_nvram_outside);
    ADD("seeded", test_seeded);
    ADD("seeded/takes-time", test_seeded_takes_time);
    ADD("file", test_file);
    ADD("file/mode", test_file_mode);
    ADD("file/of-nobody", test_file_of_nobody);
    ADD("definition/of-an-agent-of-before", test_definition_without_a_mark);
    g_test_add("/destination-disks/definition/without-its-images", Fixture, "/elsewhere/disk.img",
               set_up, test_definition_without_a_mark, destination_tear_down);
    ADD("file/that-is-another", test_file_that_is_another);
    ADD("file/is-there", test_file_is_there);
    ADD("file/other-is-there", test_other_file_is_there);
    ADD("file/without-a-preparation", test_file_without_a_preparation);
    ADD("release/only-a-seed-is-thin", test_only_a_seed_is_thin);
    ADD("release/a-seed-is-compared", test_a_seed_is_compared);
    ADD("release/a-mirror-is-thin", test_a_mirror_is_thin);
    ADD("room", test_room);
    ADD("room/in-full", test_room_in_full);
    ADD("room/that-hangs", test_room_that_hangs);
    return g_test_run();
}
