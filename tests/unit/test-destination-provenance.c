/* A rollback removes what the migration made, and nothing that has its name by then. */
#include "config.h"

#include "destination/nvram.h"
#include "destination/preparation.h"

#include "destination-fixture.h"
#include "ferry/json.h"
#include "journal/identities.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define PRECIOUS "somebody's own"

typedef DestinationFixture Fixture;

/* In a folder that is made with it, as is the one above. */
static void
set_up(Fixture *self, gconstpointer user_data)
{
    destination_set_up(self, "tenants/web/disk.img");
}

static void
prepare_well(Fixture *self)
{
    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_nonnull(data);
}

/* Rolls back. Returns: (transfer full): why @path was kept, or NULL when it was not. */
static char *
why_kept(Fixture *self, const char *path)
{
    g_autoptr(FerryJson) answer = destination_roll_back(self);
    json_t *each = NULL;
    gsize index = 0;

    json_array_foreach(json_object_get(answer, "kept"), index, each)
        if (g_strcmp0(ferry_json_get_string(each, "path"), path) == 0)
            return g_strdup(ferry_json_get_string(each, "why"));
    return NULL;
}

static void
put(const char *path)
{
    g_assert_true(g_file_set_contents(path, PRECIOUS, -1, NULL));
}

static void
assert_precious(const char *path)
{
    g_autofree char *content = NULL;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, PRECIOUS);
}

static void
assert_there(const char *path, bool there)
{
    g_assert_cmpint(g_file_test(path, G_FILE_TEST_EXISTS), ==, there);
}

/* --- images ----------------------------------------------------------------------------------- */

static void
test_replaced(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    put(self->path);
    why = why_kept(self, self->path);
    g_assert_nonnull(strstr(why, "is not the file that"));
    assert_precious(self->path);
}

/* The inode is the same: the time of birth tells. */
static void
test_renamed_over(Fixture *self, gconstpointer user_data)
{
    g_autofree char *other = agent_image(&self->agent, "other.img");
    g_autofree char *why = NULL;

    put(other);
    prepare_well(self);
    g_assert_cmpint(g_rename(other, self->path), ==, 0);
    why = why_kept(self, self->path);
    g_assert_nonnull(why);
    assert_precious(self->path);
}

/* A folder on the way is swapped for a link to files outside of the allowed paths. */
static void
test_folder_becomes_a_link(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = g_path_get_dirname(self->path);
    g_autofree char *elsewhere = g_build_filename(self->agent.folder, "elsewhere", NULL);
    g_autofree char *aside = agent_image(&self->agent, "aside");
    g_autofree char *victim = g_build_filename(elsewhere, "disk.img", NULL);
    g_autofree char *why = NULL;

    prepare_well(self);
    g_assert_cmpint(g_mkdir(elsewhere, 0755), ==, 0);
    put(victim);
    g_assert_cmpint(g_rename(folder, aside), ==, 0);
    g_assert_cmpint(symlink(elsewhere, folder), ==, 0);
    why = why_kept(self, self->path);
    g_assert_nonnull(strstr(why, "not a folder any more"));
    assert_precious(victim);
    g_assert_cmpuint(fake_call_count("virStorageVolDelete"), ==, 0);
}

/* As the agent leaves it that ends between its intention and its note. */
static void
forget_that_it_is_made(Fixture *self)
{
    const FerryIntention intention = {.migration_id = MIGRATION,
                                      .kind = FERRY_CREATION_VOLUME,
                                      .pool = "web",
                                      .path = self->path,
                                      .detail = "raw 8388608"};
    g_autoptr(GError) error = NULL;
    gint64 id = 0;

    g_assert_true(ferry_journal_creation_add(self->agent.agent.journal, &intention, &id, &error));
    agent_forget_identities(&self->agent);
}

static void
test_only_intended(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    forget_that_it_is_made(self);
    put(self->path);
    why = why_kept(self, self->path);
    g_assert_nonnull(strstr(why, "Nothing proves"));
    assert_precious(self->path);
}

