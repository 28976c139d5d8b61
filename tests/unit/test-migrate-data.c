#include "config.h"

#include "model/migrate-data.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

typedef struct {
    FerryConfig *config;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const char *const no_files[] = {NULL};

    fixture->config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_config_free(fixture->config);
}

static void
set_uri(Fixture *fixture, const char *uri)
{
    g_free(fixture->config->live_migration_uri);
    fixture->config->live_migration_uri = g_strdup(uri);
}

static void
assert_made(Fixture *fixture, const char *address, const char *libvirt_uri, const char *migrate_uri)
{
    g_autofree char *made = ferry_migrate_data_libvirt_uri(fixture->config, address);
    g_autofree char *qemu = ferry_migrate_data_migrate_uri(address);

    g_assert_cmpstr(made, ==, libvirt_uri);
    g_assert_cmpstr(qemu, ==, migrate_uri);
}

static void
test_made(Fixture *fixture, gconstpointer user_data)
{
    assert_made(fixture, "kvm02", "qemu+tls://kvm02/system", "tcp://kvm02");
    assert_made(fixture, "192.0.2.7", "qemu+tls://192.0.2.7/system", "tcp://192.0.2.7");
    assert_made(fixture, "2001:db8::7", "qemu+tls://[2001:db8::7]/system", "tcp://[2001:db8::7]");
    assert_made(fixture, "[2001:db8::7]", "qemu+tls://[2001:db8::7]/system", "tcp://[2001:db8::7]");
    set_uri(fixture, "qemu+ssh://ferry@%s:2222/system?keyfile=/k");
    assert_made(fixture, "2001:db8::7", "qemu+ssh://ferry@[2001:db8::7]:2222/system?keyfile=/k",
                "tcp://[2001:db8::7]");
}

static bool
check(Fixture *fixture, const char *libvirt_uri, const char *migrate_uri, GError **error)
{
    g_autoptr(FerryJson) object =
        json_pack("{s:s, s:s}", "libvirt_uri", libvirt_uri, "migrate_uri", migrate_uri);
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, error);

    return data && ferry_migrate_data_check(data, fixture->config, error);
}

static void
assert_taken(Fixture *fixture, const char *libvirt_uri, const char *migrate_uri)
{
    g_autoptr(GError) error = NULL;
    bool taken = check(fixture, libvirt_uri, migrate_uri, &error);

    g_assert_no_error(error);
    g_assert_true(taken);
}

static void
assert_refused(Fixture *fixture,
               const char *libvirt_uri,
               const char *migrate_uri,
               const char *field)
{
    g_autoptr(GError) error = NULL;

    if (check(fixture, libvirt_uri, migrate_uri, &error))
        g_error("taken: '%s' with '%s'", libvirt_uri, migrate_uri);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    if (!strstr(error->message, field))
        g_error("'%s' does not name '%s'", error->message, field);
}

static void
test_own_answers(Fixture *fixture, gconstpointer user_data)
{
    static const char *const addresses[] = {"kvm02", "kvm02.example.org", "192.0.2.7",
                                            "2001:db8::7"};

    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *libvirt_uri =
            ferry_migrate_data_libvirt_uri(fixture->config, addresses[i]);
        g_autofree char *migrate_uri = ferry_migrate_data_migrate_uri(addresses[i]);

        assert_taken(fixture, libvirt_uri, migrate_uri);
    }
}

/* The destination says what takes the place of an address; the source lets it have its own only. */
static void
test_addresses(Fixture *fixture, gconstpointer user_data)
{
    char *own[] = {(char *)"192.0.2.1", (char *)"192.0.2.3", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object =
        json_pack("{s:{s:s, s:s, s:s}}", "addresses", "192.0.2.1", "192.0.2.2", "203.0.113.1",
                  "192.0.2.2", "192.0.2.3", "exec:/bin/sh");
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);
    g_autoptr(FerryJson) kept = ferry_migrate_data_addresses(data, own);
    g_autoptr(FerryJson) again = ferry_migrate_data_to_json(data);

    g_assert_no_error(error);
    g_assert_cmpuint(json_object_size(kept), ==, 1);
    g_assert_cmpstr(ferry_json_get_string(kept, "192.0.2.1"), ==, "192.0.2.2");
    g_assert_null(ferry_migrate_data_addresses(data, NULL));
    g_assert_cmpuint(json_object_size(json_object_get(again, "addresses")), ==, 3);
}

