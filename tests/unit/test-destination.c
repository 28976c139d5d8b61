/* The destination's orders, with a libvirt and a journal of the test's own. */
#include "config.h"

#include "destination/destination.h"

#include "agent-fixture.h"
#include "ferry/json.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

typedef struct {
    AgentFixture agent;
    FerryDestination *destination;
    char *path; /* of the disk */
    json_t *order;
    guint accepted;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    agent_set_up(&self->agent, "kvm02");
    self->destination = ferry_destination_new(&self->agent.agent);
    self->path = g_build_filename(self->agent.images, "web", "disk.img", NULL);
    self->order =
        json_pack("{s:s, s:{s:s, s:o, s:{}, s:s}}", "method", "pre_live_migration", "args",
                  "migration_id", MIGRATION, "instance_info",
                  agent_instance_info(self->path, "raw", "running"), "options", "source", "kvm01");
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_destination_free(self->destination);
    json_decref(self->order);
    g_free(self->path);
    agent_tear_down(&self->agent, user_data);
}

static void
count_accepted(gpointer data)
{
    ((Fixture *)data)->accepted++;
}

static json_t *
prepare(Fixture *self, GError **error)
{
    return ferry_destination_prepare(self->destination, MIGRATION, self->order, count_accepted,
                                     self, error);
}

static void
prepare_well(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) data = prepare(self, &error);

    g_assert_no_error(error);
    g_assert_nonnull(data);
}

static void
assert_status(Fixture *self, const char *status)
{
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);

    g_assert_cmpstr(ferry_status_to_string(record->status), ==, status);
}

static void
assert_file(const char *path, bool there)
{
    g_assert_cmpint(g_file_test(path, G_FILE_TEST_EXISTS), ==, there);
}

/* The guest came: libvirt shows it as the source's left it. */
static void
let_arrive(Fixture *self)
{
    g_autofree char *xml = agent_domain_xml(self->path, "raw");

    fake_domain_add(xml);
}

static char *
folder_of(const Fixture *self)
{
    return g_path_get_dirname(self->path);
}

/* --- prepare ---------------------------------------------------------------------------------- */

static void
test_prepare(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) data = prepare(self, &error);
    const json_t *volume = json_array_get(json_object_get(data, "volumes"), 0);
    g_autofree char *xml = fake_volume_last_xml();
    g_autofree char *folder = folder_of(self);
    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);

    g_assert_no_error(error);
    g_assert_cmpuint(self->accepted, ==, 1);
    g_assert_cmpstr(ferry_json_get_string(volume, "path"), ==, self->path);
    g_assert_cmpstr(ferry_json_get_string(volume, "pool"), ==, "web");
    g_assert_cmpint(ferry_json_get_int(volume, "capacity_bytes", 0), ==, 8 * MIB);
    g_assert_true(ferry_json_get_bool(volume, "created", false));
    /* Thin, and exactly as large as the disk. */
    g_assert_nonnull(strstr(xml, "<capacity unit=\"bytes\">8388608</capacity>"));
    g_assert_nonnull(strstr(xml, "<allocation unit=\"bytes\">0</allocation>"));
    g_assert_nonnull(strstr(xml, "<format type=\"raw\"/>"));
    assert_file(self->path, true);
    g_assert_true(fake_pool_is_active("web"));
    g_assert_true(fake_pool_is_autostarted("web"));
    /* Newest first. */
    g_assert_cmpstr(creations, ==,
                    "volume /web/disk.img\n"
                    "pool-autostart /web\n"
                    "pool-started /web\n"
                    "directory /web\n"
                    "pool-defined /web\n");
    assert_status(self, "prepared");
}

typedef struct {
    Fixture *fixture;
    const char *kind; /* that has to be in the journal */
    guint seen;
} Order;

static void
look_for_row(gpointer data)
{
    Order *order = data;
    g_autofree char *creations = agent_creations(&order->fixture->agent, MIGRATION);

    g_assert_nonnull(strstr(creations, order->kind));
    order->seen++;
}

