/* Memory that open migrations were promised. */
#include "config.h"

#include "checks/memory.h"

#include "journal/record.h"

#define GIB (G_GUINT64_CONSTANT(1) << 30)

static void
add(GPtrArray *open, const char *uuid, const char *state, json_int_t memory_bytes)
{
    FerryRecord *record = ferry_record_new("m-1", FERRY_ROLE_DESTINATION);

    record->instance_uuid = g_strdup(uuid);
    record->instance_info = json_pack("{s:s, s:s, s:s, s:I, s:[]}", "name", "web", "uuid", uuid,
                                      "state", state, "memory_bytes", memory_bytes, "disks");
    g_ptr_array_add(open, record);
}

static char *
uuid_of(guint number)
{
    return g_strdup_printf("11111111-2222-4333-8444-%012u", number);
}

static void
test_promised(void)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_record_free);
    g_autoptr(GHashTable) arrived = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *ours = uuid_of(1);
    g_autofree char *other = uuid_of(2);
    g_autofree char *off = uuid_of(3);

    g_assert_cmpuint(ferry_memory_promised(open, ours, arrived), ==, 0);
    add(open, ours, "running", 4 * GIB);
    add(open, other, "running", 2 * GIB);
    add(open, off, "shutoff", GIB);
    g_assert_cmpuint(ferry_memory_promised(open, ours, arrived), ==, 2 * GIB);
    g_assert_cmpuint(ferry_memory_promised(open, off, arrived), ==, 6 * GIB);
    g_hash_table_add(arrived, g_strdup(other));
    g_assert_cmpuint(ferry_memory_promised(open, ours, arrived), ==, 0);
}

/* Descriptions come from strangers: their sums must not turn over, nor what cannot be read
 * count. */
static void
test_hostile(void)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_record_free);
    g_autoptr(GHashTable) arrived = g_hash_table_new(g_str_hash, g_str_equal);

    g_ptr_array_add(open, ferry_record_new("m-0", FERRY_ROLE_DESTINATION));
    g_assert_cmpuint(ferry_memory_promised(open, "x", arrived), ==, 0);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *uuid = uuid_of(i);

        add(open, uuid, "running", G_GINT64_CONSTANT(1) << 62);
    }
    g_assert_cmpuint(ferry_memory_promised(open, "x", arrived), ==, G_MAXUINT64);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check-memory/promised", test_promised);
    g_test_add_func("/check-memory/hostile", test_hostile);
    return g_test_run();
}