static void
test_plain_forms(Fixture *fixture, gconstpointer user_data)
{
    assert_taken(fixture, "qemu+tls://kvm02/system", "tcp://192.0.2.7:49152");
    assert_taken(fixture, "qemu+ssh://[2001:db8::7]/system", "tcp://[2001:db8::7]:49152");
}

/* Only a host that goes over tcp itself is led there. */
static void
test_weaker_scheme(Fixture *fixture, gconstpointer user_data)
{
    static const char *const strong[] = {NULL, "qemu+tls://%s/system?pkipath=/p",
                                         "qemu+ssh://ferry@%s/system", "qemu+unix:///system"};

    for (guint i = 0; i < G_N_ELEMENTS(strong); i++) {
        set_uri(fixture, strong[i]);
        assert_refused(fixture, "qemu+tcp://kvm02/system", "tcp://kvm02", "libvirt_uri");
        assert_refused(fixture, "QEMU+TCP://kvm02/system", "tcp://kvm02", "libvirt_uri");
        assert_taken(fixture, "qemu+tls://kvm02/system", "tcp://kvm02");
    }
    set_uri(fixture, "qemu+tcp://%s:16510/system");
    assert_taken(fixture, "qemu+tcp://kvm02:16509/system", "tcp://kvm02");
    assert_taken(fixture, "qemu+ssh://kvm02/system", "tcp://kvm02");
}

/* libvirtd runs as root, and runs what such a URI says. */
static void
test_hostile_libvirt_uri(Fixture *fixture, gconstpointer user_data)
{
    static const char *const hostile[] = {
        "qemu+ext://kvm02/system?command=/tmp/x",
        "qemu+ssh://kvm02/system?command=/tmp/x",
        "qemu+ssh://kvm02/system?proxy=netcat&netcat=/tmp/x",
        "qemu+libssh2://kvm02/system",
        "qemu+unix:///system?socket=/tmp/x",
        "qemu:///system",
        "qemu+tls://kvm02/session",
        "qemu+tls://kvm02/",
        "qemu+tls://kvm02/system#x",
        "qemu+ssh://root@kvm02/system",
        "qemu+ssh://-oProxyCommand=x/system",
        "qemu+ssh://kvm%2002/system",
        "qemu+ssh://kvm02;x/system",
        "lxc+tls://kvm02/system",
        "test:///default",
        "qemu+tls:///system",
        "qemu+tls://kvm02/system?no_verify=1",
        "qemu+tls://kvm02/system?pkipath=/tmp/x",
        "qemu+ssh://kvm02/system?no_verify=1",
        "",
        "kvm02",
    };

    for (guint i = 0; i < G_N_ELEMENTS(hostile); i++)
        assert_refused(fixture, hostile[i], "tcp://kvm02", "migrate_data.libvirt_uri");
}

static void
test_hostile_migrate_uri(Fixture *fixture, gconstpointer user_data)
{
    static const char *const hostile[] = {
        "exec:cat",        "exec://kvm02",
        "unix:///run/x",   "fd:7",
        "rdma://kvm02",    "tcp:kvm02:49152",
        "tcp://",          "tcp://kvm02/x",
        "tcp://kvm02?x=y", "tcp://u@kvm02",
        "tcp://-kvm02",    "tcp://kvm02:99999",
        "tcp://kvm 02",    "",
    };

    for (guint i = 0; i < G_N_ELEMENTS(hostile); i++)
        assert_refused(fixture, "qemu+tls://kvm02/system", hostile[i], "migrate_data.migrate_uri");
}

static void
test_own_template(Fixture *fixture, gconstpointer user_data)
{
    set_uri(fixture, "qemu+ssh://ferry@%s/system?keyfile=/etc/k");
    assert_taken(fixture, "qemu+ssh://ferry@kvm02/system?keyfile=/etc/k", "tcp://kvm02");
    /* The administrator's template for one host says nothing about another. */
    assert_refused(fixture, "qemu+ssh://ferry@kvm03/system?keyfile=/etc/k", "tcp://kvm02",
                   "libvirt_uri");
    assert_refused(fixture, "qemu+ssh://ferry@kvm02/system?keyfile=/etc/x", "tcp://kvm02",
                   "libvirt_uri");
}