/* Killed at any moment, the agent leaves nothing that its journal does not know. */
static void
test_row_before_deed(Fixture *self, gconstpointer user_data)
{
    struct {
        const char *call;
        Order order;
    } deeds[] = {
        {"virStoragePoolDefineXML", {self, "pool-defined ", 0}},
        {"virStoragePoolBuild", {self, "directory ", 0}},
        {"virStoragePoolCreate", {self, "pool-started ", 0}},
        {"virStoragePoolSetAutostart", {self, "pool-autostart ", 0}},
        {"virStorageVolCreateXML", {self, "volume ", 0}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(deeds); i++)
        fake_call_hook(deeds[i].call, look_for_row, &deeds[i].order);
    prepare_well(self);
    for (gsize i = 0; i < G_N_ELEMENTS(deeds); i++)
        g_assert_cmpuint(deeds[i].order.seen, ==, 1);
}

static void
test_pool_is_there(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = folder_of(self);

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    fake_pool_add("mine", folder);
    prepare_well(self);

    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);

    g_assert_cmpstr(creations, ==, "volume /web/disk.img\n");
    g_assert_cmpuint(fake_call_count("virStoragePoolDefineXML"), ==, 0);
}

/* A stranger's file is neither written to nor removed. */
static void
test_file_is_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = folder_of(self);
    g_autofree char *content = NULL;

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(self->path, "precious", -1, NULL));
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_cmpuint(self->accepted, ==, 0);
    g_assert_cmpuint(fake_call_count("virStorageVolCreateXML"), ==, 0);
    g_assert_cmpuint(fake_call_count("virStorageVolDelete"), ==, 0);
    g_assert_true(g_file_get_contents(self->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "precious");
}

static void
put_strangers_file(gpointer data)
{
    const Fixture *self = data;

    g_assert_true(g_file_set_contents(self->path, "precious", -1, NULL));
}

/* Between check and deed somebody else made it: libvirt refuses, and it is not ours to undo. */
static void
test_file_comes_between(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;

    fake_call_hook("virStorageVolCreateXML", put_strangers_file, self);
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_true(g_file_get_contents(self->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "precious");
    g_assert_cmpuint(fake_call_count("virStorageVolDelete"), ==, 0);
}

static void
test_outside_of_allowed_paths(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    json_t *args = json_object_get(self->order, "args");

    json_object_set_new(args, "instance_info",
                        agent_instance_info("/etc/disk.img", "raw", "running"));
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
    g_assert_cmpuint(self->accepted, ==, 0);
    g_assert_cmpuint(fake_call_count("virStoragePoolDefineXML"), ==, 0);
}

/* What was made so far is removed, in the other order, and nothing else. */
static void
test_failure_in_the_middle(Fixture *self, gconstpointer user_data)
{
    static const char *const undoing[] = {"virStoragePoolDestroy", "virStoragePoolUndefine",
                                          "virStoragePoolSetAutostart", NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *other = agent_image(&self->agent, "other");

    fake_pool_add("other", other);
    fake_call_fail("virStorageVolCreateXML", VIR_ERR_OPERATION_FAILED, "No space left on device");
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(error->message, "No space left on device"));

    g_autofree char *calls = fake_calls_list(undoing);
    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);
    g_autofree char *folder = folder_of(self);

    g_assert_cmpstr(calls, ==,
                    "virStoragePoolSetAutostart web 1\n"
                    "virStoragePoolSetAutostart web 0\n"
                    "virStoragePoolDestroy web\n"
                    "virStoragePoolUndefine web\n");
    g_assert_cmpstr(creations, ==, "");
    assert_file(folder, false);
    g_assert_false(fake_pool_exists("web"));
    g_assert_true(fake_pool_exists("other"));
    assert_status(self, "rolled-back");
}

/* A folder that was there, in a pool that was there, stays as it was. */
static void
test_failure_leaves_what_was_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = folder_of(self);

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    fake_pool_add("mine", folder);
    fake_pool_set_active("mine", false);
    fake_call_fail("virStorageVolCreateXML", VIR_ERR_OPERATION_FAILED, "No space left on device");
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    assert_file(folder, true);
    g_assert_true(fake_pool_exists("mine"));
    g_assert_false(fake_pool_is_active("mine"));
    g_assert_true(fake_pool_is_autostarted("mine"));
}

static void
test_libvirt_is_away(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_call_fail_times("virConnectOpen", 100, VIR_ERR_RPC, "Cannot connect");
    fake_connections_drop();
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpuint(self->accepted, ==, 0);
}

/* Gone in the middle: the record stays open, and the same order goes on where it stopped. */
static void
test_libvirt_goes_in_the_middle(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_call_fail("virStorageVolCreateXML", VIR_ERR_RPC, "Connection reset");
    fake_call_fail("virStoragePoolDestroy", VIR_ERR_RPC, "Connection reset");
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    assert_status(self, "preparing");
    prepare_well(self);
    assert_file(self->path, true);
    assert_status(self, "prepared");
    g_assert_cmpuint(self->accepted, ==, 1);
}

