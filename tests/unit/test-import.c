/* Files that arrive, and others that get their names meanwhile. */
#include "config.h"

#include "destination/import.h"

#include "agent-fixture.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "files/digests.h"
#include "storage/leftover.h"
#include "virt/lending.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#include <string.h>
#include <unistd.h>

#define CONTENT "what an image holds, and nothing else"
#define STRANGERS "a stranger's"
#define DEPARTURE "11111111-bbbb-cccc-dddd-eeeeeeeeeeee"

typedef struct {
    AgentFixture agent;
    virConnectPtr connection;
    FerryImports *imports;
    FerryRecord *record;
    char *path;
    char *digest;
    char *partial;
    json_t *file;
} Fixture;

static void
write_new(const char *path, const char *content)
{
    g_assert_true(g_file_set_contents(path, content, -1, NULL));
}

/* The source's agent, over the network. */
static void
write_into(const char *path, const char *content)
{
    FILE *file = fopen(path, "r+");

    g_assert_nonnull(file);
    g_assert_cmpint(fputs(content, file), >=, 0);
    g_assert_cmpint(fclose(file), ==, 0);
}

static char *
digest_of(Fixture *self, const char *content)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = agent_image(&self->agent, "elsewhere.raw");
    char *digest = NULL;

    write_new(path, content);
    digest = ferry_digests_await(self->agent.agent.digests, path, NULL, &error);
    g_assert_no_error(error);
    return digest;
}

static void
add_record(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    self->record = ferry_record_new(MIGRATION, FERRY_ROLE_DESTINATION);
    self->record->instance_name = g_strdup("web-1");
    self->record->instance_uuid = g_strdup(UUID);
    self->record->order = json_object();
    self->record->instance_info = agent_instance_info(self->path, "raw", "shutoff");
    g_assert_true(ferry_journal_add(self->agent.agent.journal, self->record, &error));
    g_assert_no_error(error);
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    agent_set_up(&self->agent, "kvm02");
    self->agent.agent.digests = ferry_digests_new(self->agent.agent.journal, self->agent.agent.virt,
                                                  self->agent.agent.stopping);
    self->connection = agent_connect(&self->agent);
    self->imports = ferry_imports_new(&self->agent.agent);
    self->path = agent_image(&self->agent, "disk.img");
    self->digest = digest_of(self, CONTENT);
    self->partial =
        g_strdup_printf("%s.%s.virt-ferry", self->path, self->digest + strlen(self->digest) - 16);
    self->file = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:i}", "kind", "image", "path",
                           self->path, "format", "raw", "file_bytes", (json_int_t)strlen(CONTENT),
                           "data_bytes", (json_int_t)strlen(CONTENT), "digest", self->digest,
                           "pool", "images", "mode", 0600);
    fake_pool_add("images", self->agent.images);
    add_record(self);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_cancellable_cancel(self->agent.agent.stopping);
    ferry_imports_free(self->imports);
    ferry_digests_free(self->agent.agent.digests);
    ferry_record_free(self->record);
    ferry_virt_let_go(self->connection);
    g_free(self->path);
    g_free(self->digest);
    g_free(self->partial);
    json_decref(self->file);
    agent_tear_down(&self->agent, user_data);
}

static json_t *
ask_begin(Fixture *self, GError **error)
{
    return ferry_imports_begin(self->imports, self->connection, self->record, self->file, error);
}

static void
begin(Fixture *self, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ask_begin(self, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "state"), ==, state);
}

static void
bring(Fixture *self)
{
    begin(self, "copy");
    write_into(self->partial, CONTENT);
}

static json_t *
ask_publish(Fixture *self, GError **error)
{
    for (;;) {
        json_t *answer =
            ferry_imports_publish(self->imports, self->connection, self->record, self->path, error);

        if (g_strcmp0(ferry_json_get_string(answer, "state"), "wait") != 0)
            return answer;
        json_decref(answer);
    }
}

static void
publish(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ask_publish(self, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "state"), ==, "present");
}

static void
assert_refused(Fixture *self)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 2; i++) {
        g_assert_null(ask_begin(self, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
        g_clear_error(&error);
    }
}

static void
assert_undone(Fixture *self, guint removed, guint kept)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) removed_list = json_array();
    g_autoptr(FerryJson) kept_list = json_array();

    g_assert_true(ferry_imports_undo(self->imports, self->connection, MIGRATION, removed_list,
                                     kept_list, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(removed_list), ==, removed);
    g_assert_cmpuint(json_array_size(kept_list), ==, kept);
}

static void
assert_content(const char *path, const char *content)
{
    g_autofree char *found = NULL;

    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, content);
}

