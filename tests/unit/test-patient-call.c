/* An agent that answers pings and nothing else is waited for; one that is silent is not. */
#include "config.h"

#include "ferry/patient-call.h"

#include "fake-bus.h"
#include "ferry/json.h"

#include <string.h>

#define SLOW_LIMIT_MS 300

static GError *
unreachable(const char *reason)
{
    GError *error = ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer");

    ferry_error_set_detail(error, "reason", json_string(reason));
    return error;
}

static json_t *
call(FerryBus *bus, GError **error)
{
    const FerryCall question = {.server = "kvm02",
                                .method = "describe_host",
                                .args = json_pack("{s:i}", "a", 1),
                                .timeout_ms = 10};

    return ferry_patient_call(bus, &question, SLOW_LIMIT_MS, error);
}

static void
assert_reason(const GError *error, const char *reason)
{
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE);
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(error), "reason"), ==, reason);
}

static void
test_slow(void)
{
    FerryBus *bus = fake_bus_reset();
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "describe_host", unreachable("no-answer"));
    fake_bus_answer("kvm02", "describe_host", json_pack("{s:s}", "host", "kvm02"));
    fake_bus_answer("kvm02", "ping", json_object());

    g_autoptr(FerryJson) answer = call(bus, &error);
    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "describe_host");

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "host"), ==, "kvm02");
    g_assert_cmpint(ferry_json_get_int(args, "a", 0), ==, 1);
    g_assert_cmpuint(fake_bus_count("kvm02", "ping"), ==, 1);
}

static void
take_time(gpointer data)
{
    g_usleep(SLOW_LIMIT_MS * 1000 / 3);
}

static void
test_too_slow(void)
{
    FerryBus *bus = fake_bus_reset();
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "describe_host", unreachable("no-answer"));
    fake_bus_answer("kvm02", "ping", json_object());
    fake_bus_hook("describe_host", take_time, NULL);

    g_assert_null(call(bus, &error));
    assert_reason(error, "slow");
    g_assert_nonnull(strstr(error->message, "virt-ferryd on kvm02 runs"));
    g_assert_nonnull(strstr(ferry_error_hint(error), "libvirt"));
    g_assert_cmpuint(fake_bus_count("kvm02", "describe_host"), >, 1);
}

static void
test_not_there(void)
{
    FerryBus *bus = fake_bus_reset();
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "describe_host", unreachable("no-answer"));
    fake_bus_refuse("kvm02", "ping", unreachable("no-answer"));
    g_assert_null(call(bus, &error));
    assert_reason(error, "no-answer");
    g_assert_cmpuint(fake_bus_count("kvm02", "describe_host"), ==, 1);
}

/* Nobody is asked whether he is alive who has just said something. */
static void
test_no_queue(void)
{
    FerryBus *bus = fake_bus_reset();
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "describe_host", unreachable("no-queue"));
    g_assert_null(call(bus, &error));
    assert_reason(error, "no-queue");
    g_assert_cmpuint(fake_bus_count("kvm02", "ping"), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patient-call/slow", test_slow);
    g_test_add_func("/patient-call/too-slow", test_too_slow);
    g_test_add_func("/patient-call/not-there", test_not_there);
    g_test_add_func("/patient-call/no-queue", test_no_queue);
    return g_test_run();
}
