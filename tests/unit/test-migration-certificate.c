#include "config.h"

#include "checks/migration-certificate.h"

#include "scratch-folder.h"

/* The certificate of data/tls is for kvm02, kvm02.example.org and 192.0.2.2. */
static FerryCertificate
judge(const char *address)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "unit", "data", "tls", "server-cert.pem", NULL);

    return ferry_migration_certificate_judge(path, address);
}

static void
test_names(void)
{
    g_assert_cmpint(judge("kvm02"), ==, FERRY_CERTIFICATE_FITS);
    g_assert_cmpint(judge("kvm02.example.org"), ==, FERRY_CERTIFICATE_FITS);
    g_assert_cmpint(judge("192.0.2.2"), ==, FERRY_CERTIFICATE_FITS);
    g_assert_cmpint(judge("kvm03"), ==, FERRY_CERTIFICATE_OTHER_NAME);
    g_assert_cmpint(judge("192.0.2.22"), ==, FERRY_CERTIFICATE_OTHER_NAME);
    g_assert_cmpint(judge("2001:db8::1"), ==, FERRY_CERTIFICATE_OTHER_NAME);
}

static void
test_unreadable(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "cert.pem", NULL);

    g_assert_cmpint(ferry_migration_certificate_judge(path, "kvm02"), ==, FERRY_CERTIFICATE_ABSENT);
    g_assert_true(g_file_set_contents(path, "no certificate\n", -1, NULL));
    g_assert_cmpint(ferry_migration_certificate_judge(path, "kvm02"), ==,
                    FERRY_CERTIFICATE_UNREADABLE);
}

static void
assert_path(const char *conf, const char *expected)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *file = g_build_filename(folder, "qemu.conf", NULL);
    bool certain = false;

    g_assert_true(g_file_set_contents(file, conf, -1, NULL));

    g_autofree char *path = ferry_migration_certificate_path(file, &certain);

    g_assert_true(certain);
    g_assert_cmpstr(path, ==, expected);
}

static void
test_path(void)
{
    bool certain = true;
    g_autofree char *usual = ferry_migration_certificate_path("/no/where", &certain);

    g_assert_false(certain);
    g_assert_true(g_str_has_suffix(usual, "/server-cert.pem"));
    assert_path("#migrate_tls_x509_cert_dir = \"/no\"\n default_tls_x509_cert_dir=\"/pki/all\"\n",
                "/pki/all/server-cert.pem");
    assert_path("default_tls_x509_cert_dir = \"/pki/all\"\n"
                "migrate_tls_x509_cert_dir = \"/pki/own\"\n",
                "/pki/own/server-cert.pem");
    assert_path("migrate_tls_x509_cert_dir_of_mine = \"/no\"\nmigrate_tls_x509_cert_dir = 5\n"
                "default_tls_x509_cert_dir = \"/a\"\ndefault_tls_x509_cert_dir = \"/b\"",
                "/b/server-cert.pem");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration-certificate/names", test_names);
    g_test_add_func("/migration-certificate/unreadable", test_unreadable);
    g_test_add_func("/migration-certificate/path", test_path);
    return g_test_run();
}
