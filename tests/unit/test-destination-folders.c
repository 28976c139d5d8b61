/* Folders that a destination makes: for how long they are a pool, and what libvirt puts into
 * them. */
#include "config.h"

#include "destination/console-file.h"
#include "destination/nvram.h"
#include "destination/pool.h"

#include "destination-fixture.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/pool.h"
#include "virt/virt.h"

#include <glib/gstdio.h>
#include <string.h>

typedef DestinationFixture Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    destination_set_up(self, "instances/web/disk");
    json_object_del(json_array_get(json_object_get(self->info, "disks"), 0), "pool");
}

static char *
folder_of(const Fixture *self)
{
    return g_path_get_dirname(self->path);
}

/* The instance has a console whose log lies beside its disk. Returns: (transfer full): its path. */
static char *
give_console(Fixture *self)
{
    g_autofree char *folder = folder_of(self);
    char *path = g_build_filename(folder, "console.log", NULL);
    g_autofree char *serial =
        g_strdup_printf("<serial type='pty'><log file='%s'/></serial></devices>", path);
    g_auto(GStrv) parts =
        g_strsplit(ferry_json_get_string(self->info, "domain_xml"), "</devices>", 2);
    g_autofree char *xml = g_strjoin(serial, parts[0], parts[1], NULL);

    json_object_set_new(self->info, "domain_xml", json_string(xml));
    return path;
}

static void
put(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
prepare(Fixture *self)
{
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_nonnull(data);
}

static gsize
roll_back_and_count_kept(Fixture *self)
{
    g_autoptr(FerryJson) answer = destination_roll_back(self);

    return json_array_size(json_object_get(answer, "kept"));
}

/* --- consoles --------------------------------------------------------------------------------- */

/* The attempt failed before libvirt told of the arrival. */
static void
test_empty_log_goes(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = folder_of(self);
    g_autofree char *log = give_console(self);

    prepare(self);
    put(log, "");
    g_assert_cmpuint(roll_back_and_count_kept(self), ==, 0);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static void
test_log_of_an_arrival_goes(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = folder_of(self);
    g_autofree char *log = give_console(self);

    prepare(self);
    put(log, "SeaBIOS");
    fake_domain_add(ferry_json_get_string(self->info, "domain_xml"));
    ferry_nvram_note_arrival(&self->agent.agent, UUID);
    fake_domain_remove(UUID);
    g_assert_cmpuint(roll_back_and_count_kept(self), ==, 0);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static void
test_log_with_content_stays(Fixture *self, gconstpointer user_data)
{
    g_autofree char *log = give_console(self);

    prepare(self);
    put(log, "somebody's own");
    /* And its folder with it. */
    g_assert_cmpuint(roll_back_and_count_kept(self), >=, 1);
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

static void
test_log_of_before_stays(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = folder_of(self);
    g_autofree char *log = give_console(self);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    put(log, "");
    prepare(self);
    g_assert_cmpuint(roll_back_and_count_kept(self), ==, 0);
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

/* Somebody else's, who is neither libvirt nor QEMU. */
static void
test_log_of_a_stranger_stays(Fixture *self, gconstpointer user_data)
{
    g_autofree char *log = give_console(self);

    prepare(self);
    put(log, "");
    if (geteuid() != 0 || chown(log, 12345, 12345) != 0) {
        g_test_skip("needs root");
        return;
    }
    g_assert_cmpuint(roll_back_and_count_kept(self), >=, 1);
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

/* Another instance writes to it, and has not said anything yet. */
static void
test_log_of_another_stays(Fixture *self, gconstpointer user_data)
{
    g_autofree char *log = give_console(self);
    g_autofree char *xml =
        g_strdup_printf("<domain type='qemu'><name>other</name>"
                        "<uuid>0e2f1c5e-9999-4222-8333-444455556666</uuid><memory>65536</memory>"
                        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>"
                        "<serial type='file'><source path='%s'/></serial></devices></domain>",
                        log);

    prepare(self);
    put(log, "");
    fake_domain_add(xml);
    g_assert_cmpuint(roll_back_and_count_kept(self), >=, 1);
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

/* --- pools ------------------------------------------------------------------------------------ */

/* Returns: (transfer full) (nullable): the name of the pool over the folder of the disk. */
static char *
pool_of_folder(const Fixture *self)
{
    g_autofree char *folder = folder_of(self);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, folder, NULL);

    return pool ? g_strdup(virStoragePoolGetName(pool)) : NULL;
}

static void
test_pool_of_the_source_stays(Fixture *self, gconstpointer user_data)
{
    g_autofree char *pool = NULL;

    json_object_set_new(json_array_get(json_object_get(self->info, "disks"), 0), "pool",
                        json_string("web"));
    prepare(self);
    pool = pool_of_folder(self);
    g_assert_cmpstr(pool, ==, "web");
}

static void
test_pool_passes(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);
    g_autofree char *pool = NULL;
    g_autofree char *after = NULL;

    prepare(self);
    pool = pool_of_folder(self);
    g_assert_true(g_str_has_prefix(pool, "virt-ferry-"));
    g_assert_true(ferry_pool_end_passing(&self->agent.agent, connection, MIGRATION, &error));
    g_assert_no_error(error);
    after = pool_of_folder(self);
    g_assert_null(after);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
test_pool_passes_with_its_last_user(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = folder_of(self);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);
    const FerryPreparation other = {
        .agent = &self->agent.agent, .connection = connection, .migration_id = OTHER_UUID};
    g_autofree char *before = NULL;
    g_autofree char *between = NULL;
    g_autofree char *after = NULL;

    prepare(self);
    before = pool_of_folder(self);

    g_autoptr(virStoragePool) shared = ferry_pool_ensure(&other, NULL, folder, NULL, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_pool_end_passing(&self->agent.agent, connection, MIGRATION, &error));
    between = pool_of_folder(self);
    g_assert_cmpstr(between, ==, before);
    g_assert_true(ferry_pool_end_passing(&self->agent.agent, connection, OTHER_UUID, &error));
    after = pool_of_folder(self);
    g_assert_null(after);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *self, gconstpointer user_data);
    } tests[] = {
        {"console/empty-log-goes", test_empty_log_goes},
        {"console/log-of-an-arrival-goes", test_log_of_an_arrival_goes},
        {"console/log-with-content-stays", test_log_with_content_stays},
        {"console/log-of-before-stays", test_log_of_before_stays},
        {"console/log-of-a-stranger-stays", test_log_of_a_stranger_stays},
        {"console/log-of-another-stays", test_log_of_another_stays},
        {"pool/of-the-source-stays", test_pool_of_the_source_stays},
        {"pool/passes", test_pool_passes},
        {"pool/passes-with-its-last-user", test_pool_passes_with_its_last_user},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/destination-folders/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, tests[i].test, destination_tear_down);
    }
    return g_test_run();
}
