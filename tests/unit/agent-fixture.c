#include "config.h"

#include "agent-fixture.h"

#include "ferry/clock.h"
#include "ferry/json.h"
#include "runtime/detached-call.h"
#include "scratch-folder.h"
#include "virt/lending.h"
#include "virt/virt.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_KIB 1048576
#define LAST_CALLS_MS 20000

static void
open_journal(AgentFixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->agent.journal = ferry_journal_open(fixture->config->state_path, &error);
    g_assert_no_error(error);
    ferry_journal_enable_events(fixture->agent.journal, true);
}

static void
load_config(AgentFixture *fixture, const char *host)
{
    g_autoptr(GError) error = NULL;
    const char *const no_files[] = {NULL};
    FerryConfig *config = ferry_config_load(no_files, &error);

    g_assert_no_error(error);
    g_free(config->host);
    config->host = g_strdup(host ? host : "kvm01");
    g_free(config->state_path);
    config->state_path = g_build_filename(fixture->folder, "state", NULL);
    g_strfreev(config->allowed_paths);
    config->allowed_paths = g_new0(char *, 2);
    config->allowed_paths[0] = g_strdup(fixture->images);
    config->reserved_bytes = 0;
    fixture->config = config;
}

void
agent_set_up(AgentFixture *fixture, gconstpointer user_data)
{
    g_autofree char *scratch = ferry_scratch_make();

    /* Warnings belong to the faults that the tests make; a broken rule of GLib's does not. */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    fixture->folder = realpath(scratch, NULL);
    fixture->images = g_build_filename(fixture->folder, "images", NULL);
    g_assert_cmpint(g_mkdir(fixture->images, 0755), ==, 0);
    load_config(fixture, user_data);
    fake_libvirt_reset();
    fixture->agent.config = fixture->config;
    fixture->agent.bus = fake_bus_reset();
    fixture->agent.stopping = g_cancellable_new();
    fixture->agent.silence_ms = 10000;
    fixture->agent.virt = ferry_virt_new("fake:///system");
    open_journal(fixture);
    /* It opens its connection by itself; a test that lets that fail begins after it. */
    ferry_virt_let_go(agent_connect(fixture));
}

void
agent_tear_down(AgentFixture *fixture, gconstpointer user_data)
{
    g_cancellable_cancel(fixture->agent.stopping);
    /* What was left behind uses all that goes now. */
    g_assert_true(ferry_detached_calls_await_none(LAST_CALLS_MS));
    ferry_virt_free(fixture->agent.virt);
    ferry_journal_close(fixture->agent.journal);
    g_object_unref(fixture->agent.stopping);
    ferry_config_free(fixture->config);
    g_free(fixture->images);
    ferry_scratch_remove(fixture->folder);
}

void
agent_reopen_journal(AgentFixture *fixture)
{
    ferry_journal_close(fixture->agent.journal);
    open_journal(fixture);
}

static void
change_journal(AgentFixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;
    g_autofree char *path = g_build_filename(fixture->config->state_path, "journal.db", NULL);

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

void
agent_begin_step(AgentFixture *fixture, const char *migration_id, const char *step, guint before_s)
{
    gint64 since_us = ferry_clock_now_us() - (gint64)before_s * G_USEC_PER_SEC;
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO steps VALUES ('%s', 'source', '%s', 'begun', %" G_GINT64_FORMAT ", 0)",
        migration_id, step, since_us);

    change_journal(fixture, sql);
}

void
agent_forget_identities(AgentFixture *fixture)
{
    change_journal(fixture, "DELETE FROM identities");
}

void
agent_age_creations(AgentFixture *fixture, guint seconds)
{
    g_autofree char *sql =
        g_strdup_printf("UPDATE creations SET at_us = at_us - %u * 1000000", seconds);

    change_journal(fixture, sql);
}

virConnectPtr
agent_connect(AgentFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    virConnectPtr connection = ferry_virt_connect(fixture->agent.virt, &error);

    g_assert_no_error(error);
    return connection;
}

char *
agent_image(const AgentFixture *fixture, const char *name)
{
    return g_build_filename(fixture->images, name, NULL);
}

void
agent_write_raw(const char *path, guint64 bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, (off_t)bytes), ==, 0);
    close(fd);
}

/* --- an instance ------------------------------------------------------------------------------ */

char *
agent_domain_xml(const char *path, const char *format)
{
    return g_strdup_printf(
        "<domain type='qemu'><name>web-1</name><uuid>" UUID "</uuid>"
        "<memory unit='KiB'>%d</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>"
        "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
        "<disk type='file' device='disk'><driver name='qemu' type='%s'/><source file='%s'/>"
        "<backingStore/><target dev='vda' bus='virtio'/></disk></devices></domain>",
        MEMORY_KIB, format, path);
}

FerryInstance *
agent_instance(const char *path, const char *format, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) info = agent_instance_info(path, format, state);
    FerryInstance *instance = ferry_instance_from_json(info, &error);

    g_assert_no_error(error);
    return instance;
}

json_t *
agent_instance_info(const char *path, const char *format, const char *state)
{
    g_autofree char *xml = agent_domain_xml(path, format);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *pool = g_path_get_basename(folder);
    json_t *disk =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "target", "vda", "bus",
                  "virtio", "device", "disk", "type", "file", "source", path, "pool", pool,
                  "format", format, "capacity_bytes", (json_int_t)(8 * MIB), "allocation_bytes",
                  (json_int_t)MIB, "migrate", true);

    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:i, s:I, s:[o], s:s}", "name",
                     "web-1", "uuid", UUID, "state", state, "state_reason", "booted", "persistent",
                     true, "virt_type", "qemu", "arch", "x86_64", "machine", "pc-i440fx-7.2",
                     "emulator", "/usr/bin/qemu-system-x86_64", "vcpus", 1, "memory_bytes",
                     (json_int_t)MEMORY_KIB * 1024, "disks", disk, "domain_xml", xml);
}

/* --- what the journal has --------------------------------------------------------------------- */

FerryRecord *
agent_record(const AgentFixture *fixture, const char *migration_id, FerryRole role)
{
    g_autoptr(GError) error = NULL;
    FerryRecord *record = ferry_journal_get(fixture->agent.journal, migration_id, role, &error);

    g_assert_no_error(error);
    return record;
}

static const char *
below_images(const AgentFixture *fixture, const char *path)
{
    return g_str_has_prefix(path, fixture->images) ? path + strlen(fixture->images) : path;
}

char *
agent_creations(const AgentFixture *fixture, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(fixture->agent.journal, migration_id, &error);
    GString *list = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        g_string_append_printf(list, "%s %s\n", ferry_creation_kind_to_string(creation->kind),
                               below_images(fixture, creation->path));
    }
    return g_string_free(list, FALSE);
}
