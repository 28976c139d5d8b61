#include "config.h"

#include "../../cli/plain-text.h"

static void
assert_plain(const char *text, const char *expected)
{
    g_autofree char *plain = ferry_plain_text(text);

    g_assert_cmpstr(plain, ==, expected);
}

static void
test_harmless_stays(void)
{
    assert_plain("", "");
    assert_plain("web-01 \xe2\x98\x83 \xe6\x97\xa5", "web-01 \xe2\x98\x83 \xe6\x97\xa5");
}

#define R "\357\277\275"

static void
test_controls_are_replaced(void)
{
    assert_plain("\033[2Jgone", R "[2Jgone");
    assert_plain("a\nb\r\tc\177", "a" R "b" R R "c" R);
    assert_plain("\xc2\x9b"
                 "31m",
                 R "31m"); /* the C1 form of ESC [ */
    assert_plain("a\xe2\x80\xae"
                 "b",
                 "a" R "b"); /* right-to-left override */
    assert_plain("a\xe2\x80\xa8"
                 "b",
                 "a" R "b"); /* line separator */
    assert_plain("broken \xc3\x28", "broken " R "(");
}

static void
test_columns(void)
{
    g_assert_cmpuint(ferry_plain_text_columns(""), ==, 0);
    g_assert_cmpuint(ferry_plain_text_columns("web"), ==, 3);
    g_assert_cmpuint(ferry_plain_text_columns("\xe6\x97\xa5\xe6\x9c\xac"), ==, 4); /* wide */
    g_assert_cmpuint(ferry_plain_text_columns("e\xcc\x81"), ==, 1);                /* combining */
}

static void
test_clip(void)
{
    static const struct {
        const char *text;
        guint columns;
        const char *expected;
    } cases[] = {
        {"abcdef", 6, "abcdef"},
        {"abcdefg", 6, "abc..."},
        {"abcdefg", 3, "..."},
        {"abcdefg", 2, ".."},
        {"abcdefg", 0, ""},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5..."},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "..."}, /* half a character does not exist */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clipped = ferry_plain_text_clip(cases[i].text, cases[i].columns);

        g_assert_cmpstr(clipped, ==, cases[i].expected);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plain-text/harmless", test_harmless_stays);
    g_test_add_func("/plain-text/controls", test_controls_are_replaced);
    g_test_add_func("/plain-text/columns", test_columns);
    g_test_add_func("/plain-text/clip", test_clip);
    return g_test_run();
}