/* --- again ------------------------------------------------------------------------------------ */

static void
test_prepare_again(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) first = prepare(self, &error);
    g_autoptr(FerryJson) second = prepare(self, &error);

    g_assert_no_error(error);
    g_assert_true(json_equal(first, second));
    g_assert_cmpuint(self->accepted, ==, 1);
    g_assert_cmpuint(fake_call_count("virStorageVolCreateXML"), ==, 1);
}

static void
test_other_order_of_the_same_id(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    json_object_set_new(json_object_get(self->order, "args"), "source", json_string("kvm09"));
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

static void
test_other_migration_of_the_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    g_assert_null(ferry_destination_prepare(self->destination, OTHER_UUID, self->order,
                                            count_accepted, self, &error));
    g_assert_nonnull(error);
    g_assert_cmpuint(self->accepted, ==, 1);
    assert_file(self->path, true);
    assert_status(self, "prepared");
}

static void
test_no_slot(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) other = ferry_record_new(OTHER_UUID, FERRY_ROLE_DESTINATION);

    other->instance_name = g_strdup("db-1");
    other->instance_uuid = g_strdup(OTHER_UUID);
    other->order = json_object();
    other->instance_info = json_pack("{s:[{s:b}]}", "disks", "migrate", true);
    g_assert_true(ferry_journal_add(self->agent.agent.journal, other, &error));
    self->agent.config->max_concurrent_incoming = 1;
    g_assert_null(prepare(self, &error));
    /* The source may ask again. */
    g_assert_true(ferry_json_get_bool(ferry_error_details(error), "retry", false));
    g_assert_cmpuint(self->accepted, ==, 0);
}

/* Who only prepares keeps nobody else out. */
static void
test_no_slot_for_nothing(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) other = ferry_record_new(OTHER_UUID, FERRY_ROLE_DESTINATION);

    other->instance_name = g_strdup("db-1");
    other->instance_uuid = g_strdup(OTHER_UUID);
    other->order = json_object();
    other->instance_info = json_pack("{s:[{s:b, s:b}]}", "disks", "migrate", false, "carry", false);
    g_assert_true(ferry_journal_add(self->agent.agent.journal, other, &error));
    self->agent.config->max_concurrent_incoming = 1;
    prepare_well(self);
}

static void
test_no_memory(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_host_set_free_memory(512 * MIB);
    g_assert_null(prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpuint(self->accepted, ==, 0);
}

/* --- finish ----------------------------------------------------------------------------------- */

static json_t *
finish(Fixture *self, GError **error)
{
    return ferry_destination_finish(self->destination, MIGRATION, /* autostart= */ false, error);
}

static void
test_finish(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    fake_job_set_completed_downtime(UUID, 42);

    g_autoptr(FerryJson) answer = finish(self, &error);
    g_autoptr(FerryJson) again = finish(self, &error);
    g_autofree char *creations = agent_creations(&self->agent, MIGRATION);
    const json_t *disk = json_array_get(json_object_get(answer, "disks"), 0);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "completed");
    g_assert_cmpstr(ferry_json_get_string(answer, "instance_state"), ==, "running");
    g_assert_cmpint(ferry_json_get_int(answer, "downtime_ms", 0), ==, 42);
    g_assert_cmpstr(ferry_json_get_string(disk, "path"), ==, self->path);
    g_assert_true(json_equal(answer, again));
    /* Delivered: nobody takes them away any more. */
    g_assert_cmpstr(creations, ==, "");
    assert_status(self, "completed");
}

static void
test_finish_makes_persistent(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    fake_domain_set_persistent(UUID, false);

    g_autoptr(FerryJson) answer = finish(self, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_json_get_bool(answer, "persistent", false));
    g_assert_true(fake_domain_is_persistent(UUID));
}

