#include "config.h"

#include "model/migration-request.h"

#include "model/json-field.h"

static bool
read_host(const FerryFieldScope *args, FerryMigrationRequest *request, GError **error)
{
    request->host = g_strdup(ferry_field_name(args, "host", error));
    return request->host != NULL;
}

static bool
read_migrate_data(const FerryFieldScope *args, FerryMigrationRequest *request, GError **error)
{
    json_t *object = ferry_field_object(args, "migrate_data", error);

    request->migrate_data = object ? ferry_migrate_data_from_json(object, error) : NULL;
    if (!request->migrate_data)
        return false;
    request->host = g_strdup(request->migrate_data->host);
    return true;
}

FerryMigrationRequest *
ferry_migration_request_read(const char *migration_id,
                             FerryMigrationRequestKind kind,
                             json_t *order,
                             GError **error)
{
    const FerryFieldScope args = {json_object_get(order, "args"), "args"};
    g_autoptr(FerryMigrationRequest) request = g_new0(FerryMigrationRequest, 1);

    request->migration_id = g_strdup(migration_id);
    request->order = json_incref(order);
    request->options = json_incref(json_object_get(args.object, "options"));
    request->instance = g_strdup(ferry_field_name(&args, "instance", error));
    if (!request->instance)
        return NULL;
    if (kind == FERRY_MIGRATION_REQUEST_PREPARED ? !read_migrate_data(&args, request, error)
                                                 : !read_host(&args, request, error))
        return NULL;
    return g_steal_pointer(&request);
}

void
ferry_migration_request_free(FerryMigrationRequest *request)
{
    if (!request)
        return;
    g_free(request->migration_id);
    g_free(request->instance);
    g_free(request->host);
    ferry_migrate_data_free(request->migrate_data);
    json_decref(request->options);
    json_decref(request->order);
    g_free(request);
}

json_t *
ferry_migration_request_column(const FerryMigrationRequest *request)
{
    return request->migrate_data ? ferry_migrate_data_to_json(request->migrate_data) : NULL;
}
