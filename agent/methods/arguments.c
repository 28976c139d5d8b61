#include "config.h"

#include "methods/arguments.h"

/* A UUID that follows from what names the message: a redelivery of an order without a migration_id
 * gets the same one and starts nothing twice. */
static char *
id_from_identity(const char *identity)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 d[32];
    gsize length = sizeof d;

    g_checksum_update(sum, (const guchar *)identity, -1);
    g_checksum_get_digest(sum, d, &length);
    /* RFC 9562, version 8: a UUID of one's own making. */
    d[6] = (guint8)((d[6] & 0x0f) | 0x80);
    d[8] = (guint8)((d[8] & 0x3f) | 0x80);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
                           d[12], d[13], d[14], d[15]);
}

char *
ferry_argument_id_or_new(const FerryMethodCall *call, GError **error)
{
    json_t *value = json_object_get(call->args.object, "migration_id");
    const char *identity = ferry_request_identity(call->request);

    if (value && !json_is_null(value))
        return ferry_field_uuid(&call->args, "migration_id", error);
    return identity ? id_from_identity(identity) : g_uuid_string_random();
}

json_t *
ferry_argument_order(const FerryMethodCall *call)
{
    return json_pack("{s:s, s:O}", "method", ferry_request_method(call->request), "args",
                     ferry_request_args(call->request));
}

json_t *
ferry_answer_named(const char *name, json_t *document)
{
    json_t *answer = document ? json_copy(document) : NULL;

    if (answer)
        json_object_set_new(answer, name, document);
    return answer;
}
