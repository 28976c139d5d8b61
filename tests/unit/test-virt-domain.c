/* Domains of the local libvirt: what they show, what becomes of them. */
#include "config.h"

#include "virt/domain.h"

#include "agent-fixture.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain-state.h"
#include "virt/incoming-domain.h"
#include "virt/redefine.h"
#include "virt/virt.h"

#include <string.h>

typedef struct {
    AgentFixture agent;
    char *path;
    virConnectPtr connection;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    agent_set_up(&self->agent, "kvm01");
    self->path = agent_image(&self->agent, "web.qcow2");
    fake_image_write_qcow2(self->path, 8 * MIB);
    fake_pool_add("images", self->agent.images);

    g_autofree char *xml = agent_domain_xml(self->path, "qcow2");

    fake_domain_add(xml);
    self->connection = agent_connect(&self->agent);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_virt_let_go(self->connection);
    g_free(self->path);
    agent_tear_down(&self->agent, user_data);
}

/* --- what it shows ---------------------------------------------------------------------------- */

static void
assert_observed(Fixture *self, int state, int reason, FerryObservedState expected)
{
    fake_domain_set_state(UUID, state, reason);

    FerryObservedState observed = ferry_virt_domain_observe(self->connection, UUID);

    g_assert_cmpstr(ferry_observed_state_to_string(observed), ==,
                    ferry_observed_state_to_string(expected));
}

static void
test_observed(Fixture *self, gconstpointer user_data)
{
    static const struct {
        int state;
        int reason;
        FerryObservedState expected;
    } cases[] = {
        {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, FERRY_OBSERVED_RUNNING},
        {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY, FERRY_OBSERVED_POSTCOPY},
        {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY_FAILED, FERRY_OBSERVED_POSTCOPY_FAILED},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, FERRY_OBSERVED_PAUSED},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, FERRY_OBSERVED_PAUSED},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, FERRY_OBSERVED_PAUSED_MIGRATION},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, FERRY_OBSERVED_POSTCOPY},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, FERRY_OBSERVED_MIGRATED},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, FERRY_OBSERVED_SHUT_OFF},
        {VIR_DOMAIN_CRASHED, 0, FERRY_OBSERVED_OTHER},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_observed(self, cases[i].state, cases[i].reason, cases[i].expected);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
    assert_observed(self, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, FERRY_OBSERVED_INCOMING);
    assert_observed(self, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP,
                    FERRY_OBSERVED_INCOMING);
}

/* Not to be seen is not the same as not to be there. */
static void
test_absent_or_unreachable(Fixture *self, gconstpointer user_data)
{
    g_assert_cmpint(ferry_virt_domain_observe(self->connection, OTHER_UUID), ==,
                    FERRY_OBSERVED_ABSENT);
    fake_call_fail("virDomainLookupByUUIDString", VIR_ERR_RPC, "Connection reset");
    g_assert_cmpint(ferry_virt_domain_observe(self->connection, UUID), ==,
                    FERRY_OBSERVED_UNREACHABLE);
    fake_call_fail("virDomainGetState", VIR_ERR_NO_DOMAIN, "Domain not found");
    g_assert_cmpint(ferry_virt_domain_observe(self->connection, UUID), ==, FERRY_OBSERVED_ABSENT);
    fake_call_fail("virDomainGetState", VIR_ERR_RPC, "Connection reset");
    g_assert_cmpint(ferry_virt_domain_observe(self->connection, UUID), ==,
                    FERRY_OBSERVED_UNREACHABLE);
}

static void
test_died_here(Fixture *self, gconstpointer user_data)
{
    g_assert_false(ferry_virt_domain_died_here(self->connection, UUID));
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED);
    g_assert_true(ferry_virt_domain_died_here(self->connection, UUID));
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED);
    g_assert_false(ferry_virt_domain_died_here(self->connection, UUID));
    /* After libvirtd's own restart the reason is forgotten: then it proves nothing. */
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN);
    g_assert_false(ferry_virt_domain_died_here(self->connection, UUID));
    fake_domain_remove(UUID);
    g_assert_false(ferry_virt_domain_died_here(self->connection, UUID));
}

static void
test_busy(Fixture *self, gconstpointer user_data)
{
    g_assert_false(ferry_virt_domain_is_busy(self->connection, UUID));
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    g_assert_true(ferry_virt_domain_is_busy(self->connection, UUID));
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    fake_call_fail("virDomainGetJobInfo", VIR_ERR_RPC, "Connection reset");
    g_assert_true(ferry_virt_domain_is_busy(self->connection, UUID));
}

