/* migrate-data.h: what a destination hands the source: built and checked. Pure, any thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/config.h"

/** Returns: (transfer full): @config's URI of this host's libvirt as others reach it. */
char *ferry_migrate_data_libvirt_uri(const FerryConfig *config, const char *address);

/** Returns: (transfer full): where QEMU is reached: "tcp://ADDRESS", IPv6 in brackets. */
char *ferry_migrate_data_migrate_uri(const char *address);

/**
 * ferry_migrate_data_check:
 * The URIs go to libvirtd, which runs as root and whose URIs can name commands to run
 * (qemu+ext://, ?command=): so `migrate_uri` must be tcp://HOST[:PORT], and `libvirt_uri` either
 * qemu+tls|tcp|ssh://HOST[:PORT]/system without user and query, or what this host's own
 * live_migration_uri makes of the same HOST.
 * `destination_xml` must be null: virt/redefine.h makes the document where one is needed.
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field
 */
bool ferry_migrate_data_check(const json_t *migrate_data,
                              const FerryConfig *config,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
