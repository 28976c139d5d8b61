#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"

json_t *
ferry_method_check_can_live_migrate_destination(const FerryMethodContext *context,
                                                FerryRequest *request,
                                                GError **error)
{
    json_t *args = ferry_request_args(request);
    json_t *instance_info = ferry_argument_object(args, "instance_info", error);

    return instance_info ? ferry_destination_check(context->destination, instance_info,
                                                   json_object_get(args, "options"), error)
                         : NULL;
}

static void
acknowledge(gpointer request)
{
    ferry_request_ack(request);
}

json_t *
ferry_method_pre_live_migration(const FerryMethodContext *context,
                                FerryRequest *request,
                                GError **error)
{
    const char *source = NULL;
    json_t *args = ferry_request_args(request);
    g_autofree char *id = ferry_argument_id_or_new(request, error);
    g_autoptr(FerryJson) order = ferry_argument_order(request);

    if (!id || !ferry_argument_object(args, "instance_info", error) ||
        !ferry_argument_optional_name(args, "source", &source, error))
        return NULL;

    json_t *answer =
        ferry_destination_prepare(context->destination, id, order, acknowledge, request, error);

    context->leases_changed(context->leases_data);
    return ferry_answer_named("migrate_data", answer);
}

json_t *
ferry_method_prepare_file(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    g_autofree char *id = ferry_argument_id(args, error);
    json_t *file = id ? ferry_argument_object(args, "file", error) : NULL;
    json_t *answer =
        file ? ferry_destination_prepare_file(context->destination, id, file, error) : NULL;

    context->leases_changed(context->leases_data);
    return answer;
}

json_t *
ferry_method_publish_file(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *path = json_string_value(json_object_get(args, "path"));
    g_autofree char *id = ferry_argument_id(args, error);

    if (id && !path)
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "Argument 'path': expected a string");
    return id && path ? ferry_destination_publish_file(context->destination, id, path, error)
                      : NULL;
}

json_t *
ferry_method_post_live_migration_at_destination(const FerryMethodContext *context,
                                                FerryRequest *request,
                                                GError **error)
{
    g_autofree char *id = ferry_argument_id(ferry_request_args(request), error);

    return id ? ferry_destination_finish(context->destination, id, error) : NULL;
}

json_t *
ferry_method_rollback_live_migration_at_destination(const FerryMethodContext *context,
                                                    FerryRequest *request,
                                                    GError **error)
{
    g_autofree char *id = ferry_argument_id(ferry_request_args(request), error);

    return id ? ferry_destination_roll_back(context->destination, id, error) : NULL;
}
