#include "config.h"

#include "amqp-publish.h"

#include "amqp-error.h"

#include "ferry/error.h"

static void
set_properties(amqp_basic_properties_t *properties,
               const FerryOutgoing *outgoing,
               const char *expiration)
{
    const bool passing =
        outgoing->kind == FERRY_OUTGOING_SAMPLE || outgoing->kind == FERRY_OUTGOING_PROBE;

    *properties = (amqp_basic_properties_t){
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG |
                  AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                  AMQP_BASIC_PRIORITY_FLAG,
        .content_type = amqp_cstring_bytes("application/json"),
        .content_encoding = amqp_cstring_bytes("utf-8"),
        .headers = amqp_empty_table,
        .delivery_mode = passing ? AMQP_DELIVERY_NONPERSISTENT : AMQP_DELIVERY_PERSISTENT,
        .priority = 0,
    };
    if (expiration) {
        properties->_flags |= AMQP_BASIC_EXPIRATION_FLAG;
        properties->expiration = amqp_cstring_bytes(expiration);
    }
    if (outgoing->correlation_id) {
        properties->_flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
        properties->correlation_id = amqp_cstring_bytes(outgoing->correlation_id);
    }
    if (outgoing->reply_to) {
        properties->_flags |= AMQP_BASIC_REPLY_TO_FLAG;
        properties->reply_to = amqp_cstring_bytes(outgoing->reply_to);
    }
}

/* Whether the broker returns the message when no queue takes it. Not with RabbitMQ's direct
 * reply-to, which has no queue at all: it would deliver the message and return it, too. */
static bool
is_mandatory(const FerryOutgoing *outgoing)
{
    switch (outgoing->kind) {
    case FERRY_OUTGOING_ANSWER:
    case FERRY_OUTGOING_HEARTBEAT:
    case FERRY_OUTGOING_CALL:
        return !g_str_has_prefix(outgoing->routing_key, "amq.rabbitmq.reply-to.");
    case FERRY_OUTGOING_PROBE:
    case FERRY_OUTGOING_NOTIFICATION:
        return true;
    case FERRY_OUTGOING_SURVEY:
    case FERRY_OUTGOING_SAMPLE:
        return false;
    }
    g_assert_not_reached();
}

bool
ferry_amqp_publish(FerryAmqpConnection *connection,
                   const FerryOutgoing *outgoing,
                   gint64 now_us,
                   GError **error)
{
    amqp_basic_properties_t properties;
    g_autofree char *expiration = NULL;
    bool mandatory = is_mandatory(outgoing);

    if (outgoing->deadline_us != 0)
        expiration =
            g_strdup_printf("%" G_GINT64_FORMAT, MAX((outgoing->deadline_us - now_us) / 1000, 1));
    set_properties(&properties, outgoing, expiration);
    int status =
        amqp_basic_publish(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                           amqp_cstring_bytes(outgoing->exchange),
                           amqp_cstring_bytes(outgoing->routing_key), mandatory,
                           /* immediate= */ 0, &properties, amqp_cstring_bytes(outgoing->body));
    return ferry_amqp_check_status(status, "Publishing", error);
}
