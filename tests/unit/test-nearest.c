#include "config.h"

#include "ferry/text.h"

static void
test_slips(void)
{
    static const char *const names[] = {"migrate", "show", "kvm01", "kvm12", "abort", NULL};

    g_assert_cmpstr(ferry_text_nearest("migrat", names), ==, "migrate");
    g_assert_cmpstr(ferry_text_nearest("mirgate", names), ==, "migrate");
    g_assert_cmpstr(ferry_text_nearest("shwo", names), ==, "show");
    g_assert_cmpstr(ferry_text_nearest("kvm1", names), ==, "kvm01");
    g_assert_cmpstr(ferry_text_nearest("abort", names), ==, "abort");
    g_autofree char *hint = ferry_text_suggest("kvm1", names);
    g_autofree char *none = ferry_text_suggest("mail", names);
    g_assert_cmpstr(hint, ==, "Did you mean 'kvm01'?");
    g_assert_null(none);
}

static void
test_nothing_is_near(void)
{
    static const char *const names[] = {"web", "db", NULL};
    g_autofree char *long_name = g_strnfill(5000, 'x');

    g_assert_null(ferry_text_nearest("mail", names));
    g_assert_null(ferry_text_nearest("", names));
    g_assert_null(ferry_text_nearest(long_name, names));
    g_assert_null(ferry_text_nearest("web", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nearest/slips", test_slips);
    g_test_add_func("/nearest/nothing", test_nothing_is_near);
    return g_test_run();
}
