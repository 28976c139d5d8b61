/* migration-request.h: an order to migrate an instance, read once from its arguments. Any
 * thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/migrate-data.h"

typedef enum {
    FERRY_MIGRATION_REQUEST_WHOLE,    /* live_migrate_instance: the agent prepares the host */
    FERRY_MIGRATION_REQUEST_PREPARED, /* live_migration: migrate_data says what is prepared */
} FerryMigrationRequestKind;

typedef struct {
    char *migration_id;
    char *instance;                 /* name or UUID */
    char *host;                     /* the destination; NULL where migrate_data names none */
    FerryMigrateData *migrate_data; /* NULL but for FERRY_MIGRATION_REQUEST_PREPARED */
    json_t *options; /* as they came, or NULL: a repetition is answered without reading them */
    json_t *order;   /* {"method", "args"}: what the record keeps, and tells a repetition by */
} FerryMigrationRequest;

/**
 * ferry_migration_request_read:
 * @order: (transfer none): {"method", "args"} as it came
 * @error: FERRY_ERROR_INVALID_REQUEST naming the argument
 */
FerryMigrationRequest *ferry_migration_request_read(const char *migration_id,
                                                    FerryMigrationRequestKind kind,
                                                    json_t *order,
                                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_migration_request_free(FerryMigrationRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMigrationRequest, ferry_migration_request_free)

/** Returns: (transfer full) (nullable): `migrate_data` as it was understood: what the record's
 * column keeps. */
json_t *ferry_migration_request_column(const FerryMigrationRequest *request);