static void
test_finish_without_the_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    g_assert_null(finish(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_status(self, "prepared");
    assert_file(self->path, true);
}

static void
test_finish_what_stands_still(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
    g_assert_null(finish(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    g_clear_error(&error);
    /* By an I/O error: it is told where, and that it is one. */
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
    g_assert_null(finish(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(g_str_has_prefix(error->message, "Destination 'kvm02': The instance 'web-1'"));
    assert_status(self, "prepared");
}

/* It was described as running, and a person has paused it since. */
static void
test_finish_what_a_person_paused(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);

    g_autoptr(FerryJson) answer = finish(self, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "instance_state"), ==, "paused");
    g_assert_cmpint(fake_domain_state(UUID), ==, VIR_DOMAIN_PAUSED);
    assert_status(self, "completed");
}

/* It ran, so there is no way back; when there is room again it goes on, and the record ends. */
static void
test_finish_what_found_no_room(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
    fake_domain_set_full_disk(UUID, "vda");

    g_autoptr(FerryJson) answer = finish(self, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "instance_state"), ==, "running");
    assert_status(self, "completed");
}

/* --- roll back -------------------------------------------------------------------------------- */

static json_t *
roll_back(Fixture *self, GError **error)
{
    return ferry_destination_roll_back(self->destination, MIGRATION, error);
}

static void
test_roll_back(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = folder_of(self);

    prepare_well(self);

    g_autoptr(FerryJson) answer = roll_back(self, &error);
    guint deleted = fake_call_count("virStorageVolDelete");
    g_autoptr(FerryJson) again = roll_back(self, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(answer, "removed")), ==, 5);
    g_assert_cmpuint(json_array_size(json_object_get(answer, "kept")), ==, 0);
    g_assert_true(json_equal(answer, again));
    g_assert_cmpuint(fake_call_count("virStorageVolDelete"), ==, deleted);
    assert_file(folder, false);
    g_assert_false(fake_pool_exists("web"));
    assert_status(self, "rolled-back");
}

/* Another life of the agent knows from the journal what to remove. */
static void
test_roll_back_after_restart(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    ferry_destination_free(self->destination);
    agent_reopen_journal(&self->agent);
    self->destination = ferry_destination_new(&self->agent.agent);

    g_autoptr(FerryJson) answer = roll_back(self, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(answer, "removed")), ==, 5);
    assert_file(self->path, false);
}

static void
test_no_roll_back_under_an_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);
    g_assert_null(roll_back(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_file(self->path, true);
    assert_status(self, "prepared");
}

/* Another domain came to use the image: it stays, and the report says so. */
static void
test_roll_back_keeps_what_is_used(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = agent_domain_xml(self->path, "raw");
    g_auto(GStrv) parts = g_strsplit(xml, UUID, 2);
    g_autofree char *others = g_strjoinv(OTHER_UUID, parts);
    g_auto(GStrv) names = g_strsplit(others, "web-1", 2);
    g_autofree char *renamed = g_strjoinv("db-1", names);

    prepare_well(self);
    fake_domain_add(renamed);

    g_autoptr(FerryJson) answer = roll_back(self, &error);
    const json_t *kept = json_array_get(json_object_get(answer, "kept"), 0);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "error");
    g_assert_cmpstr(ferry_json_get_string(kept, "path"), ==, self->path);
    g_assert_nonnull(strstr(ferry_json_get_string(kept, "why"), "db-1"));
    assert_file(self->path, true);
}

/* --- a definition alone ----------------------------------------------------------------------- */

#define MARK(id)                                                                                   \
    "<metadata><x:arrival xmlns:x='urn:virt-ferry:arrival:1' migration='" id "'/></metadata>"

/* The preparation is of an instance that does not run and has no disk; then its UUID is defined. */
static void
define_after_preparation(Fixture *self, const char *metadata)
{
    json_t *info = json_object_get(json_object_get(self->order, "args"), "instance_info");
    g_autofree char *xml = g_strdup_printf(
        "<domain type='qemu'><name>web-1</name><uuid>" UUID "</uuid>%s</domain>", metadata);

    json_object_set_new(info, "state", json_string("shutoff"));
    json_object_set_new(info, "disks", json_array());
    prepare_well(self);
    fake_domain_add(xml);
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN);
}

