#include "config.h"

#include "checks/qemu-conf.h"

#include "scratch-folder.h"

static char **
read_lines(const char *text)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "qemu.conf", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return ferry_qemu_conf_read(path);
}

static void
assert_value(const char *text, const char *expected)
{
    g_auto(GStrv) lines = read_lines(text);
    g_autofree char *value = ferry_qemu_conf_text(lines, "key");

    g_assert_cmpstr(value, ==, expected);
}

static void
test_values(void)
{
    assert_value("key = \"a b\"\n", "a b");
    assert_value("  key=\"12\" # a dozen\n", "12");
    assert_value("key = \"1\"\nkey = \"2\"\n", "2");
    assert_value("#key = \"1\"\nkey_of_another = \"2\"\nthe key = \"3\"\n", NULL);
    assert_value("key \"1\"\nkey = 1\n", NULL);
}

static void
assert_ports(const char *text, guint16 first, guint16 last)
{
    g_auto(GStrv) lines = read_lines(text);
    FerryPortRange range = ferry_qemu_conf_migration_ports(lines);

    g_assert_cmpuint(range.first, ==, first);
    g_assert_cmpuint(range.last, ==, last);
}

static void
test_migration_ports(void)
{
    FerryPortRange unknown = ferry_qemu_conf_migration_ports(NULL);

    g_assert_cmpuint(unknown.first, ==, 49152);
    g_assert_cmpuint(unknown.last, ==, 49215);
    assert_ports("", 49152, 49215);
    assert_ports("  migration_port_min=50000 # ours\nmigration_port_max = 50100\n", 50000, 50100);
    assert_ports("migration_port_max = 49300\n", 49152, 49300);
    assert_ports("migration_port_min = 70000\nmigration_port_max = many\n", 49152, 49215);
}

static void
test_no_file(void)
{
    g_assert_null(ferry_qemu_conf_read("/no/where"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-conf/values", test_values);
    g_test_add_func("/qemu-conf/migration-ports", test_migration_ports);
    g_test_add_func("/qemu-conf/no-file", test_no_file);
    return g_test_run();
}
