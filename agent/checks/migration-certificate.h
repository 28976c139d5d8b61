/* migration-certificate.h: the certificates that QEMU and libvirtd of this host show when a
 * migration comes by TLS.
 *
 * Threads: any. Reads libvirt's qemu.conf and the certificate, both if the agent's user may.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/check.h"

typedef enum {
    FERRY_CERTIFICATE_FITS,
    FERRY_CERTIFICATE_OTHER_NAME, /* it is for other names than the address */
    FERRY_CERTIFICATE_OUTDATED,   /* its time is over, or has not come */
    FERRY_CERTIFICATE_UNREADABLE, /* not for the agent's user, or no certificate */
    FERRY_CERTIFICATE_ABSENT,
} FerryCertificate;

/**
 * ferry_migration_certificate_path:
 * @qemu_conf: libvirt's configuration of QEMU
 * @ret_certain: (out): false when it could not be read and the path is libvirt's default
 * Returns: (transfer full): where the certificate lies.
 */
char *ferry_migration_certificate_path(const char *qemu_conf, bool *ret_certain);

/** @address: name or address that the source's QEMU connects to, as migrate_uri has it. */
FerryCertificate ferry_migration_certificate_judge(const char *path, const char *address);

/** Adds `tls`: what is seen of the certificate of this host's QEMU, which others reach at
 * @address. */
void ferry_migration_certificate_check(const char *address, FerryChecks *checks);

/** Adds `libvirt-certificate`: likewise, of the one that libvirtd shows at a qemu+tls URI. */
void ferry_libvirt_certificate_check(const char *path, const char *address, FerryChecks *checks);

/* libvirtd's by default. */
#define FERRY_LIBVIRT_CERTIFICATE "/etc/pki/libvirt/servercert.pem"
