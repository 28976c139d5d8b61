#include "config.h"

#include "checks/port-listener.h"
#include "checks/qemu-conf.h"
#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"

#include <limits.h>

#define MAX_SEEDS 256
#define MAX_TARGET_BYTES 64

bool
ferry_method_check_can_live_migrate_destination(FerryMethodCall *call, GError **error)
{
    json_t *instance_info = ferry_field_object(&call->args, "instance_info", error);

    return instance_info &&
           ferry_method_answer(
               call, ferry_destination_check(call->context->destination, instance_info,
                                             json_object_get(call->args.object, "options"), error));
}

/* Of its own and not in the answer to the check, which may take long: the moment begins here. */
bool
ferry_method_open_migration_ports(FerryMethodCall *call, GError **error)
{
    g_auto(GStrv) qemu_conf = ferry_qemu_conf_read(FERRY_QEMU_CONF);

    return ferry_method_answer(
        call, ferry_port_listener_open(ferry_qemu_conf_migration_ports(qemu_conf)));
}

static void
acknowledge(gpointer request)
{
    ferry_request_ack(request);
}

/* The order is safe long before the images are made: it is acknowledged there, and answered
 * here. */
bool
ferry_method_pre_live_migration(FerryMethodCall *call, GError **error)
{
    const FerryMethodContext *context = call->context;
    const char *source = NULL;
    g_autofree char *id = ferry_argument_id_or_new(call, error);
    g_autoptr(FerryJson) order = ferry_argument_order(call);

    if (!id || !ferry_field_object(&call->args, "instance_info", error) ||
        !ferry_field_optional_name(&call->args, "source", &source, error))
        return false;

    json_t *answer = ferry_destination_prepare(context->destination, id, order, acknowledge,
                                               call->request, error);

    context->leases_changed(context->leases_data);
    return ferry_method_answer(call, ferry_answer_named("migrate_data", answer));
}

bool
ferry_method_prepare_file(FerryMethodCall *call, GError **error)
{
    const FerryMethodContext *context = call->context;
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    json_t *file = id ? ferry_field_object(&call->args, "file", error) : NULL;
    json_t *answer =
        file ? ferry_destination_prepare_file(context->destination, id, file, error) : NULL;

    context->leases_changed(context->leases_data);
    return ferry_method_answer(call, answer);
}

bool
ferry_method_renew_images(FerryMethodCall *call, GError **error)
{
    const FerryMethodContext *context = call->context;
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    g_auto(GStrv) seeds = NULL;
    FerryRenewal renewal = {0};

    if (!id || !ferry_field_uint(&call->args, "attempt", 2, G_MAXINT, &renewal.attempt, error) ||
        !ferry_field_texts(&call->args, "seeds", MAX_SEEDS, MAX_TARGET_BYTES, &seeds, error))
        return false;
    renewal.seeds = (const char *const *)seeds;

    json_t *answer = ferry_destination_renew_images(context->destination, id, &renewal, error);

    context->leases_changed(context->leases_data);
    return ferry_method_answer(call, answer);
}

bool
ferry_method_get_room(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);

    return id && ferry_method_answer(
                     call, ferry_destination_get_room(call->context->destination, id, error));
}

bool
ferry_method_publish_file(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    g_autofree char *path = NULL;

    if (!id || !ferry_field_text(&call->args, "path", FERRY_FIELD_LINE, PATH_MAX, &path, error))
        return false;
    if (!path)
        return ferry_field_refuse(&call->args, "path", NULL, "a string", error);
    return ferry_method_answer(
        call, ferry_destination_publish_file(call->context->destination, id, path, error));
}

bool
ferry_method_post_live_migration_at_destination(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    bool autostart = false;

    return id && ferry_field_bool(&call->args, "autostart", &autostart, error) &&
           ferry_method_answer(
               call, ferry_destination_finish(call->context->destination, id, autostart, error));
}

bool
ferry_method_rollback_live_migration_at_destination(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);

    return id && ferry_method_answer(
                     call, ferry_destination_roll_back(call->context->destination, id, error));
}
