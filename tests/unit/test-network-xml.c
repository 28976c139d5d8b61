#include "config.h"

#include "xml/network.h"

#include "ferry/error.h"

static void
assert_parsed(const char *xml, const char *forward, const char *bridge)
{
    g_autofree char *found_forward = NULL;
    g_autofree char *found_bridge = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_netxml_parse(xml, &found_forward, &found_bridge, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(found_forward, ==, forward);
    g_assert_cmpstr(found_bridge, ==, bridge);
}

static void
test_kinds(void)
{
    assert_parsed("<network><name>a</name></network>", NULL, NULL);
    assert_parsed("<network><forward/><bridge name='virbr0'/></network>", "nat", "virbr0");
    assert_parsed("<network><forward mode='bridge'/><bridge name='br0'/></network>", "bridge",
                  "br0");
    assert_parsed("<network><forward mode='hostdev' managed='yes'><pf dev='eth3'/></forward>"
                  "</network>",
                  "hostdev", NULL);
}

static void
test_refused(void)
{
    g_autofree char *forward = NULL;
    g_autofree char *bridge = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_netxml_parse("<pool/>", &forward, &bridge, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netxml/kinds", test_kinds);
    g_test_add_func("/netxml/refused", test_refused);
    return g_test_run();
}
