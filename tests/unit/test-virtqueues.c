/* Queues that QEMU made longer than the definition asks for. */
#include "config.h"

#include "checks/virtqueues.h"

#include "agent-fixture.h"
#include "xml/domain-queues.h"

#include <string.h>

#define DOMAIN                                                                                     \
    "<domain type='qemu'><name>web-1</name><uuid>" UUID "</uuid><devices>"                         \
    "<disk type='file'><driver name='qemu' queue_size='1024'/><target dev='vda' bus='virtio'/>"    \
    "<alias name='virtio-disk0'/></disk>"                                                          \
    "<interface type='network'><driver rx_queue_size='512' tx_queue_size='1024'/>"                 \
    "<alias name='net0'/></interface>"                                                             \
    "<memballoon model='virtio'><alias name='balloon0'/></memballoon></devices></domain>"
#define DEVICES(device)                                                                            \
    "{\"return\":[{\"path\":\"/machine/peripheral/" device "/virtio-backend\"}]}"

static void
test_defined(void)
{
    g_assert_cmpuint(ferry_domxml_queue_size(DOMAIN, "virtio-disk0"), ==, 1024);
    g_assert_cmpuint(ferry_domxml_queue_size(DOMAIN, "net0"), ==, 1024);
    g_assert_cmpuint(ferry_domxml_queue_size(DOMAIN, "balloon0"), ==, 0);
    g_assert_cmpuint(ferry_domxml_queue_size(DOMAIN, "other0"), ==, 0);
    g_assert_cmpuint(ferry_domxml_queue_size("<domain/>", "net0"), ==, 0);
    g_assert_cmpuint(ferry_domxml_queue_size("no document", "net0"), ==, 0);
}

/* Returns: (transfer full): what the check said of an instance that runs on this QEMU. */
static FerryChecks *
look(AgentFixture *self, const char *qemu)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryChecks *checks = ferry_checks_new();

    instance->name = g_strdup("web-1");
    instance->uuid = g_strdup(UUID);
    instance->state = g_strdup("running");
    instance->domain_xml = g_strdup(DOMAIN);
    instance->qemu_version = g_strdup(qemu);
    ferry_check_virtqueues(&self->agent, instance, &(FerryHostVersions){"12.8.0", "11.1.3"},
                           checks);
    return checks;
}

static void
assert_says(AgentFixture *self, FerryCheckResult result, const char *words)
{
    g_autoptr(FerryChecks) checks = look(self, "10.0.13");

    g_assert_cmpuint(ferry_checks_count(checks), ==, 1);
    g_assert_cmpstr(ferry_checks_get(checks, 0)->name, ==, "virtqueues");
    g_assert_cmpint(ferry_checks_get(checks, 0)->result, ==, result);
    g_assert_nonnull(strstr(ferry_checks_get(checks, 0)->message, words));
}

/* A guest with one device of two queues, the second of this length. */
static void
have_device(AgentFixture *self, const char *devices, guint length)
{
    g_autofree char *second = g_strdup_printf("{\"return\":{\"vring-num\":%u}}", length);

    fake_domain_add(DOMAIN);
    self->config->monitor_commands = true;
    fake_monitor_answer("\"x-query-virtio\"", devices);
    fake_monitor_answer("x-query-virtio-status", "{\"return\":{\"num-vqs\":2}}");
    fake_monitor_answer("\"queue\":0", "{\"return\":{\"vring-num\":8}}");
    fake_monitor_answer("\"queue\":1", second);
}

static void
test_not_allowed(AgentFixture *self, gconstpointer user_data)
{
    have_device(self, DEVICES("balloon0"), 1024);
    self->config->monitor_commands = false;
    assert_says(self, FERRY_CHECK_WARN, "monitor_commands is off");
    g_assert_cmpuint(fake_call_count("virDomainQemuMonitorCommand"), ==, 0);
}

static void
test_too_long(AgentFixture *self, gconstpointer user_data)
{
    have_device(self, DEVICES("balloon0"), 1024);
    assert_says(self, FERRY_CHECK_FAIL, "'balloon0' has one of 1024 entries");
}

static void
test_long_as_defined(AgentFixture *self, gconstpointer user_data)
{
    have_device(self, DEVICES("virtio-disk0"), 1024);
    assert_says(self, FERRY_CHECK_PASS, "as long as it is defined with");
}

/* Booted on another QEMU, and here since. */
static void
test_usual(AgentFixture *self, gconstpointer user_data)
{
    have_device(self, DEVICES("balloon0"), 256);
    assert_says(self, FERRY_CHECK_PASS, "as long as it is defined with");
}

/* Other versions make no such queues, but a guest may have come with some. */
static void
test_other_version(AgentFixture *self, gconstpointer user_data)
{
    have_device(self, DEVICES("balloon0"), 1024);
    self->config->monitor_commands = false;

    g_autoptr(FerryChecks) unasked = look(self, "7.2.22");

    g_assert_cmpuint(ferry_checks_count(unasked), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainQemuMonitorCommand"), ==, 0);
    self->config->monitor_commands = true;

    g_autoptr(FerryChecks) asked = look(self, "7.2.22");

    g_assert_cmpint(ferry_checks_get(asked, 0)->result, ==, FERRY_CHECK_FAIL);
}

/* Who was not answered knows no more than before. */
static void
test_no_answer(AgentFixture *self, gconstpointer user_data)
{
    fake_domain_add(DOMAIN);
    self->config->monitor_commands = true;
    fake_call_fail("virDomainQemuMonitorCommand", VIR_ERR_OPERATION_INVALID, "no monitor");
    assert_says(self, FERRY_CHECK_WARN, "no monitor");
    fake_monitor_answer("x-query-virtio",
                        "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"no\"}}");
    assert_says(self, FERRY_CHECK_WARN, "refused x-query-virtio");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtqueues/defined", test_defined);
    AGENT_ADD("/virtqueues/not-allowed", NULL, test_not_allowed);
    AGENT_ADD("/virtqueues/too-long", NULL, test_too_long);
    AGENT_ADD("/virtqueues/long-as-defined", NULL, test_long_as_defined);
    AGENT_ADD("/virtqueues/usual", NULL, test_usual);
    AGENT_ADD("/virtqueues/other-version", NULL, test_other_version);
    AGENT_ADD("/virtqueues/no-answer", NULL, test_no_answer);
    return g_test_run();
}
