#include "config.h"

#include "incoming.h"

#include "envelope.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/messaging-options.h"

#include <string.h>

#define CONTENT_TYPE "application/json"
#define LOG_ID_MAX 64
#define IDENTITY_MAX 64
/* A request, its thread's job, and many small values of a body. */
#define WEIGHT_BASE_BYTES 4096
#define WEIGHT_FACTOR 8
/* A caller that asks for heartbeats less than once a day gets none. */
#define MONITOR_MAX_S 86400

void
ferry_delivery_clear(FerryDelivery *delivery)
{
    g_clear_pointer(&delivery->consumer_tag, g_free);
    g_clear_pointer(&delivery->content_type, g_free);
    g_clear_pointer(&delivery->compression, g_free);
    g_clear_pointer(&delivery->reply_to, g_free);
    g_clear_pointer(&delivery->correlation_id, g_free);
    g_clear_pointer(&delivery->message_id, g_free);
    g_clear_pointer(&delivery->body, g_bytes_unref);
}

gsize
ferry_delivery_weight(const FerryDelivery *delivery)
{
    gsize length = delivery->compression ? FERRY_ENVELOPE_MAX_BYTES : delivery->body_size;

    return WEIGHT_BASE_BYTES + WEIGHT_FACTOR * MIN(length, FERRY_ENVELOPE_MAX_BYTES);
}

void
ferry_incoming_free(FerryIncoming *incoming)
{
    if (!incoming)
        return;
    json_decref(incoming->message);
    g_free(incoming->broken);
    g_free(incoming->msg_id);
    g_free(incoming->reply_queue);
    g_free(incoming->correlation_id);
    g_free(incoming->identity);
    g_free(incoming->log_id);
    g_free(incoming);
}

bool
ferry_incoming_is_call(const FerryIncoming *incoming)
{
    return incoming->dialect == FERRY_DIALECT_OSLO ? incoming->msg_id : incoming->reply_queue;
}

/* Returns: (transfer full) (nullable): the body, decompressed. */
static GBytes *
plain_body(const FerryDelivery *delivery, GError **error)
{
    if (!delivery->body) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "The body of %" G_GUINT64_FORMAT " bytes is too long", delivery->body_size);
        return NULL;
    }
    if (g_strcmp0(delivery->content_type, CONTENT_TYPE) != 0) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "The content type is not " CONTENT_TYPE);
        return NULL;
    }
    return delivery->compression
               ? ferry_envelope_inflate(delivery->body, delivery->compression, error)
               : g_bytes_ref(delivery->body);
}

json_t *
ferry_delivery_open(const FerryDelivery *delivery, bool *ret_enveloped, GError **error)
{
    g_autoptr(GBytes) body = plain_body(delivery, error);

    if (!body)
        return NULL;
    gsize length = 0;
    const char *data = g_bytes_get_data(body, &length);
    return ferry_envelope_open(data, length, ret_enveloped, error);
}

/* Ids come from strangers and go into logs. */
static char *
printable(const char *text)
{
    if (!text || text[0] == '\0' || strlen(text) > LOG_ID_MAX)
        return g_strdup("-");
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isgraph(*at))
            return g_strdup("-");
    }
    return g_strdup(text);
}

static gint64
monitor_seconds(const json_t *value)
{
    gint64 seconds = 0;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_real(value) && json_real_value(value) < MONITOR_MAX_S)
        return (gint64)MAX(json_real_value(value), 0);
    if (json_is_string(value) &&
        g_ascii_string_to_signed(json_string_value(value), 10, 0, MONITOR_MAX_S, &seconds, NULL))
        return seconds;
    return 0;
}

/* Half the time that the caller waits; as with stock servers, no heartbeats below two seconds. */
static guint
heartbeat_ms(const json_t *message)
{
    gint64 seconds = monitor_seconds(json_object_get(message, "_timeout"));

    return seconds >= 2 && seconds <= MONITOR_MAX_S ? (guint)seconds * 500 : 0;
}

/* Many are remembered: of an id that is longer than those that programs make, the digest. */
static char *
identity(const char *unique_id, const char *message_id)
{
    bool oslo = unique_id && unique_id[0] != '\0';
    const char *id = oslo ? unique_id : message_id;

    if (!id || id[0] == '\0')
        return NULL;
    g_autofree char *digest =
        strlen(id) > IDENTITY_MAX ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1) : NULL;
    return g_strconcat(oslo ? "oslo:" : "amqp:", digest ? digest : id, NULL);
}

