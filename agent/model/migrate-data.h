/* migrate-data.h: `migrate_data`, what a destination that is prepared hands the source.
 *
 * The destination makes it, callers carry it, the record keeps it as JSON; who decides with it
 * reads it once into this value. Pure, any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/config.h"
#include "model/host-versions.h"

/* What the destination has prepared for one disk. Texts are NULL where it did not tell. */
typedef struct {
    char *target;
    char *path;
    char *pool;
    char *format;
    guint64 capacity_bytes;
    bool created;
    bool seeded; /* it is to be sent, not mirrored */
} FerryMigrateVolume;

/* Texts are NULL where the document has none. */
typedef struct {
    char *migration_id;
    char *host;
    char *libvirt_uri;     /* of the destination's libvirt */
    char *migrate_uri;     /* of its QEMU */
    char *libvirt_version; /* "9.0.0"; an agent of before does not tell */
    char *qemu_version;    /* "7.2.22"; likewise */
    json_t *pools;         /* passed on as they are; may be NULL */
    GPtrArray *volumes;    /* FerryMigrateVolume; never NULL once read */
    json_t *files;         /* passed on as they are; may be NULL */
    json_t *addresses;     /* {the source's own: what takes its place}; may be NULL */
    bool renews_images;    /* the destination knows how to (renew_images); false: one of before */
    bool numbers_attempts; /* and takes the number of the attempt with it; likewise */
    bool seeds_anew;       /* and to make them as seeds where they were mirrors' */
    bool names_document;   /* destination_xml is not null */
    char *expires_at;
} FerryMigrateData;

/** Returns: (transfer full): @config's URI of this host's libvirt as others reach it. */
char *ferry_migrate_data_libvirt_uri(const FerryConfig *config, const char *address);

/** Returns: (transfer full): where QEMU is reached: "tcp://ADDRESS", IPv6 in brackets. */
char *ferry_migrate_data_migrate_uri(const char *address);

/**
 * ferry_migrate_data_from_json:
 * @object: from the wire or from a record; unknown keys are ignored, every known one may be missing
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field: it is no object, or a field of a wrong type
 */
FerryMigrateData *ferry_migrate_data_from_json(const json_t *object,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): FerryMigrateVolume each, of the list in `volumes` (NULL: empty). */
GPtrArray *ferry_migrate_volumes_from_json(const json_t *list,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the document of the protocol. `destination_xml` is null. */
json_t *ferry_migrate_data_to_json(const FerryMigrateData *data);

void ferry_migrate_data_free(FerryMigrateData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMigrateData, ferry_migrate_data_free)

/** Returns: those of the destination; borrowed. */
FerryHostVersions ferry_migrate_data_host_versions(const FerryMigrateData *data);

/** @data: (nullable). Returns: (transfer none) (nullable): what was prepared for that disk. */
const FerryMigrateVolume *ferry_migrate_data_find(const FerryMigrateData *data, const char *target);

/**
 * ferry_migrate_data_addresses:
 * @own: (nullable): the source's own addresses, as the instance's description named them
 * Returns: (transfer full) (nullable): of @data's `addresses` those that replace one of @own by an
 * IP address; NULL where there are none.
 */
json_t *ferry_migrate_data_addresses(const FerryMigrateData *data, char *const *own);

/**
 * ferry_migrate_data_check:
 * The URIs go to libvirtd, which runs as root and whose URIs can name commands to run
 * (qemu+ext://, ?command=): so `migrate_uri` must be tcp://HOST[:PORT], and `libvirt_uri` either
 * qemu+tls|ssh://HOST[:PORT]/system without user and query, or what this host's own
 * live_migration_uri or live_migration_scheme makes of the same HOST; qemu+tcp only where that is
 * qemu+tcp, too.
 * Which HOST it is nobody checks here: a destination may name any address for itself, which a host
 * that lies about its instances wins nothing by.
 * `destination_xml` must be null: virt/redefine.h makes the document where one is needed.
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field
 */
bool ferry_migrate_data_check(const FerryMigrateData *data,
                              const FerryConfig *config,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