/* --- described -------------------------------------------------------------------------------- */

static void
test_describe(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, "web-1", &error);
    g_autoptr(FerryInstance) instance =
        ferry_virt_domain_describe(self->connection, domain, &error);
    const FerryDisk *disk = ferry_instance_find_disk(instance, "vda");

    g_assert_no_error(error);
    g_assert_cmpstr(instance->state, ==, "running");
    g_assert_true(instance->persistent);
    g_assert_cmpstr(disk->pool, ==, "images");
    g_assert_cmpuint(disk->capacity_bytes, ==, 8 * MIB);
    g_assert_true(disk->qcow2.known);
}

/* A guest on its way answers no question: all others on the connection would wait with it. */
static void
test_describe_does_not_ask_qemu_on_the_way(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, UUID, &error);

    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);

    g_autoptr(FerryInstance) instance =
        ferry_virt_domain_describe(self->connection, domain, &error);

    g_assert_no_error(error);
    g_assert_nonnull(instance);
    g_assert_cmpuint(fake_call_count("virDomainGetBlockInfo"), ==, 0);
}

static void
test_obstacles(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, UUID, &error);
    g_autoptr(FerryInstance) instance =
        ferry_virt_domain_describe(self->connection, domain, &error);
    GString *names = g_string_new(NULL);

    fake_domain_set_snapshots(UUID, 2);
    fake_domain_set_managed_save(UUID, true);
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP, 1, 2);
    g_assert_true(ferry_virt_domain_find_obstacles(domain, instance, &error));
    for (guint i = 0; i < instance->obstacles->len; i++)
        g_string_append_printf(names, "%s ",
                               ((FerryObstacle *)g_ptr_array_index(instance->obstacles, i))->name);
    g_assert_cmpstr(names->str, ==, "snapshots managed-save block-job ");
    g_string_free(names, TRUE);
}

/* --- retired ---------------------------------------------------------------------------------- */

static void
test_retire_undefines(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED);
    fake_domain_set_autostart(UUID, true);
    g_assert_true(ferry_virt_domain_retire(self->connection, UUID, false, &error));
    g_assert_true(fake_domain_exists(UUID));
    /* It runs elsewhere: the next boot must not start it here. */
    g_assert_false(fake_domain_is_autostarted(UUID));
    g_assert_true(ferry_virt_domain_retire(self->connection, UUID, true, &error));
    g_assert_false(fake_domain_exists(UUID));
    /* Gone is gone. */
    g_assert_true(ferry_virt_domain_retire(self->connection, UUID, true, &error));
    g_assert_no_error(error);
}

static void
test_retire_destroys_what_the_switch_left(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    g_assert_true(ferry_virt_domain_retire(self->connection, UUID, true, &error));
    g_assert_cmpuint(fake_call_count("virDomainDestroyFlags"), ==, 1);
    g_assert_false(fake_domain_exists(UUID));
}

