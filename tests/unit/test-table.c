#include "config.h"

#include "../../cli/table.h"

static void
assert_line(const GPtrArray *lines, guint index, const char *expected)
{
    g_assert_cmpuint(index, <, lines->len);
    g_assert_cmpstr(g_ptr_array_index(lines, index), ==, expected);
}

static void
test_alignment(void)
{
    static const char *const titles[] = {"HOST", ">FREE", "STATUS", NULL};
    static const char *const first[] = {"kvm01", "9 GiB", "up", NULL};
    static const char *const second[] = {"k2", "100 GiB", NULL, NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);

    ferry_table_add(table, first);
    ferry_table_add(table, second);
    g_autoptr(GPtrArray) lines = ferry_table_lines(table, 0);
    g_assert_cmpuint(lines->len, ==, 3);
    assert_line(lines, 0, "HOST      FREE  STATUS");
    assert_line(lines, 1, "kvm01    9 GiB  up");
    assert_line(lines, 2, "k2     100 GiB  -");
}

static void
test_last_column_to_the_right(void)
{
    static const char *const titles[] = {"STEP", ">TOOK", NULL};
    static const char *const row[] = {"transfer", "12 min 03 s", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);

    ferry_table_add(table, row);
    g_autoptr(GPtrArray) lines = ferry_table_lines(table, 0);
    assert_line(lines, 0, "STEP             TOOK");
    assert_line(lines, 1, "transfer  12 min 03 s");
}

/* A wide or hostile name must not push the columns behind it aside. */
static void
test_cells_are_made_plain(void)
{
    static const char *const titles[] = {"NAME", "X", NULL};
    static const char *const hostile[] = {"a\033[1m", "1", NULL};
    static const char *const wide[] = {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "2", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);

    ferry_table_add(table, hostile);
    ferry_table_add(table, wide);
    g_autoptr(GPtrArray) lines = ferry_table_lines(table, 0);
    assert_line(lines, 1, "a\357\277\275[1m   1");
    assert_line(lines, 2, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e  2");
}

/* On a terminal a long message goes on below itself, and words stay whole. */
static void
test_last_column_goes_on(void)
{
    static const char *const titles[] = {"CHECK", "MESSAGE", NULL};
    static const char *const row[] = {
        "space",
        "Disk 'vda' does not fit into /var/lib/libvirt/images/of-a-long-name beside the rest",
        NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);

    ferry_table_add(table, row);
    g_autoptr(GPtrArray) lines = ferry_table_lines(table, 32);
    g_assert_cmpuint(lines->len, ==, 5);
    assert_line(lines, 1, "space  Disk 'vda' does not fit");
    assert_line(lines, 2, "       into");
    assert_line(lines, 3, "       /var/lib/libvirt/images/of-a-long-name");
    assert_line(lines, 4, "       beside the rest");
    g_autoptr(GPtrArray) narrow = ferry_table_lines(table, 20);
    g_assert_cmpuint(narrow->len, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/alignment", test_alignment);
    g_test_add_func("/table/last-column-right", test_last_column_to_the_right);
    g_test_add_func("/table/plain", test_cells_are_made_plain);
    g_test_add_func("/table/last-column-goes-on", test_last_column_goes_on);
    return g_test_run();
}
