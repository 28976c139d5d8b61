#include "config.h"

#include "rpc/dead-queues.h"
#include "rpc/dedup.h"
#include "rpc/unique-id.h"

#include <string.h>

static void
test_remembers(void)
{
    g_autoptr(FerryDedup) dedup = ferry_dedup_new(3);

    g_assert_true(ferry_dedup_add(dedup, "a"));
    g_assert_true(ferry_dedup_add(dedup, "b"));
    g_assert_false(ferry_dedup_add(dedup, "a"));
    g_assert_true(ferry_dedup_add(dedup, "c"));
    /* The oldest goes, a repetition does not make it younger. */
    g_assert_true(ferry_dedup_add(dedup, "d"));
    g_assert_true(ferry_dedup_add(dedup, "a"));
    g_assert_false(ferry_dedup_add(dedup, "c"));
    g_assert_false(ferry_dedup_add(dedup, "d"));
}

static void
test_ids(void)
{
    g_autofree char *one = ferry_unique_id_new();
    g_autofree char *two = ferry_unique_id_new();

    g_assert_cmpuint(strlen(one), ==, 32);
    g_assert_cmpuint(strspn(one, "0123456789abcdef"), ==, 32);
    g_assert_cmpstr(one, !=, two);
}

static void
test_dead_queues(void)
{
    g_autoptr(FerryDeadQueues) queues = ferry_dead_queues_new(2, 100);

    ferry_dead_queues_add(queues, "a", 0);
    ferry_dead_queues_add(queues, "a", 50);
    g_assert_true(ferry_dead_queues_contains(queues, "a", 99));
    g_assert_false(ferry_dead_queues_contains(queues, "b", 99));
    g_assert_false(ferry_dead_queues_contains(queues, "a", 100));
    ferry_dead_queues_add(queues, "a", 200);
    ferry_dead_queues_add(queues, "b", 210);
    ferry_dead_queues_add(queues, "c", 220);
    g_assert_false(ferry_dead_queues_contains(queues, "a", 221));
    g_assert_true(ferry_dead_queues_contains(queues, "b", 221));
    g_assert_true(ferry_dead_queues_contains(queues, "c", 221));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dedup/remembers", test_remembers);
    g_test_add_func("/dedup/ids", test_ids);
    g_test_add_func("/dedup/dead-queues", test_dead_queues);
    return g_test_run();
}