static void
replace(Fixture *self, const char *path)
{
    g_autofree char *other = agent_image(&self->agent, "other.img");

    write_new(other, STRANGERS);
    g_assert_cmpint(g_rename(other, path), ==, 0);
}

/* What an agent of before left: names, and an inode when the file was complete. */
static void
forget_identities(Fixture *self)
{
    g_autofree char *path = g_build_filename(self->agent.config->state_path, "journal.db", NULL);
    sqlite3 *db = NULL;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "DELETE FROM identities", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

/* Another life of the agent. */
static void
start_again(Fixture *self)
{
    FerryAgent *agent = &self->agent.agent;

    ferry_digests_free(agent->digests);
    agent_reopen_journal(&self->agent);
    agent->digests = ferry_digests_new(agent->journal, agent->virt, agent->stopping);
}

static void
test_brought(Fixture *self, gconstpointer user_data)
{
    bring(self);
    start_again(self);
    begin(self, "copy");
    publish(self);
    begin(self, "present");
    publish(self);
    assert_content(self->path, CONTENT);
    assert_undone(self, 1, 0);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
test_given_up(Fixture *self, gconstpointer user_data)
{
    bring(self);
    assert_undone(self, 1, 0);
    g_assert_false(g_file_test(self->partial, G_FILE_TEST_EXISTS));
}

/* Somebody put another file in the place of the partial one: nothing is done to it. */
static void
test_partial_is_another(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    bring(self);
    replace(self, self->partial);
    assert_refused(self);
    g_assert_null(ask_publish(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    assert_undone(self, 0, 1);
    assert_content(self->partial, STRANGERS);
    /* Nobody waits for it. */
    assert_undone(self, 0, 0);
}

static void
test_partial_is_a_link(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *victim = agent_image(&self->agent, "victim.img");

    bring(self);
    g_assert_cmpint(g_rename(self->partial, victim), ==, 0);
    g_assert_cmpint(symlink(victim, self->partial), ==, 0);
    g_assert_null(ask_publish(self, &error));
    g_assert_nonnull(error);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
    assert_undone(self, 0, 1);
    assert_content(victim, CONTENT);
}

/* There before anything was begun. That it was asked for once does not make it ours. */
static void
test_partial_was_there(Fixture *self, gconstpointer user_data)
{
    write_new(self->partial, STRANGERS);
    assert_refused(self);
    assert_undone(self, 0, 1);
    assert_content(self->partial, STRANGERS);
}

static void
test_published_is_another(Fixture *self, gconstpointer user_data)
{
    bring(self);
    publish(self);
    replace(self, self->path);
    assert_undone(self, 0, 0);
    assert_content(self->path, STRANGERS);
}

/* A copy under way goes on when the agent is replaced by this one. */
static void
test_partial_of_an_older_agent(Fixture *self, gconstpointer user_data)
{
    bring(self);
    forget_identities(self);
    begin(self, "copy");
    publish(self);
    assert_content(self->path, CONTENT);
    assert_undone(self, 1, 0);
}

static void
test_publishing_for_an_older_agent(Fixture *self, gconstpointer user_data)
{
    bring(self);
    forget_identities(self);
    publish(self);
    assert_content(self->path, CONTENT);
}

/* It is used, and not deleted. */
static void
test_file_of_an_older_agent(Fixture *self, gconstpointer user_data)
{
    bring(self);
    publish(self);
    forget_identities(self);
    begin(self, "present");
    publish(self);
    assert_undone(self, 0, 1);
    assert_content(self->path, CONTENT);
}

/* What the instance left here is in the way: it is set aside. */
static void
test_leftover_is_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) kept = json_array();
    const FerryArrival departure = {&self->agent.agent, self->connection, DEPARTURE, UUID};
    const FerryArrival arrival = {&self->agent.agent, self->connection, MIGRATION, UUID};

    write_new(self->path, "as it was");
    g_assert_true(ferry_leftover_note(&departure, self->path, &error));
    bring(self);
    publish(self);
    assert_undone(self, 1, 0);
    g_assert_true(ferry_leftover_put_back(&arrival, kept, &error));
    g_assert_no_error(error);
    assert_content(self->path, "as it was");
}

#define ADD(path, func) g_test_add("/import/" path, Fixture, "kvm02", set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("brought", test_brought);
    ADD("given-up", test_given_up);
    ADD("partial-is-another", test_partial_is_another);
    ADD("partial-is-a-link", test_partial_is_a_link);
    ADD("partial-was-there", test_partial_was_there);
    ADD("published-is-another", test_published_is_another);
    ADD("older/partial", test_partial_of_an_older_agent);
    ADD("older/publishing", test_publishing_for_an_older_agent);
    ADD("older/published", test_file_of_an_older_agent);
    ADD("leftover-is-there", test_leftover_is_there);
    return g_test_run();
}