static void
test_retire_never_a_running_one(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_virt_domain_retire(self->connection, UUID, true, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_cmpuint(fake_call_count("virDomainDestroyFlags"), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainUndefineFlags"), ==, 0);
}

static void
test_path_is_used(Fixture *self, gconstpointer user_data)
{
    g_autofree char *user = NULL;
    g_autofree char *nobody = NULL;
    g_autofree char *unknown = NULL;

    g_assert_true(ferry_virt_path_is_used(self->connection, self->path, NULL, &user));
    g_assert_cmpstr(user, ==, "web-1");
    g_assert_false(ferry_virt_path_is_used(self->connection, self->path, UUID, &nobody));
    g_assert_false(ferry_virt_path_is_used(self->connection, "/other.img", NULL, &nobody));
    /* Its next start will want it. */
    g_autofree char *later = NULL;
    g_autofree char *xml = agent_domain_xml("/other.img", "raw");

    fake_domain_set_inactive_xml(UUID, xml);
    g_assert_true(ferry_virt_path_is_used(self->connection, "/other.img", NULL, &later));
    fake_domain_set_inactive_xml(UUID, NULL);
    /* Who cannot be asked may use it. */
    fake_call_fail("virConnectListAllDomains", VIR_ERR_RPC, "Connection reset");
    g_assert_true(ferry_virt_path_is_used(self->connection, "/other.img", NULL, &unknown));
}

/* However many paths there are, libvirt is asked once. */
static void
test_path_users(Fixture *self, gconstpointer user_data)
{
    const char *const paths[] = {"/one.img", self->path, "/other.img", NULL};
    char *users[] = {NULL, NULL, NULL};
    guint asked = fake_call_count("virDomainGetXMLDesc");

    ferry_virt_path_users(self->connection, paths, NULL, users);
    g_assert_null(users[0]);
    g_assert_cmpstr(users[1], ==, "web-1");
    g_assert_null(users[2]);
    g_assert_cmpuint(fake_call_count("virDomainGetXMLDesc") - asked, <=, 2);
    g_free(users[1]);
}

/* --- an instance that arrives ----------------------------------------------------------------- */

static bool
wait_for(Fixture *self, const char *state, FerryIncomingDomain *ret_incoming)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = agent_instance(self->path, "qcow2", state);
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(NULL, self->agent.config, &error);
    bool ok = ferry_incoming_domain_wait(self->connection, instance, options, ret_incoming, &error);

    g_assert_no_error(error);
    return ok;
}

static void
end_the_job(gpointer data)
{
    if (fake_call_count("virDomainGetJobInfo") != 3)
        return;
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    fake_domain_set_state(UUID, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED);
}

static void
test_incoming_is_waited_for(Fixture *self, gconstpointer user_data)
{
    g_auto(FerryIncomingDomain) incoming = {0};

    fake_domain_set_state(UUID, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
    fake_call_hook("virDomainGetJobInfo", end_the_job, NULL);
    g_assert_true(wait_for(self, "running", &incoming));
    g_assert_true(incoming.alive);
    g_assert_cmpuint(fake_call_count("virDomainGetJobInfo"), ==, 3);
}

static void
test_incoming_alive_or_not(Fixture *self, gconstpointer user_data)
{
    g_auto(FerryIncomingDomain) running = {0};
    g_auto(FerryIncomingDomain) paused = {0};
    g_auto(FerryIncomingDomain) by_person = {0};
    g_auto(FerryIncomingDomain) still = {0};
    g_auto(FerryIncomingDomain) absent = {0};

    g_assert_true(wait_for(self, "running", &running));
    g_assert_true(running.alive);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
    g_assert_true(wait_for(self, "running", &paused));
    g_assert_false(paused.alive);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    g_assert_true(wait_for(self, "running", &by_person));
    g_assert_true(by_person.alive);
    /* It was paused before. */
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
    g_assert_true(wait_for(self, "paused", &still));
    g_assert_true(still.alive);
    fake_domain_remove(UUID);
    g_assert_true(wait_for(self, "running", &absent));
    g_assert_false(absent.alive);
}

static void
test_incoming_is_autostarted(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryIncomingDomain) incoming = {0};
    g_autoptr(FerryInstance) instance = agent_instance(self->path, "qcow2", "running");
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(NULL, self->agent.config, &error);

    instance->autostart = true;
    g_assert_true(
        ferry_incoming_domain_wait(self->connection, instance, options, &incoming, &error));
    g_assert_true(fake_domain_is_autostarted(UUID));
}

/* It arrived on a file system that was full a moment later. */
static bool
wait_for_stopped(Fixture *self, const char *state, GError **error)
{
    g_auto(FerryIncomingDomain) incoming = {0};
    g_autoptr(FerryInstance) instance = agent_instance(self->path, "qcow2", state);
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(NULL, self->agent.config, error);

    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
    return ferry_incoming_domain_wait(self->connection, instance, options, &incoming, error) &&
           incoming.alive;
}

static void
test_incoming_stopped_goes_on(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_domain_set_full_disk(UUID, "vda");
    g_assert_true(wait_for_stopped(self, "running", &error));
    g_assert_no_error(error);
    g_assert_cmpint(fake_domain_state(UUID), ==, VIR_DOMAIN_RUNNING);
}

static void
test_incoming_stopped_stays(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    /* A fault of another kind is a person's. */
    g_assert_false(wait_for_stopped(self, "running", &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(error), "reason"), ==, "io-error");
    g_clear_error(&error);
    /* Of a disk that nobody knows it is not known whether it has room. */
    fake_domain_set_full_disk(UUID, "vdz");
    g_assert_false(wait_for_stopped(self, "running", &error));
    g_assert_nonnull(strstr(error->message, "no room left for disk 'vdz'"));
    g_clear_error(&error);
    /* It stood before it left: it is as it was. */
    fake_domain_set_full_disk(UUID, "vda");
    g_assert_true(wait_for_stopped(self, "paused", &error));
    g_assert_cmpuint(fake_call_count("virDomainResume"), ==, 0);
}

static void
stand_again(gpointer data)
{
    if (fake_call_count("virDomainResume") == 1)
        fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
}

static void
test_incoming_stopped_again(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_domain_set_full_disk(UUID, "vda");
    fake_call_hook("virDomainGetState", stand_again, NULL);
    g_assert_false(wait_for_stopped(self, "running", &error));
    g_assert_nonnull(strstr(error->message, "it stood again at once"));
}

/* --- definitions ------------------------------------------------------------------------------ */

static bool
restore(Fixture *self, bool autostart, GError **error)
{
    return ferry_virt_definition_restore(&self->agent.agent, self->connection, MIGRATION, UUID,
                                         autostart, error);
}

static void
test_definition_is_kept_and_restored(Fixture *self, gconstpointer user_data)
{
    static const char *const reads[] = {"virDomainGetXMLDesc", NULL};
    g_autoptr(GError) error = NULL;
    const FerryAgent *agent = &self->agent.agent;

    g_assert_true(ferry_virt_definition_keep(agent, self->connection, MIGRATION, UUID, &error));
    g_assert_no_error(error);

    g_autofree char *flags = fake_calls_list(reads);
    g_autofree char *wanted = g_strdup_printf(
        "virDomainGetXMLDesc web-1 %u\n", (guint)(VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE));

    g_assert_cmpstr(flags, ==, wanted);
    fake_domain_remove(UUID);
    g_assert_true(restore(self, true, &error));
    g_assert_true(fake_domain_exists(UUID));
    g_assert_false(fake_domain_is_autostarted(UUID));
    /* One that is there is not touched. */
    g_assert_true(restore(self, true, &error));
    g_assert_cmpuint(fake_call_count("virDomainDefineXML"), ==, 1);
    ferry_virt_definition_forget(agent, MIGRATION);
    fake_domain_remove(UUID);
    g_assert_false(restore(self, true, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

static void
test_definition_with_autostart(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const FerryAgent *agent = &self->agent.agent;

    fake_domain_set_autostart(UUID, true);
    g_assert_true(ferry_virt_definition_keep(agent, self->connection, MIGRATION, UUID, &error));
    fake_domain_remove(UUID);
    /* Two hosts must not start one instance each. */
    g_assert_true(restore(self, false, &error));
    g_assert_false(fake_domain_is_autostarted(UUID));
    g_assert_true(restore(self, true, &error));
    g_assert_true(fake_domain_is_autostarted(UUID));
    g_assert_no_error(error);
}

static bool
redefine(Fixture *self, const char *path, FerryRedefinition *ret, GError **error)
{
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, UUID, error);
    g_autoptr(FerryInstance) instance = agent_instance(self->path, "qcow2", "running");
    g_autoptr(FerryJson) object = json_pack("{s:[{s:s, s:s, s:s}]}", "volumes", "target", "vda",
                                            "path", path, "format", "qcow2");
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, error);

    return data && ferry_redefinition_make(domain, instance, data, false, ret, error);
}

static void
test_redefine(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryRedefinition) same = {0};
    g_auto(FerryRedefinition) moved = {0};

    g_assert_true(redefine(self, self->path, &same, &error));
    g_assert_null(same.live);
    g_assert_null(same.persistent);
    g_assert_true(redefine(self, "/srv/web.qcow2", &moved, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(moved.live, "/srv/web.qcow2"));
    g_assert_nonnull(strstr(moved.persistent, "/srv/web.qcow2"));
    g_assert_null(strstr(moved.live, self->path));
}

static void
test_redefine_of_other_disks(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = agent_domain_xml("/elsewhere.qcow2", "qcow2");
    g_auto(FerryRedefinition) made = {0};

    /* Somebody changed the disk since it was checked. */
    fake_domain_remove(UUID);
    fake_domain_add(xml);
    g_assert_false(redefine(self, "/srv/web.qcow2", &made, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

/* --- volumes of pools ------------------------------------------------------------------------- */

/* The instance names its disk as the volume @name of the pool "images". */
static void
name_volume(Fixture *self, const char *name)
{
    g_autofree char *xml = agent_domain_xml(self->path, "qcow2");
    g_autofree char *file = g_strdup_printf("<source file='%s'/>", self->path);
    g_autofree char *volume = g_strdup_printf("<source pool='images' volume='%s'/>", name);
    g_autoptr(GString) named = g_string_new(xml);

    g_string_replace(named, "<disk type='file'", "<disk type='volume'", 0);
    g_string_replace(named, file, volume, 0);
    fake_domain_remove(UUID);
    fake_domain_add(named->str);
}

static FerryInstance *
describe(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, UUID, &error);
    FerryInstance *instance = ferry_virt_domain_describe(self->connection, domain, &error);

    g_assert_no_error(error);
    return instance;
}

static void
test_volume_is_its_file(Fixture *self, gconstpointer user_data)
{
    g_autofree char *user = NULL;

    name_volume(self, "web.qcow2");

    g_autoptr(FerryInstance) instance = describe(self);
    const FerryDisk *disk = g_ptr_array_index(instance->disks, 0);

    g_assert_cmpstr(disk->type, ==, "file");
    g_assert_cmpstr(disk->source, ==, self->path);
    g_assert_cmpstr(disk->volume_pool, ==, "images");
    g_assert_true(disk->qcow2.known);
    g_assert_true(ferry_virt_path_is_used(self->connection, self->path, NULL, &user));
}

static void
test_volume_that_is_not_there(Fixture *self, gconstpointer user_data)
{
    name_volume(self, "none");

    g_autoptr(FerryInstance) instance = describe(self);

    g_assert_cmpstr(((FerryDisk *)g_ptr_array_index(instance->disks, 0))->type, ==, "volume");
}

/* @folder: of the destination's pool "images". */
static char *
arrives_as(Fixture *self, const FerryInstance *instance, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(self->connection, UUID, &error);
    g_autoptr(FerryJson) object =
        json_pack("{s:[{s:s, s:s}], s:[{s:s, s:s, s:s}]}", "pools", "name", "images", "path",
                  folder, "volumes", "target", "vda", "path", self->path, "format", "qcow2");
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);
    g_auto(FerryRedefinition) made = {0};

    g_assert_no_error(error);
    g_assert_true(ferry_redefinition_make(domain, instance, data, false, &made, &error));
    g_assert_no_error(error);
    return g_steal_pointer(&made.persistent);
}

static void
test_volume_keeps_its_name(Fixture *self, gconstpointer user_data)
{
    name_volume(self, "web.qcow2");

    g_autoptr(FerryInstance) instance = describe(self);
    ((FerryDisk *)g_ptr_array_index(instance->disks, 0))->migrate = true;
    g_autofree char *same = arrives_as(self, instance, self->agent.images);
    g_autofree char *other = arrives_as(self, instance, "/srv/other");

    g_assert_nonnull(strstr(same, "pool="));
    g_assert_null(strstr(same, self->path));
    g_assert_nonnull(strstr(other, self->path));
    g_assert_null(strstr(other, "pool="));
}

#define ADD(path, func) g_test_add("/virt-domain/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("observed", test_observed);
    ADD("absent-or-unreachable", test_absent_or_unreachable);
    ADD("died-here", test_died_here);
    ADD("busy", test_busy);
    ADD("describe", test_describe);
    ADD("describe/does-not-ask-qemu-on-the-way", test_describe_does_not_ask_qemu_on_the_way);
    ADD("obstacles", test_obstacles);
    ADD("retire/undefines", test_retire_undefines);
    ADD("retire/destroys-what-the-switch-left", test_retire_destroys_what_the_switch_left);
    ADD("retire/never-a-running-one", test_retire_never_a_running_one);
    ADD("path-is-used", test_path_is_used);
    ADD("path-users", test_path_users);
    ADD("incoming/is-waited-for", test_incoming_is_waited_for);
    ADD("incoming/alive-or-not", test_incoming_alive_or_not);
    ADD("incoming/is-autostarted", test_incoming_is_autostarted);
    ADD("incoming/stopped/goes-on", test_incoming_stopped_goes_on);
    ADD("incoming/stopped/stays", test_incoming_stopped_stays);
    ADD("incoming/stopped/again", test_incoming_stopped_again);
    ADD("definition/is-kept-and-restored", test_definition_is_kept_and_restored);
    ADD("definition/with-autostart", test_definition_with_autostart);
    ADD("redefine", test_redefine);
    ADD("volume/is-its-file", test_volume_is_its_file);
    ADD("volume/that-is-not-there", test_volume_that_is_not_there);
    ADD("volume/keeps-its-name", test_volume_keeps_its_name);
    ADD("redefine/of-other-disks", test_redefine_of_other_disks);
    return g_test_run();
}
