/* A file that a migration made, and others that get its name. */
#include "config.h"

#include "files/own-file.h"

#include "agent-fixture.h"
#include "ferry/error.h"
#include "journal/identities.h"

#include <glib/gstdio.h>

#include <unistd.h>

typedef struct {
    AgentFixture agent;
    char *path;
    char *to;
    FerryOwnFile file;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    agent_set_up(&self->agent, NULL);
    self->path = agent_image(&self->agent, "x.img");
    self->to = agent_image(&self->agent, "y.img");
    self->file =
        (FerryOwnFile){.agent = &self->agent.agent, .migration_id = MIGRATION, .path = self->path};
    g_assert_true(g_file_set_contents(self->path, "ours", -1, NULL));
    g_assert_true(ferry_own_file_note(&self->file, &error));
    g_assert_no_error(error);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_free(self->path);
    g_free(self->to);
    agent_tear_down(&self->agent, NULL);
}

static bool
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
assert_seen(Fixture *self, FerryOwnFileSeen seen)
{
    g_autoptr(GError) why = NULL;

    g_assert_cmpint(ferry_own_file_look(&self->file, &why), ==, seen);
    g_assert_cmpint(why == NULL, ==, seen == FERRY_OWN_FILE_OURS || seen == FERRY_OWN_FILE_GONE);
}

/* Neither renamed nor deleted. */
static void
assert_stays(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_own_file_delete(&self->file, NULL, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_false(ferry_own_file_rename(&self->file, self->to, NULL, &error));
    g_assert_nonnull(error);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK));
    g_assert_false(is_there(self->to));
}

static void
test_deleted(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    agent_reopen_journal(&self->agent);
    assert_seen(self, FERRY_OWN_FILE_OURS);
    for (guint i = 0; i < 2; i++)
        g_assert_true(ferry_own_file_delete(&self->file, NULL, &error));
    g_assert_no_error(error);
    assert_seen(self, FERRY_OWN_FILE_GONE);
}

static void
test_renamed(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    /* Once more, as after a crash. */
    for (guint i = 0; i < 2; i++)
        g_assert_true(ferry_own_file_rename(&self->file, self->to, NULL, &error));
    g_assert_no_error(error);
    self->file.path = self->to;
    self->file.noted_as = self->path;
    assert_seen(self, FERRY_OWN_FILE_OURS);
    g_assert_true(ferry_own_file_delete(&self->file, NULL, &error));
    g_assert_false(is_there(self->to));
}

static void
test_rename_replaces_nothing(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    bool is_forbidden = true;

    g_assert_true(g_file_set_contents(self->to, "a stranger's", -1, NULL));
    g_assert_false(ferry_own_file_rename(&self->file, self->to, &is_forbidden, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_false(is_forbidden);
}

static void
test_another_file(Fixture *self, gconstpointer user_data)
{
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    g_assert_true(g_file_set_contents(self->path, "a stranger's", -1, NULL));
    assert_seen(self, FERRY_OWN_FILE_FOREIGN);
    assert_stays(self);
}

/* A new file may get the inode of one that is gone; its birth is another. */
static void
test_same_inode(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryFileIdentity noted = {0};
    bool is_known = false;

    g_assert_true(ferry_journal_identity_get(self->agent.agent.journal, MIGRATION, self->path,
                                             &noted, &is_known, &error));
    g_assert_true(is_known);
    noted.birth_ns--;
    g_assert_true(ferry_journal_identity_put(self->agent.agent.journal, MIGRATION, self->path,
                                             &noted, &error));
    assert_seen(self, FERRY_OWN_FILE_FOREIGN);
    assert_stays(self);
}

static void
test_a_link_to_it(Fixture *self, gconstpointer user_data)
{
    g_autofree char *moved = agent_image(&self->agent, "moved.img");

    g_assert_cmpint(g_rename(self->path, moved), ==, 0);
    g_assert_cmpint(symlink(moved, self->path), ==, 0);
    assert_seen(self, FERRY_OWN_FILE_FOREIGN);
    assert_stays(self);
    g_assert_true(is_there(moved));
}

static void
test_not_noted(Fixture *self, gconstpointer user_data)
{
    self->file.migration_id = OTHER_UUID;
    assert_seen(self, FERRY_OWN_FILE_UNKNOWN);
    assert_stays(self);
}

/* What was only intended proves nothing. */
static void
test_intended(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryJournal *journal = self->agent.agent.journal;

    self->file.migration_id = OTHER_UUID;
    g_assert_true(ferry_journal_identity_is_of_before(journal, OTHER_UUID, self->path));
    g_assert_true(ferry_journal_identity_intend(journal, OTHER_UUID, self->path, &error));
    g_assert_false(ferry_journal_identity_is_of_before(journal, OTHER_UUID, self->path));
    assert_seen(self, FERRY_OWN_FILE_UNKNOWN);
    g_assert_true(ferry_own_file_note(&self->file, &error));
    g_assert_true(ferry_journal_identity_intend(journal, OTHER_UUID, self->path, &error));
    assert_seen(self, FERRY_OWN_FILE_OURS);
}

static void
test_folder_is_gone(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *moved = g_strconcat(self->agent.images, ".moved", NULL);

    g_assert_cmpint(g_rename(self->agent.images, moved), ==, 0);
    assert_seen(self, FERRY_OWN_FILE_GONE);
    g_assert_false(ferry_own_file_rename(&self->file, self->to, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_cmpint(g_rename(moved, self->agent.images), ==, 0);
}

static void
test_folder_of_everybody(Fixture *self, gconstpointer user_data)
{
    g_assert_cmpint(g_chmod(self->agent.images, 0777), ==, 0);
    assert_seen(self, FERRY_OWN_FILE_FOREIGN);
    assert_stays(self);
    g_assert_cmpint(g_chmod(self->agent.images, 0755), ==, 0);
}

#define ADD(path, func) g_test_add("/own-file/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("deleted", test_deleted);
    ADD("renamed", test_renamed);
    ADD("rename-replaces-nothing", test_rename_replaces_nothing);
    ADD("another-file", test_another_file);
    ADD("same-inode", test_same_inode);
    ADD("a-link-to-it", test_a_link_to_it);
    ADD("not-noted", test_not_noted);
    ADD("intended", test_intended);
    ADD("folder-is-gone", test_folder_is_gone);
    ADD("folder-of-everybody", test_folder_of_everybody);
    return g_test_run();
}