static void
test_definition_of_a_stranger(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    define_after_preparation(self, user_data);
    g_assert_null(finish(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);

    g_autoptr(FerryJson) answer = roll_back(self, NULL);

    g_assert_nonnull(answer);
    g_assert_true(fake_domain_exists(UUID));
}

static void
test_definition_that_came(Fixture *self, gconstpointer user_data)
{
    define_after_preparation(self, MARK(MIGRATION));

    g_autoptr(FerryJson) answer = roll_back(self, NULL);

    g_assert_nonnull(answer);
    g_assert_false(fake_domain_exists(UUID));
}

static void
test_definition_that_stays(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    define_after_preparation(self, MARK(MIGRATION));

    g_autoptr(FerryJson) answer = finish(self, &error);

    g_assert_no_error(error);
    assert_status(self, "completed");
    g_assert_cmpuint(fake_call_count("virDomainSetMetadata"), ==, 1);
}

static void
test_roll_back_of_what_arrived(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    let_arrive(self);

    g_autoptr(FerryJson) answer = finish(self, &error);

    g_assert_no_error(error);
    fake_domain_remove(UUID);
    g_assert_null(roll_back(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_file(self->path, true);
}

/* --- the lease -------------------------------------------------------------------------------- */

static gint64
now_us(void)
{
    return g_get_real_time();
}

static void
test_lease_is_open(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);

    gint64 next_us = ferry_destination_expire(self->destination);

    g_assert_cmpint(next_us, >, now_us());
    assert_status(self, "prepared");
}

static void
end_lease(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);
    struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    record->expires_us = now_us() - G_USEC_PER_SEC;
    g_assert_true(ferry_journal_save(self->agent.agent.journal, record, NULL, &error));
    /* Nobody wrote to the image since. */
    g_assert_cmpint(utimensat(AT_FDCWD, self->path, long_ago, 0), ==, 0);
}

static void
test_lease_is_over(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    end_lease(self);
    g_assert_cmpint(ferry_destination_expire(self->destination), ==, 0);
    assert_file(self->path, false);
    assert_status(self, "rolled-back");
}

/* The instance is on its way: the source decides, not the clock. */
static void
test_lease_of_one_that_arrives(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    let_arrive(self);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
    end_lease(self);
    g_assert_cmpint(ferry_destination_expire(self->destination), >, now_us());
    assert_file(self->path, true);
    assert_status(self, "prepared");
}

/* A seed takes as long as its data. */
static void
test_lease_of_one_that_fills(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    end_lease(self);
    g_assert_cmpint(g_utime(self->path, NULL), ==, 0);
    g_assert_cmpint(ferry_destination_expire(self->destination), >, now_us());
    assert_file(self->path, true);
    assert_status(self, "prepared");
}

/* --- check ------------------------------------------------------------------------------------ */

static void
test_check_changes_nothing(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const json_t *args = json_object_get(self->order, "args");
    g_autoptr(FerryJson) answer = ferry_destination_check(
        self->destination, json_object_get(args, "instance_info"), NULL, &error);
    g_autofree char *folder = folder_of(self);

    g_assert_no_error(error);
    g_assert_true(ferry_json_get_bool(answer, "compatible", false));
    g_assert_cmpstr(ferry_json_get_string(json_object_get(answer, "dest_check_data"), "host"), ==,
                    "kvm02");
    assert_file(folder, false);
    g_assert_cmpuint(fake_call_count("virStoragePoolDefineXML"), ==, 0);
}

static void
test_check_finds_the_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const json_t *args = json_object_get(self->order, "args");

    let_arrive(self);

    g_autoptr(FerryJson) answer = ferry_destination_check(
        self->destination, json_object_get(args, "instance_info"), NULL, &error);

    g_assert_no_error(error);
    g_assert_false(ferry_json_get_bool(answer, "compatible", true));
}

/* Returns: (transfer full): "NAME RESULT: MESSAGE", a line each, of what is not fine. */
static char *
unhappy(Fixture *self, const json_t *info)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_destination_check(self->destination, info, NULL, &error);
    GString *lines = g_string_new(NULL);
    json_t *check = NULL;
    gsize index = 0;

    g_assert_no_error(error);
    json_array_foreach(json_object_get(answer, "checks"), index, check)
        if (g_strcmp0(ferry_json_get_string(check, "result"), "pass") != 0)
            g_string_append_printf(lines, "%s %s: %s\n", ferry_json_get_string(check, "name"),
                                   ferry_json_get_string(check, "result"),
                                   ferry_json_get_string(check, "message"));
    return g_string_free(lines, FALSE);
}

/* Its own words; where it does not say, that is no reason against the instance. */
static void
test_check_asks_libvirt(Fixture *self, gconstpointer user_data)
{
    g_autoptr(FerryJson) info = agent_instance_info(self->path, "raw", "running");
    g_autofree char *before = unhappy(self, info);

    g_assert_null(strstr(before, "devices "));
    fake_call_fail("virConnectDomainXMLToNative", VIR_ERR_CONFIG_UNSUPPORTED, "no such panic");

    g_autofree char *refused = unhappy(self, info);

    g_assert_nonnull(strstr(refused, "devices fail: libvirt would not start it here: no such"));
    fake_call_fail("virConnectDomainXMLToNative", VIR_ERR_ACCESS_DENIED, "by a rule");

    g_autofree char *unsaid = unhappy(self, info);

    g_assert_nonnull(strstr(unsaid, "devices warn: libvirt does not say"));
}

