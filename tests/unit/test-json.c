#include "config.h"

#include "ferry/clock.h"
#include "ferry/json.h"

static void
test_text(void)
{
    g_autoptr(FerryJson) broken = ferry_json_text("disk \xc3\x28");

    g_assert_cmpstr(json_string_value(broken), ==, "disk \357\277\275(");
    g_autoptr(FerryJson) none = ferry_json_text(NULL);
    g_assert_true(json_is_null(none));
}

static void
test_getters_fall_back(void)
{
    g_autoptr(FerryJson) object = json_pack("{s:s,s:I,s:b,s:f}", "text", "a", "number",
                                            (json_int_t)1 << 60, "yes", 1, "real", 1.5);

    g_assert_cmpstr(ferry_json_get_string(object, "text"), ==, "a");
    g_assert_null(ferry_json_get_string(object, "number"));
    g_assert_null(ferry_json_get_string(object, "missing"));
    g_assert_null(ferry_json_get_string(NULL, "missing"));
    g_assert_cmpint(ferry_json_get_int(object, "number", -1), ==, (gint64)1 << 60);
    g_assert_cmpint(ferry_json_get_int(object, "real", -1), ==, -1);
    g_assert_cmpint(ferry_json_get_int(object, "yes", -1), ==, -1);
    g_assert_true(ferry_json_get_bool(object, "yes", false));
    g_assert_true(ferry_json_get_bool(object, "number", true));
    g_assert_false(ferry_json_get_bool(json_null(), "yes", false));
}

static void
test_dump(void)
{
    g_autoptr(FerryJson) object = json_pack("{s:s,s:[i,n]}", "z", "\xe2\x98\x83", "a", 1);
    g_autofree char *text = ferry_json_dump(object);

    g_assert_cmpstr(text, ==, "{\"z\":\"\\u2603\",\"a\":[1,null]}");
    g_autofree char *scalar = ferry_json_dump(json_true());
    g_assert_cmpstr(scalar, ==, "true");
}

static void
test_time(void)
{
    const struct {
        gint64 time_us;
        const char *iso;
        const char *oslo;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z", "1970-01-01 00:00:00.000000"},
        {1795516335000042, "2026-11-24T10:32:15.000042Z", "2026-11-24 10:32:15.000042"},
        {-1, "1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"},
        {G_MAXINT64, "9999-12-31T23:59:59.775807Z", "9999-12-31 23:59:59.775807"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *iso = ferry_clock_format_iso(cases[i].time_us);
        g_autofree char *oslo = ferry_clock_format_oslo(cases[i].time_us);

        g_assert_cmpstr(iso, ==, cases[i].iso);
        g_assert_cmpstr(oslo, ==, cases[i].oslo);
    }
}

static void
test_clock_parse(void)
{
    g_assert_cmpint(ferry_clock_parse_iso("1970-01-01T00:00:01.000042Z"), ==, 1000042);
    g_assert_cmpint(ferry_clock_parse_iso("1970-01-01T01:00:01+01:00"), ==, G_USEC_PER_SEC);
    g_assert_cmpint(ferry_clock_parse_iso("yesterday"), ==, 0);
    g_assert_cmpint(ferry_clock_parse_iso(NULL), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/text", test_text);
    g_test_add_func("/json/getters", test_getters_fall_back);
    g_test_add_func("/json/dump", test_dump);
    g_test_add_func("/clock/format", test_time);
    g_test_add_func("/clock/format-parse", test_clock_parse);
    return g_test_run();
}
