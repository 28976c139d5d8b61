#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"

json_t *
ferry_method_check_can_live_migrate_source(const FerryMethodContext *context,
                                           FerryRequest *request,
                                           GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *name = ferry_argument_name(args, "instance", error);
    const char *host = NULL;

    if (!name || !ferry_argument_optional_name(args, "host", &host, error))
        return NULL;
    return ferry_source_check(context->source, name, host, json_object_get(args, "options"), error);
}

/* Answers and acknowledges; what the method returns afterwards is dropped as a second answer. */
static void
answer_order(const char *migration_id, FerryStatus status, gpointer request)
{
    ferry_request_reply(request, json_pack("{s:s, s:s}", "migration_id", migration_id, "status",
                                           ferry_status_to_string(status)));
}

json_t *
ferry_method_live_migration(const FerryMethodContext *context,
                            FerryRequest *request,
                            GError **error)
{
    json_t *args = ferry_request_args(request);
    bool prepared = g_strcmp0(ferry_request_method(request), "live_migration") == 0;
    g_autofree char *id = ferry_argument_id_or_new(request, error);
    g_autoptr(FerryJson) order = ferry_argument_order(request);

    if (!id || !ferry_argument_name(args, "instance", error))
        return NULL;
    if (prepared ? !ferry_argument_object(args, "migrate_data", error)
                 : !ferry_argument_name(args, "host", error))
        return NULL;
    return ferry_source_order(context->source, id, order, answer_order, request, error);
}

json_t *
ferry_method_live_migration_abort(const FerryMethodContext *context,
                                  FerryRequest *request,
                                  GError **error)
{
    g_autofree char *id = ferry_argument_id(ferry_request_args(request), error);

    return id ? ferry_source_abort(context->source, id, error) : NULL;
}

json_t *
ferry_method_live_migration_force_complete(const FerryMethodContext *context,
                                           FerryRequest *request,
                                           GError **error)
{
    g_autofree char *id = ferry_argument_id(ferry_request_args(request), error);

    return id ? ferry_source_force_complete(context->source, id, error) : NULL;
}

/* A source asks both hosts; a destination tries again to remove what it could not remove before. */
json_t *
ferry_method_resolve_migration(const FerryMethodContext *context,
                               FerryRequest *request,
                               GError **error)
{
    g_autofree char *id = ferry_argument_id(ferry_request_args(request), error);
    g_autoptr(GError) why = NULL;
    json_t *answer = id ? ferry_resolver_resolve(context->resolver, id, &why) : NULL;

    if (!id || answer)
        return answer;
    if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    answer = ferry_destination_roll_back(context->destination, id, error);
    if (answer) {
        json_object_set_new(answer, "migration_id", json_string(id));
        json_object_set_new(answer, "action", json_string("roll-back"));
    }
    return answer;
}
