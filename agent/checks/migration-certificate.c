#include "config.h"

#include "checks/migration-certificate.h"

#include "checks/qemu-conf.h"

#include <gio/gio.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

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
        return FERRY_CERTIFICATE_UNREADABLE;
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 ||
        X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        return FERRY_CERTIFICATE_OUTDATED;

    bool is_address = g_hostname_is_ip_address(address);
    int match = is_address ? X509_check_ip_asc(certificate, address, 0)
                           : X509_check_host(certificate, address, 0, 0, NULL);

    return match == 1 ? FERRY_CERTIFICATE_FITS : FERRY_CERTIFICATE_OTHER_NAME;
}
