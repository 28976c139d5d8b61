#include "config.h"

#include "model/machine-hint.h"

#include <string.h>

static const char *const KNOWN[] = {"pc-q35-10.0",    "pc-q35-9.2", "pc-q35-2.12", "pc-i440fx-2.4",
                                    "pc-i440fx-10.0", "microvm",    "q35",         NULL};

static const struct {
    const char *machine;
    const char *begins;
    const char *names;
} table[] = {
    {"pc-i440fx-2.1", "QEMU 10.0.13 does not have it any more",
     "'pc-i440fx-2.4' to 'pc-i440fx-10.0'"},
    {"pc-q35-11.1", "Update QEMU", "10.0.13 has 'pc-q35-2.12' to 'pc-q35-10.0'"},
    {"pc-q35-rhel9.4.0", "Choose a host", "QEMU"},
    {"virt-8.2", "Choose a host", "QEMU"},
    {"microvm2", "Choose a host", "QEMU"},
    {NULL, "Choose a host", "QEMU"},
};

static void
test_table(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *hint = ferry_machine_hint(table[i].machine, KNOWN, "10.0.13");

        g_test_message("%s: %s", table[i].machine ? table[i].machine : "none", hint);
        g_assert_true(g_str_has_prefix(hint, table[i].begins));
        g_assert_nonnull(strstr(hint, table[i].names));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine-hint/table", test_table);
    return g_test_run();
}
