#include "config.h"

#include "model/way-judge.h"

#include "ferry/json.h"
#include "model/memory-way.h"

#include <string.h>

#define SECOND_US G_GINT64_CONSTANT(1000000)

static void
assert_check(const FerryChecks *checks, guint index, const char *name, FerryCheckResult result)
{
    const FerryCheck *check = ferry_checks_get(checks, index);

    g_assert_cmpstr(check->name, ==, name);
    g_assert_cmpint(check->result, ==, result);
    g_assert_true((check->hint == NULL) == (result == FERRY_CHECK_PASS));
}

static FerryCheckResult
result_of_qemu(const char *here, const char *there)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    FerryHostVersions source = {"9.0.0", here};
    FerryHostVersions destination = {"9.0.0", there};

    ferry_way_judge_versions(checks, &source, &destination);
    g_assert_cmpuint(ferry_checks_count(checks), ==, 2);
    assert_check(checks, 0, "versions", FERRY_CHECK_PASS);
    assert_check(checks, 1, "versions", ferry_checks_get(checks, 1)->result);
    return ferry_checks_get(checks, 1)->result;
}

static void
test_versions(void)
{
    g_assert_cmpint(result_of_qemu("7.2.0", "7.2.0"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_qemu("7.2.0", "10.0.0"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_qemu("7.2.0", "7.2.11"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_qemu("10.0.0", "7.2.0"), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_qemu("7.2.1", "7.2.0"), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_qemu("7.2.1", NULL), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_qemu(NULL, "7.2.1"), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_qemu("7.2.1", "a stranger's"), ==, FERRY_CHECK_WARN);
}

static bool
may_be_too_long(const char *here, const char *there, const char *state)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();

    instance->state = g_strdup(state);
    instance->domain_xml = g_strdup("<target bus='virtio'/>");
    return ferry_way_has_long_queues(instance, &(FerryHostVersions){"11.3.0", here},
                                     &(FerryHostVersions){"12.8.0", there});
}

static void
test_post_copy(void)
{
    static const struct {
        const char *libvirt;
        guint warnings;
    } table[] = {{NULL, 0},     {"9.0.0", 0},  {"11.1.9", 0}, {"11.2.0", 1},
                 {"11.3.0", 1}, {"11.4.0", 0}, {"12.8.0", 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(FerryChecks) checks = ferry_checks_new();

        ferry_way_judge_post_copy(checks, &(FerryHostVersions){table[i].libvirt, "10.0.13"});
        g_assert_cmpuint(ferry_checks_count(checks), ==, table[i].warnings);
    }
}

/* QEMU 8.0 to 10.0 refuse both; 7.2 begins, and the guest is lost: what is not known may be one. */
static void
test_connections(void)
{
    static const struct {
        const char *here;
        const char *there;
        guint connections;
        guint failures;
    } table[] = {
        {"7.2.22", "7.2.22", 2, 1},  {"7.2.22", "7.2.22", 1, 0},  {"11.1.3", "10.1.0", 2, 0},
        {"7.2.22", "10.0.13", 2, 1}, {"10.0.13", "11.1.3", 2, 1}, {"11.1.3", NULL, 2, 1},
        {NULL, "11.1.3", 2, 1},      {NULL, NULL, 1, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const FerryHostVersions here = {"9.0.0", table[i].here};
        const FerryHostVersions there = {"9.0.0", table[i].there};
        const FerryOrderOptions options = {.post_copy = true,
                                           .parallel_connections = table[i].connections};
        g_autoptr(FerryChecks) checks = ferry_checks_new();

        ferry_way_judge_connections(checks, &options, &here, &there);
        g_assert_cmpuint(ferry_checks_count(checks), ==, table[i].failures);
        if (table[i].failures > 0)
            assert_check(checks, 0, "post-copy", FERRY_CHECK_FAIL);
    }
}

/* libvirt refuses post-copy of a guest that does not run: that it is permitted is no order. */
static void
test_paused(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryOrderOptions options = {.post_copy = true, .auto_converge_else = true};

    instance->state = g_strdup("running");
    ferry_memory_way_settle(&options, instance);
    g_assert_true(options.post_copy);
    g_assert_false(options.auto_converge);
    g_free(instance->state);
    instance->state = g_strdup("paused");
    ferry_memory_way_settle(&options, instance);
    g_assert_false(options.post_copy);
    g_assert_true(options.auto_converge);
    options = (FerryOrderOptions){.post_copy = true, .post_copy_said = true};
    ferry_memory_way_settle(&options, instance);
    g_assert_true(options.post_copy);
    /* One that is shut off has no memory, whatever policy is the default. */
    g_free(instance->state);
    instance->state = g_strdup("shutoff");
    ferry_memory_way_settle(&options, instance);
    g_assert_false(options.post_copy);
}

static void
test_tls(void)
{
    static const struct {
        const char *libvirt;
        const char *qemu;
        const char *priority;
        guint64 gib;
        guint connections;
        guint warnings;
    } table[] = {
        {"9.0.0", "7.2.22", NULL, 17, 1, 1},
        {"9.0.0", "7.2.22", NULL, 17, 2, 0},
        {"9.0.0", "7.2.22", NULL, 16, 1, 0},
        {"9.0.0", NULL, NULL, 17, 1, 1},
        {"9.0.0", "7.2.22", "NORMAL:-AES-256-GCM", 17, 1, 1},
        {"11.6.0", "10.0.13", "NORMAL:-AES-256-GCM", 17, 1, 0},
        {"11.6.0", "10.0.13", "NORMAL", 17, 1, 1},
        {"12.8.0", "11.1.3", NULL, 17, 1, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(FerryChecks) checks = ferry_checks_new();
        g_autoptr(FerryInstance) instance = ferry_instance_new();
        const FerryOrderOptions options = {.tls = true,
                                           .parallel_connections = table[i].connections};

        instance->name = g_strdup("web");
        instance->libvirt_version = g_strdup(table[i].libvirt);
        instance->qemu_version = g_strdup(table[i].qemu);
        instance->memory_bytes = table[i].gib << 30;
        ferry_way_judge_tls(checks, instance, &options, table[i].priority);
        g_assert_cmpuint(ferry_checks_count(checks), ==, table[i].warnings);
        if (table[i].warnings > 0)
            assert_check(checks, 0, "tls", FERRY_CHECK_WARN);
    }
}

static void
test_virtqueues(void)
{
    g_assert_true(may_be_too_long("10.0.13", "11.1.3", "running"));
    g_assert_false(may_be_too_long("10.0.13", "11.1.3", "shutoff"));
    g_assert_false(may_be_too_long("10.0.2", "11.1.3", "running"));
    g_assert_false(may_be_too_long("10.0.13", "10.0.13", "running"));
    g_assert_false(may_be_too_long("7.2.22", "11.1.3", "running"));
    g_assert_false(may_be_too_long("11.1.3", "11.1.3", "running"));
    g_assert_false(may_be_too_long("10.0.13", NULL, "running"));
    /* It was replaced since the instance began. */
    g_assert_true(may_be_too_long(NULL, "11.1.3", "running"));
}

static FerryCheckResult
result_of_clock(gint64 there_us, const char *words)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();

    /* Asked at 100 s, answered at 103 s. */
    ferry_way_judge_clock(checks, 100 * SECOND_US, 103 * SECOND_US, there_us);
    assert_check(checks, 0, "clock", ferry_checks_get(checks, 0)->result);
    g_assert_nonnull(strstr(ferry_checks_get(checks, 0)->message, words));
    return ferry_checks_get(checks, 0)->result;
}

static void
test_clock(void)
{
    g_assert_cmpint(result_of_clock(101 * SECOND_US, " 0.0 s"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_clock(97 * SECOND_US, "3.0 s behind"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_clock(90 * SECOND_US, "10.0 s behind"), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_clock(108 * SECOND_US, "5.0 s ahead"), ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_clock(3703 * SECOND_US, "3600.0 s ahead"), ==, FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_clock(0, "behind"), ==, FERRY_CHECK_WARN);
}

static FerryCheckResult
result_of_ports(FerryReach first, FerryReach second, const char *words)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    const FerryProbe probes[] = {{.port = 49215, .reach = first}, {.port = 49184, .reach = second}};
    const FerryPortsSeen seen = {.address = "kvm02",
                                 .first = 49152,
                                 .last = 49215,
                                 .probes = probes,
                                 .count = G_N_ELEMENTS(probes)};

    ferry_way_judge_ports(checks, &seen);
    assert_check(checks, 0, "migration-ports", ferry_checks_get(checks, 0)->result);
    g_assert_nonnull(strstr(ferry_checks_get(checks, 0)->message, words));
    return ferry_checks_get(checks, 0)->result;
}

static void
test_ports(void)
{
    g_assert_cmpint(result_of_ports(FERRY_REACH_OPEN, FERRY_REACH_OPEN, "49215: open, 49184: open"),
                    ==, FERRY_CHECK_PASS);
    g_assert_cmpint(result_of_ports(FERRY_REACH_SILENT, FERRY_REACH_SILENT, "no answer"), ==,
                    FERRY_CHECK_WARN);
    /* Somebody refuses for a host that listens. */
    g_assert_cmpint(result_of_ports(FERRY_REACH_CLOSED, FERRY_REACH_OPEN, "49215: closed"), ==,
                    FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_ports(FERRY_REACH_OPEN, FERRY_REACH_SILENT, "49184: no answer"), ==,
                    FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_ports(FERRY_REACH_OPEN, FERRY_REACH_OTHER, "another program"), ==,
                    FERRY_CHECK_WARN);
    g_assert_cmpint(result_of_ports(FERRY_REACH_NO_ROUTE, FERRY_REACH_NO_ROUTE, "no way"), ==,
                    FERRY_CHECK_FAIL);
    g_assert_cmpint(result_of_ports(FERRY_REACH_NO_NAME, FERRY_REACH_NO_NAME, "not known"), ==,
                    FERRY_CHECK_FAIL);
}

static void
test_ports_not_tried(void)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    const FerryPortsSeen seen = {.address = "kvm02", .why = "No such method"};

    ferry_way_judge_ports(checks, &seen);
    assert_check(checks, 0, "migration-ports", FERRY_CHECK_WARN);
    g_assert_nonnull(strstr(ferry_checks_get(checks, 0)->message, "No such method"));
}

static void
assert_keeps(const FerryInstance *instance, const char *text, guint count, FerryCheckResult last)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(FerryJson) keeps = text ? json_loads(text, 0, NULL) : NULL;

    ferry_way_judge_keeps(checks, instance, keeps);
    g_assert_cmpuint(ferry_checks_count(checks), ==, count);
    if (count > 0)
        assert_check(checks, count - 1, "destination-agent", last);
}

/* An agent of before tells nothing. */
static void
test_keeps(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();

    instance->name = g_strdup("web");
    assert_keeps(instance, NULL, 0, FERRY_CHECK_PASS);
    instance->autostart = true;
    assert_keeps(instance, NULL, 1, FERRY_CHECK_WARN);
    assert_keeps(instance, "[\"autostart\"]", 0, FERRY_CHECK_PASS);
    g_ptr_array_add(instance->persistent_disks, ferry_disk_new());
    assert_keeps(instance, "[7, \"autostart\"]", 1, FERRY_CHECK_FAIL);
    assert_keeps(instance, "{}", 2, FERRY_CHECK_FAIL);
    assert_keeps(instance, "[\"persistent-media\", \"autostart\"]", 0, FERRY_CHECK_PASS);
}

/* Only an order that insists is refused; any other has the disk mirrored there. */
static void
test_seeds(void)
{
    static const struct {
        const char *seeds;
        FerryStorageStrategy strategy;
        guint count;
    } table[] = {
        {NULL, FERRY_STORAGE_SEEDED, 1},
        {"[\"raw\"]", FERRY_STORAGE_SEEDED, 1},
        {"[\"raw\", \"qcow2\"]", FERRY_STORAGE_SEEDED, 0},
        {NULL, FERRY_STORAGE_AUTO, 0},
    };
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup("vda");
    disk->format = g_strdup("qcow2");
    disk->seed_wanted = true;
    g_ptr_array_add(instance->disks, disk);
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const FerryOrderOptions options = {.storage_strategy = table[i].strategy};
        g_autoptr(FerryChecks) checks = ferry_checks_new();
        g_autoptr(FerryJson) seeds = table[i].seeds ? json_loads(table[i].seeds, 0, NULL) : NULL;

        ferry_way_judge_seeds(checks, instance, &options, seeds);
        g_assert_cmpuint(ferry_checks_count(checks), ==, table[i].count);
        if (table[i].count > 0)
            assert_check(checks, 0, "storage-strategy", FERRY_CHECK_FAIL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/way-judge/versions", test_versions);
    g_test_add_func("/way-judge/post-copy", test_post_copy);
    g_test_add_func("/way-judge/connections", test_connections);
    g_test_add_func("/way-judge/paused", test_paused);
    g_test_add_func("/way-judge/tls", test_tls);
    g_test_add_func("/way-judge/virtqueues", test_virtqueues);
    g_test_add_func("/way-judge/clock", test_clock);
    g_test_add_func("/way-judge/ports", test_ports);
    g_test_add_func("/way-judge/ports-not-tried", test_ports_not_tried);
    g_test_add_func("/way-judge/keeps", test_keeps);
    g_test_add_func("/way-judge/seeds", test_seeds);
    return g_test_run();
}
