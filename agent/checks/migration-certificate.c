#include "config.h"

#include "checks/migration-certificate.h"

#include "checks/qemu-conf.h"

#include <gio/gio.h>

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

#define NAME "server-cert.pem"

static char *
default_folder(void)
{
    const char *own = "/etc/pki/libvirt-migrate";

    return g_strdup(g_file_test(own, G_FILE_TEST_IS_DIR) ? own : "/etc/pki/qemu");
}

char *
ferry_migration_certificate_path(const char *qemu_conf, bool *ret_certain)
{
    g_auto(GStrv) lines = ferry_qemu_conf_read(qemu_conf);
    g_autofree char *own = ferry_qemu_conf_text(lines, "migrate_tls_x509_cert_dir");
    g_autofree char *shared = own ? NULL : ferry_qemu_conf_text(lines, "default_tls_x509_cert_dir");
    g_autofree char *usual = default_folder();

    *ret_certain = lines != NULL;
    return g_build_filename(own ? own : shared ? shared : usual, NAME, NULL);
}

static X509 *
read_certificate(const char *path)
{
    g_autoptr(BIO) file = BIO_new_file(path, "r");

    return file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
}

FerryCertificate
ferry_migration_certificate_judge(const char *path, const char *address)
{
    g_autoptr(X509) certificate = read_certificate(path);

    if (!certificate)
        return access(path, F_OK) != 0 && errno == ENOENT ? FERRY_CERTIFICATE_ABSENT
                                                          : FERRY_CERTIFICATE_UNREADABLE;
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 ||
        X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        return FERRY_CERTIFICATE_OUTDATED;

    bool is_address = g_hostname_is_ip_address(address);
    int match = is_address ? X509_check_ip_asc(certificate, address, 0)
                           : X509_check_host(certificate, address, 0, 0, NULL);

    return match == 1 ? FERRY_CERTIFICATE_FITS : FERRY_CERTIFICATE_OTHER_NAME;
}

static const char *const seen_words[] = {
    [FERRY_CERTIFICATE_FITS] = "is for that address",
    [FERRY_CERTIFICATE_OTHER_NAME] = "is for other names",
    [FERRY_CERTIFICATE_OUTDATED] = "is not valid at this time",
    [FERRY_CERTIFICATE_UNREADABLE] = "cannot be read by the agent",
    [FERRY_CERTIFICATE_ABSENT] = "is not there",
};

static FerryCheckResult
result_of(FerryCertificate seen, bool certain)
{
    if (seen == FERRY_CERTIFICATE_FITS)
        return FERRY_CHECK_PASS;
    return certain && (seen == FERRY_CERTIFICATE_OTHER_NAME || seen == FERRY_CERTIFICATE_OUTDATED)
               ? FERRY_CHECK_FAIL
               : FERRY_CHECK_WARN;
}

static const char *
hint_of(FerryCertificate seen)
{
    if (seen == FERRY_CERTIFICATE_FITS)
        return NULL;
    return seen == FERRY_CERTIFICATE_ABSENT
               ? "Issue it for that address: docs/operations.md, \"Certificates between the hosts\""
               : "Issue it with that address, or set live_migration_inbound_addr to a name that it "
                 "has";
}

static void
add(FerryChecks *checks,
    const char *name,
    FerryCertificate seen,
    FerryCheckResult result,
    const char *message)
{
    ferry_checks_add(checks, name, result, hint_of(seen), "%s", message);
}

void
ferry_migration_certificate_check(const char *address, FerryChecks *checks)
{
    bool certain = false;
    g_autofree char *path = ferry_migration_certificate_path(FERRY_QEMU_CONF, &certain);
    FerryCertificate seen = ferry_migration_certificate_judge(path, address);
    g_autofree char *message = g_strdup_printf("QEMU is reached at '%s'; its certificate '%s' %s",
                                               address, path, seen_words[seen]);

    add(checks, "tls", seen, result_of(seen, certain), message);
}

void
ferry_libvirt_certificate_check(const char *path, const char *address, FerryChecks *checks)
{
    FerryCertificate seen = ferry_migration_certificate_judge(path, address);
    g_autofree char *message = g_strdup_printf(
        "libvirtd is reached at '%s'; its certificate '%s' %s", address, path, seen_words[seen]);

    add(checks, "libvirt-certificate", seen, result_of(seen, /* certain= */ true), message);
}