static void
take_oslo(FerryIncoming *incoming, const json_t *document, const FerryDelivery *delivery)
{
    incoming->dialect = FERRY_DIALECT_OSLO;
    incoming->msg_id = g_strdup(ferry_json_get_string(document, "_msg_id"));
    incoming->reply_queue = g_strdup(ferry_json_get_string(document, "_reply_q"));
    incoming->identity =
        identity(ferry_json_get_string(document, "_unique_id"), delivery->message_id);
    incoming->log_id = printable(ferry_json_get_string(document, "_context_request_id"));
    incoming->heartbeat_ms = incoming->msg_id ? heartbeat_ms(document) : 0;
}

static void
take_bare(FerryIncoming *incoming, const json_t *document, const FerryDelivery *delivery)
{
    incoming->dialect = FERRY_DIALECT_BARE;
    incoming->reply_queue =
        delivery->reply_to && delivery->reply_to[0] != '\0' ? g_strdup(delivery->reply_to) : NULL;
    incoming->correlation_id = g_strdup(delivery->correlation_id);
    incoming->identity =
        identity(ferry_json_get_string(document, "_unique_id"), delivery->message_id);
    incoming->log_id = printable(delivery->correlation_id);
}

/* Without an envelope, only _msg_id tells oslo.messaging's older format from the bare dialect. */
static bool
is_oslo(const json_t *document, bool enveloped)
{
    return enveloped || json_object_get(document, "_msg_id");
}

/* Whether an answer to it can be addressed: AMQP's own properties are short by themselves, what
 * stands in the body is as long as its sender likes. */
static bool
check_address(const FerryIncoming *incoming, GError **error)
{
    gsize reply_queue = incoming->reply_queue ? strlen(incoming->reply_queue) : 0;
    gsize msg_id = incoming->msg_id ? strlen(incoming->msg_id) : 0;

    if (MAX(reply_queue, msg_id) <= FERRY_AMQP_NAME_MAX)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                    "It cannot be answered: its %s has %zu bytes, of %d at most",
                    reply_queue > FERRY_AMQP_NAME_MAX ? "_reply_q" : "_msg_id",
                    MAX(reply_queue, msg_id), FERRY_AMQP_NAME_MAX);
    return false;
}

static json_t *
salvage(const FerryDelivery *delivery)
{
    g_autoptr(GBytes) body = plain_body(delivery, NULL);
    gsize length = 0;
    const char *data = body ? g_bytes_get_data(body, &length) : NULL;

    return data ? ferry_envelope_salvage(data, length) : NULL;
}

/* What is needed to answer a document that cannot be parsed. */
static FerryIncoming *
take_broken(const FerryDelivery *delivery, const GError *reason)
{
    g_autoptr(FerryJson) rest = salvage(delivery);
    bool bare = !rest;

    if (bare && (!delivery->reply_to || delivery->reply_to[0] == '\0'))
        return NULL;

    FerryIncoming *incoming = g_new0(FerryIncoming, 1);

    incoming->broken = g_strdup(reason->message);
    if (bare)
        take_bare(incoming, NULL, delivery);
    else
        take_oslo(incoming, rest, delivery);
    incoming->heartbeat_ms = 0;
    return incoming;
}

static FerryIncoming *
parse(const FerryDelivery *delivery, GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool enveloped = false;
    g_autoptr(FerryJson) document = ferry_delivery_open(delivery, &enveloped, &reason);

    if (!document) {
        FerryIncoming *rest = take_broken(delivery, reason);

        if (!rest)
            g_propagate_error(error, g_steal_pointer(&reason));
        return rest;
    }

    FerryIncoming *incoming = g_new0(FerryIncoming, 1);

    if (is_oslo(document, enveloped))
        take_oslo(incoming, document, delivery);
    else
        take_bare(incoming, document, delivery);
    incoming->message = g_steal_pointer(&document);
    return incoming;
}

FerryIncoming *
ferry_incoming_parse(const FerryDelivery *delivery, GError **error)
{
    g_autoptr(FerryIncoming) incoming = parse(delivery, error);

    if (!incoming || !check_address(incoming, error))
        return NULL;
    incoming->weight_bytes = ferry_delivery_weight(delivery);
    return g_steal_pointer(&incoming);
}
