#include "config.h"

#include "checks/migration-certificate.h"

#include <gio/gio.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

#define NAME "server-cert.pem"

/* Returns: (transfer full) (nullable): the value of `key = "value"`; later lines win, as in
 * libvirt. */
static char *
value_of(char **lines, const char *key)
{
    g_autofree char *value = NULL;

    for (char **line = lines; *line; line++) {
        const char *rest = g_str_has_prefix(g_strchug(*line), key) ? *line + strlen(key) : NULL;
        g_auto(GStrv) parts = rest ? g_strsplit(rest, "\"", 3) : NULL;

        if (!parts || g_strv_length(parts) < 3 || g_strcmp0(g_strstrip(parts[0]), "=") != 0)
            continue;
        g_free(value);
        value = g_strdup(parts[1]);
    }
    return g_steal_pointer(&value);
}

static char *
default_folder(void)
{
    const char *own = "/etc/pki/libvirt-migrate";

    return g_strdup(g_file_test(own, G_FILE_TEST_IS_DIR) ? own : "/etc/pki/qemu");
}

char *
ferry_migration_certificate_path(const char *qemu_conf, bool *ret_certain)
{
    g_autofree char *text = NULL;

    *ret_certain = g_file_get_contents(qemu_conf, &text, NULL, NULL);

    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    g_autofree char *own = value_of(lines, "migrate_tls_x509_cert_dir");
    g_autofree char *shared = own ? NULL : value_of(lines, "default_tls_x509_cert_dir");
    g_autofree char *usual = default_folder();

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
