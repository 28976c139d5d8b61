/* What an instance left behind, when something of its name arrives. */
#include "config.h"

#include "storage/leftover.h"

#include "agent-fixture.h"
#include "ferry/json.h"
#include "journal/record.h"
#include "virt/lending.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPARTURE "11111111-bbbb-cccc-dddd-eeeeeeeeeeee"
#define NOBODY 65534

typedef struct {
    AgentFixture agent;
    virConnectPtr connection;
    FerryArrival arrival;
    char *path;
    char *aside;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    agent_set_up(&self->agent, NULL);
    self->connection = agent_connect(&self->agent);
    self->path = agent_image(&self->agent, "web.img");
    self->aside = g_strdup_printf("%s.left-%s", self->path, MIGRATION);
    self->arrival = (FerryArrival){&self->agent.agent, self->connection, MIGRATION, UUID};
    fake_pool_add("images", self->agent.images);
    g_assert_true(g_file_set_contents(self->path, "as it was", -1, NULL));

    FerryArrival departure = self->arrival;

    departure.migration_id = DEPARTURE;
    g_assert_true(ferry_leftover_note(&departure, self->path, &error));
    g_assert_no_error(error);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_virt_let_go(self->connection);
    g_free(self->path);
    g_free(self->aside);
    agent_tear_down(&self->agent, NULL);
}

static bool
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
assert_content(const char *path, const char *content)
{
    g_autofree char *found = NULL;

    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, content);
}

/* Another file in its place, with the same times. */
static void
replace(const char *path, const char *content)
{
    struct stat st;
    g_autofree char *other = g_strconcat(path, ".other", NULL);

    g_assert_cmpint(lstat(path, &st), ==, 0);
    g_assert_true(g_file_set_contents(other, content, -1, NULL));
    g_assert_cmpint(utimensat(AT_FDCWD, other, (struct timespec[]){st.st_atim, st.st_mtim}, 0), ==,
                    0);
    g_assert_cmpint(g_rename(other, path), ==, 0);
}

static bool
set_aside(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    bool is_ours = false;

    g_assert_true(ferry_leftover_set_aside(&self->arrival, self->path, &is_ours, &error));
    g_assert_no_error(error);
    return is_ours;
}

static void
assert_put_back(Fixture *self, guint kept)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) list = json_array();

    g_assert_true(ferry_leftover_put_back(&self->arrival, list, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(list), ==, kept);
}

static void
delete_asides(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_leftover_delete_asides(&self->arrival, &error));
    g_assert_no_error(error);
}

static void
test_put_back(Fixture *self, gconstpointer user_data)
{
    for (guint i = 0; i < 2; i++) {
        g_assert_true(set_aside(self));
        g_assert_false(is_there(self->path));
        agent_reopen_journal(&self->agent);
        assert_put_back(self, 0);
        assert_put_back(self, 0);
        assert_content(self->path, "as it was");
        g_assert_false(is_there(self->aside));
    }
}

static void
test_deleted_when_it_came(Fixture *self, gconstpointer user_data)
{
    g_assert_true(set_aside(self));
    g_assert_true(g_file_set_contents(self->path, "arrived", -1, NULL));
    delete_asides(self);
    delete_asides(self);
    g_assert_false(is_there(self->aside));
    assert_content(self->path, "arrived");
    g_assert_false(
        ferry_leftover_may_replace(&self->agent.agent, self->connection, self->path, UUID));
}

/* The agent died after the journal's rows, before or after the deed. */
static void
test_cut_short(Fixture *self, gconstpointer user_data)
{
    g_assert_true(set_aside(self));
    g_assert_cmpint(g_rename(self->aside, self->path), ==, 0);
    assert_put_back(self, 0);
    g_assert_true(set_aside(self));
    g_assert_cmpint(g_rename(self->aside, self->path), ==, 0);
    g_assert_true(set_aside(self));
    g_assert_true(is_there(self->aside));
    assert_put_back(self, 0);
    assert_content(self->path, "as it was");
}

static void
test_of_no_instance(Fixture *self, gconstpointer user_data)
{
    self->arrival.instance_uuid = OTHER_UUID;
    g_assert_false(set_aside(self));
    assert_content(self->path, "as it was");
}

