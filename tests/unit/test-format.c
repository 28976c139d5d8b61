#include "config.h"

#include "../../cli/format.h"

#define KIB G_GINT64_CONSTANT(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

static void
test_size(void)
{
    static const struct {
        gint64 bytes;
        const char *expected;
    } cases[] = {
        {0, "0 B"},
        {-5, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {KIB, "1.0 KiB"},
        {KIB + KIB / 2, "1.5 KiB"},
        {10 * KIB, "10 KiB"},
        {9 * KIB + 1000, "10 KiB"}, /* never "10.0" */
        {MIB - 1, "1.0 MiB"},       /* never "1024 KiB" */
        {393 * MIB, "393 MiB"},
        {20 * GIB, "20 GiB"},
        {KIB * GIB, "1.0 TiB"},
        {G_MAXINT64, "8.0 EiB"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = ferry_format_size(cases[i].bytes);

        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_share(void)
{
    g_autofree char *part = ferry_format_share(GIB + GIB / 5, 3 * GIB);

    g_assert_cmpstr(part, ==, "1.2/3.0 GiB");
    g_autofree char *begin = ferry_format_share(0, 512 * MIB);
    g_assert_cmpstr(begin, ==, "0/512 MiB");
    g_autofree char *nothing = ferry_format_share(0, 0);
    g_assert_cmpstr(nothing, ==, "0/0 B");
}

static void
test_duration(void)
{
    static const struct {
        gint64 ms;
        const char *expected;
    } cases[] = {
        {-1, "0 ms"},
        {87, "87 ms"},
        {999, "999 ms"},
        {3400, "3.4 s"},
        {59949, "59.9 s"},
        {59950, "1 min 00 s"}, /* never "60.0 s" */
        {125000, "2 min 05 s"},
        {3599600, "1 h 00 min"},
        {3 * 3600000 + 7 * 60000, "3 h 07 min"},
        {51 * G_GINT64_CONSTANT(3600000), "2 d 03 h"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = ferry_format_duration(cases[i].ms);

        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_bar(void)
{
    static const struct {
        guint percent;
        guint columns;
        const char *expected;
    } cases[] = {
        {0, 6, "[----]"},   {50, 6, "[##--]"},  {99, 6, "[###-]"}, /* full means done */
        {100, 6, "[####]"}, {250, 6, "[####]"}, {100, 0, "[#]"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = ferry_format_bar(cases[i].percent, cases[i].columns);

        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_time(void)
{
    g_autofree char *usual = ferry_format_time("2026-11-23T10:32:15.000042Z");

    g_assert_cmpstr(usual, ==, "2026-11-23 10:32:15");
    g_autofree char *none = ferry_format_time(NULL);
    g_assert_cmpstr(none, ==, "-");
    g_autofree char *odd = ferry_format_time("yesterday");
    g_assert_cmpstr(odd, ==, "yesterday");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/format/size", test_size);
    g_test_add_func("/format/share", test_share);
    g_test_add_func("/format/duration", test_duration);
    g_test_add_func("/format/bar", test_bar);
    g_test_add_func("/format/time", test_time);
    return g_test_run();
}
