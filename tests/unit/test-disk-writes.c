/* Running mirrors that are made synchronous by QEMU's own command, and what a guest wrote. */
#include "config.h"

#include "virt/disk-writes.h"

#include "ferry/error.h"
#include "source-fixture.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"

#include <string.h>

#define JOBS                                                                                       \
    "{\"return\":[{\"device\":\"drive-virtio-disk0\",\"type\":\"mirror\"},"                        \
    "{\"device\":\"other\",\"type\":\"commit\"},{\"device\":\"drive-virtio-disk1\","               \
    "\"type\":\"mirror\"}]}"

static const char *const calls[] = {"virDomainQemuMonitorCommand", NULL};

static bool
synchronise(SourceFixture *self, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, UUID, NULL);

    return ferry_virt_mirrors_synchronise(domain, error);
}

static void
test_all_mirrors(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_monitor_answer_next(JOBS);
    g_assert_true(synchronise(self, &error));
    g_assert_no_error(error);

    g_autofree char *asked = fake_calls_list(calls);

    g_assert_nonnull(strstr(asked, "\"id\":\"drive-virtio-disk0\",\"type\":\"mirror\""));
    g_assert_nonnull(strstr(asked, "\"id\":\"drive-virtio-disk1\",\"type\":\"mirror\""));
    g_assert_nonnull(strstr(asked, "\"copy-mode\":\"write-blocking\""));
    g_assert_null(strstr(asked, "\"other\""));
}

static void
test_no_mirror(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_monitor_answer_next("{\"return\":[]}");
    g_assert_false(synchronise(self, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

/* As QEMU before 8.2 does. */
static void
test_unknown_command(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_monitor_answer_next(JOBS);
    fake_monitor_answer_next("{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command "
                             "block-job-change has not been found\"}}");
    g_assert_false(synchronise(self, &error));
    g_assert_nonnull(strstr(error->message, "has not been found"));
}

/* Of two disks one alone is no sum. */
static void
test_written_bytes(SourceFixture *self, gconstpointer user_data)
{
    FerryDisk first = {.target = (char *)"vda", .migrate = true};
    FerryDisk second = {.target = (char *)"vdb", .migrate = true};
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    const FerryInstance instance = {.disks = disks};
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, UUID, NULL);

    g_ptr_array_add(disks, &first);
    g_ptr_array_add(disks, &second);
    fake_disk_set_written("vda", 10);
    g_assert_cmpuint(ferry_virt_disks_written_bytes(domain, &instance), ==, 0);
    fake_disk_set_written("vdb", 20);
    g_assert_cmpuint(ferry_virt_disks_written_bytes(domain, &instance), ==, 30);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    SOURCE_ADD("/disk-writes/all-mirrors", test_all_mirrors);
    SOURCE_ADD("/disk-writes/no-mirror", test_no_mirror);
    SOURCE_ADD("/disk-writes/unknown-command", test_unknown_command);
    SOURCE_ADD("/disk-writes/written-bytes", test_written_bytes);
    return g_test_run();
}