/* The same name and the same times are not the same file. */
static void
test_replaced(Fixture *self, gconstpointer user_data)
{
    replace(self->path, "a stranger's");
    g_assert_false(set_aside(self));
    assert_content(self->path, "a stranger's");
}

static void
test_replaced_while_aside(Fixture *self, gconstpointer user_data)
{
    g_assert_true(set_aside(self));
    replace(self->aside, "a stranger's");
    assert_put_back(self, 1);
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*what the instance left behind stays*");
    delete_asides(self);
    g_test_assert_expected_messages();
    assert_content(self->aside, "a stranger's");
}

static void
test_gone_while_aside(Fixture *self, gconstpointer user_data)
{
    g_assert_true(set_aside(self));
    g_assert_cmpint(g_unlink(self->aside), ==, 0);
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*which was set aside, is gone*");
    assert_put_back(self, 0);
    g_test_assert_expected_messages();
}

static void
test_name_is_taken(Fixture *self, gconstpointer user_data)
{
    g_assert_true(set_aside(self));
    g_assert_true(g_file_set_contents(self->path, "kept", -1, NULL));
    assert_put_back(self, 1);
    assert_content(self->path, "kept");
    assert_content(self->aside, "as it was");
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    assert_put_back(self, 0);
    assert_content(self->path, "as it was");
}

/* An agent of before noted the fingerprint alone: what it is is noted when it is set aside. */
static void
test_of_an_older_agent(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryLeftover) leftover =
        ferry_journal_leftover_find(self->agent.agent.journal, self->path, UUID, &error);

    g_assert_true(ferry_journal_leftover_add(self->agent.agent.journal, self->path, UUID,
                                             "of-before", leftover->fingerprint, &error));
    g_assert_true(set_aside(self));
    delete_asides(self);
    g_assert_false(is_there(self->aside));
}

/* --- where nothing may be renamed ------------------------------------------------------------- */

static void
become_root(gpointer data)
{
    const char *images = data;

    if (getuid() == 0)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_cmpint(g_chmod(images, 0755), ==, 0);
}

/* libvirtd may delete there. */
static void
close_folder(Fixture *self)
{
    fake_call_hook("virStorageVolDelete", become_root, self->agent.images);
    g_assert_cmpint(g_chmod(self->agent.folder, 0755), ==, 0);
    g_assert_cmpint(g_chmod(self->agent.images, 0555), ==, 0);
    if (getuid() == 0)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
}

static void
note_departure(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = ferry_record_new(DEPARTURE, FERRY_ROLE_SOURCE);

    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup(UUID);
    record->destination = g_strdup("kvm02");
    record->order = json_object();
    g_assert_true(ferry_journal_add(self->agent.agent.journal, record, &error));
    g_assert_no_error(error);
}

static void
test_shown_elsewhere(Fixture *self, gconstpointer user_data)
{
    note_departure(self);
    fake_bus_observe("kvm02", "running");
    close_folder(self);
    g_assert_true(set_aside(self));
    g_assert_false(is_there(self->path));
    assert_put_back(self, 0);
}

static void
test_shown_nowhere(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    bool is_ours = false;

    note_departure(self);
    close_folder(self);
    g_assert_false(ferry_leftover_set_aside(&self->arrival, self->path, &is_ours, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    become_root(self->agent.images);
    assert_put_back(self, 0);
    assert_content(self->path, "as it was");
}

#define ADD(path, func) g_test_add("/leftover/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("put-back", test_put_back);
    ADD("deleted-when-it-came", test_deleted_when_it_came);
    ADD("cut-short", test_cut_short);
    ADD("of-no-instance", test_of_no_instance);
    ADD("replaced", test_replaced);
    ADD("replaced-while-aside", test_replaced_while_aside);
    ADD("gone-while-aside", test_gone_while_aside);
    ADD("name-is-taken", test_name_is_taken);
    ADD("of-an-older-agent", test_of_an_older_agent);
    ADD("shown-elsewhere", test_shown_elsewhere);
    ADD("shown-nowhere", test_shown_nowhere);
    return g_test_run();
}
