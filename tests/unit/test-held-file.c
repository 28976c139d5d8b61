#include "config.h"

#include "files/held-file.h"

#include "agent-fixture.h"
#include "ferry/error.h"

#include <glib/gstdio.h>

#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    AgentFixture agent;
    char *path;
    char *held_path;
    FerryQuarantined file;
} Fixture;

/* @user_data: "older": an agent of before put it aside, and noted its inode alone. */
static void
set_up(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryHeldFile info = {0};

    agent_set_up(&self->agent, NULL);
    self->path = agent_image(&self->agent, "vm1.qcow2");
    self->held_path = ferry_held_file_name(self->path, MIGRATION);
    g_assert_true(g_file_set_contents(self->path, "data", 4, NULL));
    g_assert_cmpint(g_chmod(self->path, 0644), ==, 0);
    g_assert_true(ferry_held_file_info(self->path, &info, &error));
    g_assert_no_error(error);
    self->file = (FerryQuarantined){.migration_id = (char *)MIGRATION,
                                    .path = self->path,
                                    .held_path = self->held_path,
                                    .inode = info.inode,
                                    .mode = info.mode};

    const FerryOwnFile own = {
        .agent = &self->agent.agent, .migration_id = MIGRATION, .path = self->path};

    g_assert_true(user_data || ferry_own_file_note(&own, &error));
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_free(self->path);
    g_free(self->held_path);
    agent_tear_down(&self->agent, NULL);
}

static bool
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static guint
mode_of(const char *path)
{
    FerryHeldFile info = {0};

    g_assert_true(ferry_held_file_info(path, &info, NULL));
    return info.mode;
}

static void
assert_looks(Fixture *self, const char *path, FerryOwnFileSeen seen)
{
    g_assert_cmpint(ferry_held_file_look(&self->agent.agent, &self->file, path, NULL), ==, seen);
}

static void
test_look(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = agent_image(&self->agent, "link");
    FerryHeldFile info = {0};

    g_assert_true(ferry_held_file_info(self->path, &info, &error));
    g_assert_cmpuint(info.mode, ==, 0644);
    g_assert_cmpuint(info.allocation_bytes, >, 0);
    /* Nothing there is no error. */
    g_assert_false(ferry_held_file_info(self->held_path, &info, &error));
    g_assert_no_error(error);
    g_assert_cmpint(symlink(self->path, link), ==, 0);
    g_assert_false(ferry_held_file_info(link, &info, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    assert_looks(self, self->path, FERRY_OWN_FILE_OURS);
    assert_looks(self, self->held_path, FERRY_OWN_FILE_GONE);
}

static void
test_there_and_back(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const FerryAgent *agent = &self->agent.agent;

    g_assert_true(g_str_has_prefix(self->held_path, self->path));
    g_assert_true(g_str_has_suffix(self->held_path, MIGRATION));
    /* The second time as after a crash: it is done already. */
    for (guint i = 0; i < 2; i++) {
        g_assert_true(ferry_held_file_hold(agent, &self->file, &error));
        g_assert_false(is_there(self->path));
        g_assert_cmpuint(mode_of(self->held_path), ==, 0400);
    }
    assert_looks(self, self->held_path, FERRY_OWN_FILE_OURS);
    for (guint i = 0; i < 2; i++)
        g_assert_true(ferry_held_file_bring_back(agent, &self->file, &error));
    g_assert_no_error(error);
    g_assert_false(is_there(self->held_path));
    g_assert_cmpuint(mode_of(self->path), ==, 0644);
}

static void
test_replaces_nothing(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(self->held_path, "other", 5, NULL));
    g_assert_false(ferry_held_file_hold(&self->agent.agent, &self->file, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_cmpuint(mode_of(self->path), ==, 0644);
}

static void
replace(Fixture *self, const char *path)
{
    g_autofree char *other = agent_image(&self->agent, "other");

    g_assert_true(g_file_set_contents(other, "other", 5, NULL));
    g_assert_cmpint(g_rename(other, path), ==, 0);
}

static void
test_another_file(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    replace(self, self->path);
    g_assert_false(ferry_held_file_hold(&self->agent.agent, &self->file, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(is_there(self->path));
}

static void
test_swapped_in_quarantine(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const FerryAgent *agent = &self->agent.agent;

    g_assert_true(ferry_held_file_hold(agent, &self->file, &error));
    replace(self, self->held_path);
    g_assert_false(ferry_held_file_bring_back(agent, &self->file, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_clear_error(&error);
    g_assert_false(ferry_held_file_delete(agent, &self->file, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(is_there(self->held_path));
    g_assert_false(is_there(self->path));
}

static void
test_deleted(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const FerryAgent *agent = &self->agent.agent;

    g_assert_true(ferry_held_file_hold(agent, &self->file, &error));
    for (guint i = 0; i < 2; i++)
        g_assert_true(ferry_held_file_delete(agent, &self->file, NULL, &error));
    g_assert_no_error(error);
    g_assert_false(is_there(self->held_path));
    g_assert_false(ferry_held_file_bring_back(agent, &self->file, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

/* The inode that was noted is another file's by now. */
static void
test_older_and_another(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    replace(self, self->path);
    g_assert_cmpint(g_rename(self->path, self->held_path), ==, 0);
    g_assert_false(ferry_held_file_delete(&self->agent.agent, &self->file, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(is_there(self->held_path));
}

#define ADD(path, func) g_test_add("/held-file/" path, Fixture, NULL, set_up, func, tear_down)
#define ADD_OLDER(path, func)                                                                      \
    g_test_add("/held-file/older/" path, Fixture, "older", set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("look", test_look);
    ADD("there-and-back", test_there_and_back);
    ADD("replaces-nothing", test_replaces_nothing);
    ADD("another-file", test_another_file);
    ADD("swapped-in-quarantine", test_swapped_in_quarantine);
    ADD("deleted", test_deleted);
    ADD_OLDER("there-and-back", test_there_and_back);
    ADD_OLDER("deleted", test_deleted);
    ADD_OLDER("another", test_older_and_another);
    return g_test_run();
}
