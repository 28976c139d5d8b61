/* A delivery from the broker up to the method's arguments, in both dialects. The first byte says
 * what the message's properties are, the rest is its body. */
#include "config.h"

#include "target.h"

#include "../../rpc/dispatch.h"
#include "../../rpc/envelope.h"
#include "../../rpc/incoming.h"

#include "ferry/json.h"

#include <string.h>

enum {
    OTHER_TYPE = 1 << 0,
    COMPRESSED = 1 << 1,
    HAS_REPLY_TO = 1 << 2,
    HAS_IDS = 1 << 3,
    TO_ANY = 1 << 4,
};

static const char *const instance_info[] = {"instance_info", NULL};
static const char *const instance_and_host[] = {"instance", "host", NULL};
static const char *const options[] = {"migration_id", "options", NULL};

static const FerryMethod methods[] = {
    {"ping", FERRY_METHOD_SHARED, NULL, NULL},
    {"pre_live_migration", FERRY_METHOD_ORDER, instance_info, options},
    {"live_migrate_instance", FERRY_METHOD_ORDER, instance_and_host, options},
    {0},
};

/* What goes out must come in again as it was. */
static void
check_round_trip(const json_t *message)
{
    g_autofree char *sealed = ferry_envelope_seal(message);
    bool enveloped = false;
    g_autoptr(FerryJson) again = ferry_envelope_open(sealed, strlen(sealed), &enveloped, NULL);

    g_assert_true(enveloped);
    g_assert_true(json_equal(again, message));
}

static void
check_failure(const FerryFailure *failure)
{
    g_autoptr(FerryJson) text = ferry_failure_to_oslo(failure);

    g_assert_true(json_is_string(text));

    g_autoptr(GError) error = ferry_failure_to_error(json_string_value(text));

    g_assert_nonnull(error);
}

static void
dispatch(const json_t *message, FerryAddressing addressing)
{
    const FerryMethod *method = NULL;
    g_autoptr(FerryFailure) failure = NULL;

    if (ferry_dispatch(methods, message, addressing, &method, &failure))
        g_assert_nonnull(method);
    else
        check_failure(failure);
}

static FerryDelivery
make_delivery(guint8 properties, const uint8_t *body, size_t size)
{
    return (FerryDelivery){
        .content_type = g_strdup(properties & OTHER_TYPE ? "text/plain" : "application/json"),
        .compression = properties & COMPRESSED ? g_strdup("application/x-gzip") : NULL,
        .reply_to = properties & HAS_REPLY_TO ? g_strdup("reply_1") : NULL,
        .correlation_id = properties & HAS_IDS ? g_strdup("c-1") : NULL,
        .message_id = properties & HAS_IDS ? g_strdup("m-1") : NULL,
        .body_size = size,
        .body = g_bytes_new_static(body, size),
    };
}

static void
receive(const FerryDelivery *delivery, FerryAddressing addressing)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryIncoming) incoming = ferry_incoming_parse(delivery, &error);

    /* Either a request, or why there is none. */
    g_assert_true((incoming == NULL) == (error != NULL));
    if (!incoming)
        return;
    g_assert_true((incoming->message == NULL) == (incoming->broken != NULL));
    g_assert_nonnull(incoming->log_id);
    if (!incoming->message)
        return;
    check_round_trip(incoming->message);
    dispatch(incoming->message, addressing);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    FerryDelivery delivery = make_delivery(data[0], data + 1, size - 1);

    receive(&delivery, data[0] & TO_ANY ? FERRY_ADDRESSED_TO_ANY : FERRY_ADDRESSED_TO_SERVER);
    ferry_delivery_clear(&delivery);
    return 0;
}