/* What is empty and exactly as it was to be made can only be that, or a loss to nobody. */
static void
test_intended_and_empty(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    forget_that_it_is_made(self);
    why = why_kept(self, self->path);
    g_assert_null(why);
    assert_there(self->path, false);
}

static void
put_strangers_file(gpointer data)
{
    put(((Fixture *)data)->path);
}

/* libvirt's pool does not know it yet, and its word for that is another one. */
static void
test_comes_between(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_call_hook("virStorageVolCreateXML", put_strangers_file, self);
    fake_call_fail("virStorageVolCreateXML", VIR_ERR_OPERATION_INVALID,
                   "volume target path already exists");
    g_assert_null(destination_prepare(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    assert_precious(self->path);
}

/* --- made anew ------------------------------------------------------------------------------- */

/* An attempt of the transfer wrote to the image. */
static void
fill_in_part(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    int fd = g_open(self->path, O_WRONLY, 0);

    g_assert_cmpint(write(fd, PRECIOUS, strlen(PRECIOUS)), ==, (gssize)strlen(PRECIOUS));
    g_assert_true(g_close(fd, &error));
}

static void
assert_filled(Fixture *self)
{
    g_autofree char *content = NULL;

    g_assert_true(g_file_get_contents(self->path, &content, NULL, NULL));
    g_assert_cmpmem(content, strlen(PRECIOUS), PRECIOUS, strlen(PRECIOUS));
}

static bool
renew(Fixture *self, guint attempt, GError **error)
{
    const FerryRenewal renewal = {.attempt = attempt};
    g_autoptr(FerryJson) answer =
        ferry_destination_renew_images(self->destination, MIGRATION, &renewal, error);
    const json_t *renewed = json_object_get(answer, "renewed");

    g_assert_cmpuint(json_array_size(renewed), ==, answer ? 1 : 0);
    return answer != NULL;
}

/* Twice, as for a source of before, whose messages have no number; and a rollback takes the new
 * one, too. */
static void
test_made_anew(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *content = NULL;
        gsize length = 0;

        fill_in_part(self);
        g_assert_true(renew(self, 0, &error));
        g_assert_no_error(error);
        g_assert_true(g_file_get_contents(self->path, &content, &length, &error));
        for (gsize k = 0; k < length; k++)
            g_assert_cmpint(content[k], ==, 0);
    }
    why = why_kept(self, self->path);
    g_assert_null(why);
    assert_there(self->path, false);
}

/* What the destination says it has prepared then: a seed and its overlay. */
static void
renew_as_seed(Fixture *self)
{
    static const char *const seeds[] = {"vda", NULL};
    const FerryRenewal renewal = {.attempt = 2, .seeds = seeds};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer =
        ferry_destination_renew_images(self->destination, MIGRATION, &renewal, &error);
    const json_t *data = json_object_get(answer, "migrate_data");
    const json_t *volume = json_array_get(json_object_get(data, "volumes"), 0);

    g_assert_no_error(error);
    g_assert_true(json_is_true(json_object_get(volume, "seeded")));
    g_assert_cmpuint(json_array_size(json_object_get(answer, "renewed")), ==, 2);
}

/* What was mirrored is seeded from now on: nothing of it stays, and the journal knows. Asked for
 * once more what has arrived of the seed meanwhile stays. */
static void
test_made_anew_as_seed(Fixture *self, gconstpointer user_data)
{
    g_autofree char *overlay = g_strconcat(self->path, ".ferry-" MIGRATION, NULL);
    g_autofree char *why = NULL;
    GStatBuf st;

    prepare_well(self);
    fill_in_part(self);
    renew_as_seed(self);
    g_assert_cmpint(g_stat(self->path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 0);
    assert_there(overlay, true);
    fill_in_part(self);
    renew_as_seed(self);
    assert_filled(self);
    assert_there(overlay, true);
    why = why_kept(self, self->path);
    g_assert_null(why);
    assert_there(self->path, false);
    assert_there(overlay, false);
}

static void
test_another_is_not_made_anew(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    put(self->path);
    g_assert_false(renew(self, 0, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    assert_precious(self->path);
}

static void
test_not_made_anew_under_an_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    fill_in_part(self);
    g_autofree char *xml = agent_domain_xml(self->path, "raw");

    fake_domain_add(xml);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    g_assert_false(renew(self, 0, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    g_assert_true(ferry_json_get_bool(ferry_error_details(error), "retry", false));
    assert_there(self->path, true);
}

/* It arrived, ran and ended before anybody said so; then the message comes once more. */
static void
test_not_made_anew_after_an_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) again = NULL;

    prepare_well(self);
    fill_in_part(self);
    g_autofree char *xml = agent_domain_xml(self->path, "raw");

    fake_domain_add(xml);
    g_assert_false(renew(self, 2, &error));
    g_assert_false(ferry_json_get_bool(ferry_error_details(error), "retry", false));
    fake_domain_remove(UUID);
    g_assert_false(renew(self, 3, &again));
    g_assert_error(again, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_filled(self);
}

/* The attempt that it was made anew for has not begun, and then has. */
static void
test_made_anew_once_for_an_attempt(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) old = NULL;

    prepare_well(self);
    fill_in_part(self);
    g_assert_true(renew(self, 3, &error));
    guint made = fake_call_count("virStorageVolCreateXML");
    g_assert_true(renew(self, 3, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fake_call_count("virStorageVolCreateXML"), ==, made);
    fill_in_part(self);
    g_assert_false(renew(self, 3, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    g_assert_false(renew(self, 2, &old));
    g_assert_error(old, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_filled(self);
    g_assert_true(renew(self, 4, NULL));
}

static void
test_not_made_anew_before(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(renew(self, 0, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
}

/* --- folders and pools ------------------------------------------------------------------------ */

static void
test_all_new_folders_go(Fixture *self, gconstpointer user_data)
{
    g_autofree char *tenants = agent_image(&self->agent, "tenants");
    g_autofree char *why = NULL;

    prepare_well(self);
    assert_there(self->path, true);
    why = why_kept(self, self->path);
    g_assert_null(why);
    assert_there(tenants, false);
    assert_there(self->agent.images, true);
}

static void
test_folder_in_use_is_said(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = g_path_get_dirname(self->path);
    g_autofree char *tenants = agent_image(&self->agent, "tenants");
    g_autofree char *other = agent_image(&self->agent, "tenants/other.img");
    g_autofree char *why = NULL;

    prepare_well(self);
    put(other);
    why = why_kept(self, tenants);
    g_assert_nonnull(why);
    assert_there(folder, false);
    assert_precious(other);
}

static void
test_another_pool_of_that_name(Fixture *self, gconstpointer user_data)
{
    g_autofree char *folder = g_path_get_dirname(self->path);
    g_autofree char *why = NULL;

    prepare_well(self);
    {
        virStoragePoolPtr pool = virStoragePoolLookupByName(NULL, "web");

        g_assert_cmpint(virStoragePoolDestroy(pool), ==, 0);
        g_assert_cmpint(virStoragePoolUndefine(pool), ==, 0);
        virStoragePoolFree(pool);
    }
    fake_pool_add("web", self->agent.images);
    why = why_kept(self, folder);
    g_assert_nonnull(strstr(why, "another one than that of"));
    g_assert_true(fake_pool_is_active("web"));
    g_assert_true(fake_pool_is_autostarted("web"));
}

/* --- the firmware's variables ----------------------------------------------------------------- */

static void
test_claimed_nvram(Fixture *self, gconstpointer user_data)
{
    g_autofree char *nvram = agent_image(&self->agent, "quarantined.img");
    g_autofree char *why = NULL;

    json_object_set_new(self->info, "nvram", json_string(nvram));
    prepare_well(self);
    put(nvram);
    why = why_kept(self, nvram);
    g_assert_nonnull(strstr(why, "Nothing proves"));
    assert_precious(nvram);
}

/* The instance arrives, and has no such file: whoever announced it claimed one. */
static void
test_nvram_that_the_instance_has_not(Fixture *self, gconstpointer user_data)
{
    g_autofree char *nvram = agent_image(&self->agent, "quarantined.img");
    g_autofree char *xml = agent_domain_xml(self->path, "raw");
    g_autofree char *why = NULL;

    json_object_set_new(self->info, "nvram", json_string(nvram));
    prepare_well(self);
    put(nvram);
    fake_domain_add(xml);
    ferry_nvram_note_arrival(&self->agent.agent, UUID);
    fake_domain_remove(UUID);
    why = why_kept(self, nvram);
    g_assert_nonnull(why);
    assert_precious(nvram);
}

/* Another instance arrives meanwhile. */
static void
test_nvram_of_another_arrival(Fixture *self, gconstpointer user_data)
{
    g_autofree char *nvram = agent_image(&self->agent, "web_VARS.fd");
    g_autofree char *why = NULL;

    json_object_set_new(self->info, "nvram", json_string(nvram));
    prepare_well(self);
    put(nvram);
    ferry_nvram_note_arrival(&self->agent.agent, OTHER_UUID);
    why = why_kept(self, nvram);
    g_assert_nonnull(why);
    assert_precious(nvram);
}

/* --- an older self ---------------------------------------------------------------------------- */

/* It was put there when the old agent had long made its own. */
static void
test_replaced_under_an_agent_of_before(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    agent_forget_identities(&self->agent);
    agent_age_creations(&self->agent, 3600);
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    put(self->path);
    ferry_destination_recover(self->destination);
    why = why_kept(self, self->path);
    g_assert_nonnull(why);
    assert_precious(self->path);
}

/* Its journal has names only; what has them when the new agent starts is taken for what was
 * made. */
static void
test_made_by_an_agent_of_before(Fixture *self, gconstpointer user_data)
{
    g_autofree char *why = NULL;

    prepare_well(self);
    agent_forget_identities(&self->agent);
    ferry_destination_recover(self->destination);
    why = why_kept(self, self->path);
    g_assert_null(why);
    assert_there(self->path, false);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *self, gconstpointer user_data);
    } tests[] = {
        {"image/replaced", test_replaced},
        {"image/renamed-over", test_renamed_over},
        {"image/folder-becomes-a-link", test_folder_becomes_a_link},
        {"image/only-intended", test_only_intended},
        {"image/intended-and-empty", test_intended_and_empty},
        {"image/comes-between", test_comes_between},
        {"anew/twice", test_made_anew},
        {"anew/twice-as-seed", test_made_anew_as_seed},
        {"anew/that-is-another", test_another_is_not_made_anew},
        {"anew/under-an-instance", test_not_made_anew_under_an_instance},
        {"anew/after-an-instance", test_not_made_anew_after_an_instance},
        {"anew/once-for-an-attempt", test_made_anew_once_for_an_attempt},
        {"anew/before-the-preparation", test_not_made_anew_before},
        {"folders/all-new-ones-go", test_all_new_folders_go},
        {"folders/in-use-is-said", test_folder_in_use_is_said},
        {"pool/another-of-that-name", test_another_pool_of_that_name},
        {"nvram/claimed", test_claimed_nvram},
        {"nvram/that-the-instance-has-not", test_nvram_that_the_instance_has_not},
        {"nvram/of-another-arrival", test_nvram_of_another_arrival},
        {"agent-of-before", test_made_by_an_agent_of_before},
        {"agent-of-before/replaced", test_replaced_under_an_agent_of_before},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/destination-provenance/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, tests[i].test, destination_tear_down);
    }
    return g_test_run();
}
