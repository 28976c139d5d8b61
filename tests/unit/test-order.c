#include "config.h"

#include "../../cli/order.h"
#include "ferry/json.h"

#include <string.h>

/* Parses a command line with all options of an order. */
static bool
parse(const char *const *words, json_t *options, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_main_group(context, ferry_order_group_new(options));
    g_auto(GStrv) argv = g_strdupv((char **)words);
    return g_option_context_parse_strv(context, &argv, error);
}

static void
test_every_option(void)
{
    static const char *const words[] = {"x",
                                        "--disks=vda, vdb",
                                        "--bandwidth=100",
                                        "--downtime=300",
                                        "--auto-converge",
                                        "--post-copy",
                                        "--parallel-connections=4",
                                        "--tls",
                                        "--completion-timeout=3600",
                                        "--timeout-action=force_complete",
                                        "--transient",
                                        "--no-undefine-source",
                                        "--source-disks=delete",
                                        "--storage-strategy=mirror",
                                        "--paused",
                                        "--progress-interval=0.5",
                                        "--pool-map=default=fast",
                                        "--pool-map=/srv/a=/srv/b=c",
                                        "--pool-map=default=fast",
                                        "--disk-format=vda=raw",
                                        "--dest-name=web02",
                                        "--listen-address=192.0.2.7",
                                        "--policy=very-large",
                                        "--max-pause=8000",
                                        "--disk-writes=synchronous",
                                        "--priority=high",
                                        "--disk-stall-timeout=60",
                                        "--memory-timeout=90",
                                        "--flatten",
                                        "--sparsify",
                                        "--fstrim",
                                        "-o",
                                        "future={\"a\": \"b=c\"}",
                                        "--option=tls=true",
                                        NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_autoptr(FerryJson) expected = json_loads(
        "{\"disks\": [\"vda\", \"vdb\"], \"bandwidth_mib_s\": 100, \"downtime_ms\": 300,"
        " \"auto_converge\": true, \"post_copy\": true, \"parallel_connections\": 4,"
        " \"tls\": true, \"completion_timeout_s\": 3600, \"timeout_action\": \"force_complete\","
        " \"persistent\": false, \"undefine_source\": false, \"source_disks\": \"delete\","
        " \"storage_strategy\": \"mirror\", \"paused\": true, \"progress_interval_s\": 0.5,"
        " \"pool_map\": {\"default\": \"fast\", \"/srv/a\": \"/srv/b=c\"},"
        " \"disk_formats\": {\"vda\": \"raw\"}, \"dest_name\": \"web02\","
        " \"listen_address\": \"192.0.2.7\","
        " \"policy\": \"very-large\", \"max_pause_ms\": 8000, \"disk_writes\": \"synchronous\", "
        "\"priority\": \"high\","
        " \"disk_stall_timeout_s\": 60, \"memory_timeout_s\": 90,"
        " \"flatten\": true, \"sparsify\": true, \"fstrim\": true,"
        " \"future\": {\"a\": \"b=c\"}}",
        0, NULL);
    bool parsed = parse(words, options, &error);

    g_assert_no_error(error);
    g_assert_true(parsed);
    g_assert_true(json_equal(options, expected));
}

static void
test_none(void)
{
    static const char *const words[] = {"x", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();

    g_assert_true(parse(words, options, &error));
    g_assert_cmpuint(json_object_size(options), ==, 0);
}

static void
test_wrong_values(void)
{
    static const char *const wrong[] = {
        "--bandwidth=fast",
        "--bandwidth=-1",
        "--bandwidth=1.5",
        "--downtime=",
        "--disks=",
        "--disks=vda,,vdb",
        "--progress-interval=1s",
        "--option=flatten",
        "--option==true",
        "--option=dest_name=web2",
        "--option=disks=[\"vda\"",
        "--pool-map=default",
        "--pool-map==fast",
        "--disk-format=vda=",
        "--source-disks=",
        "--progress-interval=inf",
        "--downtime=99999999999999999999",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const char *const words[] = {"x", wrong[i], NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryJson) options = json_object();

        g_test_message("%s", wrong[i]);
        g_assert_false(parse(words, options, &error));
        g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
        g_assert_nonnull(strstr(error->message, "expected"));
        g_assert_cmpuint(json_object_size(options), ==, 0);
    }
}

static void
test_contradictions(void)
{
    static const char *const both[] = {"x", "--persistent", "--transient", NULL};
    static const char *const same[] = {"x", "--persistent", "-o", "persistent=true", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_autoptr(FerryJson) others = json_object();

    g_assert_false(parse(both, options, &error));
    g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
    g_clear_error(&error);
    static const char *const maps[] = {"x", "--pool-map=a=b", "--pool-map=a=c", NULL};
    g_autoptr(FerryJson) mapped = json_object();
    g_assert_false(parse(maps, mapped, &error));
    g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
    g_clear_error(&error);
    g_assert_true(parse(same, others, &error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/order/every-option", test_every_option);
    g_test_add_func("/order/none", test_none);
    g_test_add_func("/order/wrong-values", test_wrong_values);
    g_test_add_func("/order/contradictions", test_contradictions);
    return g_test_run();
}
