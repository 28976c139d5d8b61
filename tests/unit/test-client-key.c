#include "config.h"

#include "checks/client-key.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "scratch-folder.h"

#include <string.h>
#include <unistd.h>

#define URI "qemu+tls://kvm02/system"

typedef struct {
    char *folder;
    char *key;
    FerryInstance *instance;
    FerryDisk *disk;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    self->folder = ferry_scratch_make();
    self->key = g_build_filename(self->folder, "clientkey.pem", NULL);
    self->instance = ferry_instance_new();
    self->instance->name = g_strdup("web");
    self->instance->state = g_strdup("running");
    self->disk = ferry_disk_new();
    self->disk->target = g_strdup("vda");
    self->disk->source = g_strdup("/images/web");
    self->disk->migrate = true;
    g_ptr_array_add(self->instance->disks, self->disk);
    g_setenv("HOME", self->folder, TRUE);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_instance_free(self->instance);
    ferry_scratch_remove(self->folder);
    g_free(self->key);
}

/* Returns: the result, or "" where nothing was checked. */
static const char *
result_of(const Fixture *self, const char *uri)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(FerryJson) json = NULL;
    const json_t *check = NULL;

    ferry_check_client_key(self->instance, uri, self->key, checks);
    json = ferry_checks_to_json(checks);
    check = json_array_get(json_object_get(json, "checks"), 0);
    return check ? g_intern_string(ferry_json_get_string(check, "result")) : "";
}

/* libvirtd itself carries a disk that is mirrored. */
static void
test_not_needed(Fixture *self, gconstpointer user_data)
{
    g_assert_cmpstr(result_of(self, URI), ==, "");
    self->disk->seeded = true;
    g_assert_cmpstr(result_of(self, "qemu+ssh://kvm02/system"), ==, "");
    g_assert_cmpstr(result_of(self, NULL), ==, "");
}

static void
test_needed(Fixture *self, gconstpointer user_data)
{
    FerryLayer *base = ferry_layer_new();

    base->path = g_strdup("/images/base");
    base->format = g_strdup("raw");
    g_ptr_array_add(self->disk->layers, base);
    g_assert_cmpstr(result_of(self, URI), ==, "fail");
    g_ptr_array_set_size(self->disk->layers, 0);
    self->disk->seeded = true;
    g_assert_cmpstr(result_of(self, URI), ==, "fail");
    self->disk->seeded = false;
    g_free(self->instance->state);
    self->instance->state = g_strdup("shutoff");
    g_assert_cmpstr(result_of(self, URI), ==, "fail");
    g_assert_true(g_file_set_contents(self->key, "key", -1, NULL));
    g_assert_cmpstr(result_of(self, URI), ==, "pass");
}

/* What libvirtd lacks as well is no matter of the agent's rights. */
static void
test_of_host(Fixture *self, gconstpointer user_data)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    bool absent = false;
    g_autofree char *hint = ferry_client_key_hint(URI, self->key, &absent);

    g_assert_true(absent);
    g_assert_nonnull(strstr(hint, self->key));
    ferry_check_client_key_of_host(URI, self->key, checks);
    g_assert_cmpint(ferry_checks_get(checks, 0)->result, ==, FERRY_CHECK_FAIL);
    g_assert_null(ferry_client_key_hint("qemu+tcp://kvm02/system", self->key, &absent));
    g_assert_false(absent);

    g_assert_true(g_file_set_contents(self->key, "key", -1, NULL));
    ferry_check_client_key_of_host(URI, self->key, checks);
    g_assert_cmpint(ferry_checks_get(checks, 1)->result, ==, FERRY_CHECK_PASS);
    g_assert_null(ferry_client_key_hint(URI, self->key, &absent));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/client-key/not-needed", Fixture, NULL, set_up, test_not_needed, tear_down);
    g_test_add("/client-key/needed", Fixture, NULL, set_up, test_needed, tear_down);
    g_test_add("/client-key/of-host", Fixture, NULL, set_up, test_of_host, tear_down);
    return g_test_run();
}
