#include "config.h"

#include "checks/listeners.h"

#include "ferry/json.h"
#include "runtime/listen-address.h"

#include <string.h>

/* Documentation addresses are nobody's; loopback is everybody's. */
#define FOREIGN "203.0.113.7"

static FerryInstance *
instance_at(const char *address, const char *own)
{
    FerryInstance *instance = ferry_instance_new();

    instance->domain_xml = g_strdup_printf(
        "<domain><devices><graphics type='vnc'><listen type='address' address='%s'/></graphics>"
        "</devices></domain>",
        address);
    instance->own_addresses = own ? g_strsplit(own, ",", -1) : NULL;
    return instance;
}

static void
assert_place(const char *own, const char *ordered, const char *inbound, const char *expected)
{
    g_autoptr(FerryInstance) instance = instance_at(FOREIGN, own);

    ferry_listeners_place(instance, ordered, inbound);
    g_assert_cmpstr(ferry_json_get_string(instance->moved_addresses, FOREIGN), ==, expected);
    g_assert_nonnull(strstr(instance->domain_xml, expected ? expected : FOREIGN));
    g_assert_true(!expected || !strstr(instance->domain_xml, FOREIGN));
}

static void
test_place(void)
{
    assert_place(FOREIGN, NULL, "192.0.2.2", "192.0.2.2");
    assert_place(FOREIGN, "198.51.100.1", "192.0.2.2", "198.51.100.1");
    /* The source does not say that it is its own: it may be anybody's. */
    assert_place(NULL, NULL, "192.0.2.2", NULL);
    assert_place("203.0.113.8", NULL, "192.0.2.2", NULL);
    /* A name that means no address of this host. */
    assert_place(FOREIGN, NULL, "localhost", NULL);
    assert_place("not an address," FOREIGN, NULL, "192.0.2.2", "192.0.2.2");
}

/* It may be meant: a service address that moves along, a bridge that each host has. */
static void
test_stays(void)
{
    g_autoptr(FerryInstance) instance = instance_at("127.0.0.1", "127.0.0.1");

    ferry_listeners_place(instance, NULL, "192.0.2.2");
    g_assert_cmpuint(json_object_size(instance->moved_addresses), ==, 0);
}

static void
test_own(void)
{
    g_assert_false(ferry_listen_address_is_own("127.0.0.1"));
    g_assert_false(ferry_listen_address_is_own("::1"));
    g_assert_false(ferry_listen_address_is_own("0.0.0.0"));
    g_assert_false(ferry_listen_address_is_own("::"));
    g_assert_false(ferry_listen_address_is_own(FOREIGN));
    g_assert_false(ferry_listen_address_is_own("kvm01"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listeners/place", test_place);
    g_test_add_func("/listeners/stays", test_stays);
    g_test_add_func("/listeners/own", test_own);
    return g_test_run();
}
