#include "config.h"

#include "virt/trim.h"

#include "ferry/error.h"
#include "virt/auto.h"

/* libvirt's test driver has a guest whose agent always says yes. */
static void
test_trimmed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) connection = virConnectOpen("test:///default");
    g_autoptr(virDomain) domain = virDomainLookupByName(connection, "test");
    g_assert_true(ferry_virt_trim(domain, &error));
    g_assert_no_error(error);
}

static void
test_still(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) connection = virConnectOpen("test:///default");
    g_autoptr(virDomain) domain = virDomainLookupByName(connection, "test");
    g_assert_cmpint(virDomainSuspend(domain), ==, 0);
    g_assert_false(ferry_virt_trim(domain, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_INVALID_STATE);
}

static void
be_quiet(void *data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, be_quiet);
    g_test_add_func("/virt-trim/trimmed", test_trimmed);
    g_test_add_func("/virt-trim/still", test_still);
    return g_test_run();
}