/* What only the next start wants is told of it; what both want is told once. */
static void
test_check_asks_for_the_persistent(Fixture *self, gconstpointer user_data)
{
    g_autoptr(FerryJson) info = agent_instance_info(self->path, "raw", "running");
    g_autofree char *xml = agent_domain_xml(self->path, "raw");
    g_autoptr(GString) persistent = g_string_new(xml);

    g_string_replace(persistent, "<disk ",
                     "<interface type='network'><source network='none'/></interface><disk ", 1);
    json_object_set_new(info, "persistent_xml", json_string(persistent->str));

    g_autofree char *next = unhappy(self, info);

    g_assert_nonnull(strstr(next, "network fail: Persistent definition: This host has no network"));
    json_object_set_new(info, "domain_xml", json_string(persistent->str));

    g_autofree char *both = unhappy(self, info);

    g_assert_nonnull(strstr(both, "network fail: This host has no network"));
    g_assert_null(strstr(both, "Persistent definition"));
}

#define ADD(path, func) g_test_add("/destination/" path, Fixture, NULL, set_up, func, tear_down)

#define ADD_WITH(path, data, func)                                                                 \
    g_test_add("/destination/" path, Fixture, data, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("prepare", test_prepare);
    ADD("prepare/row-before-deed", test_row_before_deed);
    ADD("prepare/pool-is-there", test_pool_is_there);
    ADD("prepare/file-is-there", test_file_is_there);
    ADD("prepare/file-comes-between", test_file_comes_between);
    ADD("prepare/outside-of-allowed-paths", test_outside_of_allowed_paths);
    ADD("prepare/failure-in-the-middle", test_failure_in_the_middle);
    ADD("prepare/failure-leaves-what-was-there", test_failure_leaves_what_was_there);
    ADD("prepare/libvirt-is-away", test_libvirt_is_away);
    ADD("prepare/libvirt-goes-in-the-middle", test_libvirt_goes_in_the_middle);
    ADD("prepare/again", test_prepare_again);
    ADD("prepare/other-order-of-the-same-id", test_other_order_of_the_same_id);
    ADD("prepare/other-migration-of-the-instance", test_other_migration_of_the_instance);
    ADD("prepare/no-slot", test_no_slot);
    ADD("prepare/no-slot-for-nothing", test_no_slot_for_nothing);
    ADD("prepare/no-memory", test_no_memory);
    ADD("finish", test_finish);
    ADD("finish/makes-persistent", test_finish_makes_persistent);
    ADD("finish/without-the-instance", test_finish_without_the_instance);
    ADD("finish/what-stands-still", test_finish_what_stands_still);
    ADD("finish/what-a-person-paused", test_finish_what_a_person_paused);
    ADD("finish/what-found-no-room", test_finish_what_found_no_room);
    ADD("roll-back", test_roll_back);
    ADD("roll-back/after-restart", test_roll_back_after_restart);
    ADD("roll-back/not-under-an-instance", test_no_roll_back_under_an_instance);
    ADD("roll-back/keeps-what-is-used", test_roll_back_keeps_what_is_used);
    ADD("roll-back/of-what-arrived", test_roll_back_of_what_arrived);
    ADD_WITH("definition/of-a-stranger", "", test_definition_of_a_stranger);
    ADD_WITH("definition/of-another-migration", MARK(OTHER_UUID), test_definition_of_a_stranger);
    ADD("definition/that-came", test_definition_that_came);
    ADD("definition/that-stays", test_definition_that_stays);
    ADD("lease/is-open", test_lease_is_open);
    ADD("lease/is-over", test_lease_is_over);
    ADD("lease/of-one-that-arrives", test_lease_of_one_that_arrives);
    ADD("lease/of-one-that-fills", test_lease_of_one_that_fills);
    ADD("check/changes-nothing", test_check_changes_nothing);
    ADD("check/finds-the-instance", test_check_finds_the_instance);
    ADD("check/asks-libvirt", test_check_asks_libvirt);
    ADD("check/asks-for-the-persistent", test_check_asks_for_the_persistent);
    return g_test_run();
}