static void
test_wrong_types(Fixture *fixture, gconstpointer user_data)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "null",
        "{\"libvirt_uri\": \"qemu+tls://kvm02/system\"}",
        "{\"migrate_uri\": \"tcp://kvm02\"}",
        "{\"libvirt_uri\": 1, \"migrate_uri\": \"tcp://kvm02\"}",
        "{\"libvirt_uri\": \"qemu+tls://kvm02/system\", \"migrate_uri\": {}}",
        ("{\"libvirt_uri\": \"qemu+tls://kvm02/system\", \"migrate_uri\": \"tcp://kvm02\","
         " \"destination_xml\": \"<domain/>\"}"),
        ("{\"libvirt_uri\": \"qemu+tls://kvm02/system\", \"migrate_uri\": \"tcp://kvm02\","
         " \"volumes\": [{\"target\": \"vda\"}, 1]}"),
        ("{\"libvirt_uri\": \"qemu+tls://kvm02/system\", \"migrate_uri\": \"tcp://kvm02\","
         " \"volumes\": [{\"target\": \"vda\", \"seeded\": \"yes\"}]}"),
    };

    for (guint i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryJson) object = json_loads(documents[i], JSON_DECODE_ANY, NULL);
        g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);

        g_assert_nonnull(object);
        g_assert_false(data && ferry_migrate_data_check(data, fixture->config, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    }
}

/* As a destination answers it (docs/protocol.md), and back without loss. */
static void
test_read(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = json_loads(
        "{\"migration_id\": \"76389cdb-4cb3-4ff0-a6bc-1e9320e92a4f\", \"host\": \"kvm02\","
        " \"libvirt_uri\": \"qemu+tls://192.0.2.12/system\", \"migrate_uri\": \"tcp://192.0.2.12\","
        " \"libvirt_version\": \"9.0.0\", \"qemu_version\": \"7.2.22\","
        " \"pools\": [{\"name\": \"default\", \"path\": \"/images\"}],"
        " \"volumes\": [{\"target\": \"vda\", \"path\": \"/images/a\", \"pool\": \"default\","
        "  \"format\": \"raw\", \"capacity_bytes\": 21474836480, \"created\": true,"
        "  \"seeded\": true}],"
        " \"files\": [], \"destination_xml\": null, \"expires_at\": \"2026-11-23T11:56:09.9Z\"}",
        0, NULL);
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_migrate_data_check(data, fixture->config, &error));
    g_assert_cmpstr(data->host, ==, "kvm02");

    const FerryMigrateVolume *volume = ferry_migrate_data_find(data, "vda");

    g_assert_cmpstr(volume->path, ==, "/images/a");
    g_assert_cmpstr(volume->format, ==, "raw");
    g_assert_cmpuint(volume->capacity_bytes, ==, G_GUINT64_CONSTANT(21474836480));
    g_assert_true(volume->created);
    g_assert_true(volume->seeded);
    g_assert_null(ferry_migrate_data_find(data, "vdb"));
    g_assert_null(ferry_migrate_data_find(NULL, "vda"));

    g_autoptr(FerryJson) written = ferry_migrate_data_to_json(data);

    g_assert_true(json_equal(object, written));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/migrate-data/made", test_made);
    ADD("/migrate-data/own-answers", test_own_answers);
    ADD("/migrate-data/plain-forms", test_plain_forms);
    ADD("/migrate-data/addresses", test_addresses);
    ADD("/migrate-data/weaker-scheme", test_weaker_scheme);
    ADD("/migrate-data/hostile-libvirt-uri", test_hostile_libvirt_uri);
    ADD("/migrate-data/hostile-migrate-uri", test_hostile_migrate_uri);
    ADD("/migrate-data/own-template", test_own_template);
    ADD("/migrate-data/wrong-types", test_wrong_types);
    ADD("/migrate-data/read", test_read);
    return g_test_run();
}
