#include "config.h"

#include "amqp-connection.h"

#include "amqp-error.h"
#include "amqp-socket.h"
#include "amqp-table.h"
#include "envelope.h"
#include "ferry/error.h"
#include "unique-id.h"

#include <string.h>
#include <unistd.h>

#define CHANNEL_MAX 2047
#define FRAME_MAX 131072
#define LOGIN_TIMEOUT_S 10
#define ANSWER_TIMEOUT_S 10
#define CLOSING_TIMEOUT_S 2

/* A method's id out of those of its class and of itself. */
#define AMQP_METHOD_ID(class_id, method_id) (((amqp_method_number_t)(class_id) << 16) | (method_id))

struct FerryAmqpConnection {
    FerryAmqpState *state;
    guint heartbeat_s;
    gint64 served_us;   /* when the library was last called to read or to send heartbeats */
    gint64 received_us; /* when the broker last sent something */
    /* A message whose frames have not all come yet. */
    FerryAmqpEvent partial;
    GByteArray *body;
    guint64 missing;
};

static char *
copy_text(amqp_bytes_t bytes)
{
    return g_strndup(bytes.bytes, bytes.len);
}

void
ferry_amqp_event_clear(FerryAmqpEvent *event)
{
    g_clear_pointer(&event->exchange, g_free);
    g_clear_pointer(&event->routing_key, g_free);
    ferry_delivery_clear(&event->delivery);
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool
login(FerryAmqpState *state,
      const FerryTransport *transport,
      const FerryBroker *broker,
      const char *purpose,
      GError **error)
{
    g_autofree char *id = ferry_unique_id_new();
    g_autofree char *name =
        g_strdup_printf("%s:%d:%s:%s", transport->program, (int)getpid(), purpose, id);
    amqp_table_entry_t capabilities[] = {
        ferry_amqp_bool("consumer_cancel_notify", true),
        ferry_amqp_bool("connection.blocked", true),
    };
    amqp_table_t capability_table = {G_N_ELEMENTS(capabilities), capabilities};
    amqp_table_entry_t properties[] = {
        ferry_amqp_text("product", transport->program),
        ferry_amqp_text("product_version", PACKAGE_VERSION),
        ferry_amqp_text("connection_name", name),
        ferry_amqp_table("capabilities", capability_table),
    };
    const amqp_table_t property_table = {G_N_ELEMENTS(properties), properties};
    amqp_rpc_reply_t reply = amqp_login_with_properties(
        state, transport->vhost, CHANNEL_MAX, FRAME_MAX,
        (int)MIN(transport->options->heartbeat_timeout_threshold, G_MAXUINT16), &property_table,
        AMQP_SASL_METHOD_PLAIN, broker->user, broker->password);

    return ferry_amqp_check_reply(reply, "Login", error);
}

static bool
open_state(FerryAmqpState *state,
           const FerryTransport *transport,
           const FerryBroker *broker,
           const char *purpose,
           GError **error)
{
    const struct timeval login_timeout = {.tv_sec = LOGIN_TIMEOUT_S};
    const struct timeval answer_timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    (void)amqp_set_handshake_timeout(state, &login_timeout);
    (void)amqp_set_rpc_timeout(state, &answer_timeout);
    if (!ferry_amqp_socket_open(state, transport, broker, error) ||
        !login(state, transport, broker, purpose, error))
        return false;
    (void)amqp_channel_open(state, FERRY_AMQP_CHANNEL);
    return ferry_amqp_check_reply(amqp_get_rpc_reply(state), "Opening a channel", error);
}

FerryAmqpConnection *
ferry_amqp_connection_open(const FerryTransport *transport,
                           const FerryBroker *broker,
                           const char *purpose,
                           GError **error)
{
    g_autoptr(FerryAmqpState) state = amqp_new_connection();

    if (!open_state(state, transport, broker, purpose, error)) {
        g_prefix_error(error, "%s:%u: ", broker->host, broker->port);
        return NULL;
    }

    FerryAmqpConnection *self = g_new0(FerryAmqpConnection, 1);

    self->heartbeat_s = (guint)MAX(amqp_get_heartbeat(state), 0);
    self->state = g_steal_pointer(&state);
    self->served_us = self->received_us = g_get_monotonic_time();
    self->body = g_byte_array_new();
    return self;
}

void
ferry_amqp_connection_shorten_timeout(FerryAmqpConnection *self)
{
    const struct timeval timeout = {.tv_sec = CLOSING_TIMEOUT_S};

    (void)amqp_set_rpc_timeout(self->state, &timeout);
}

void
ferry_amqp_connection_close(FerryAmqpConnection *self)
{
    ferry_amqp_connection_shorten_timeout(self);
    (void)amqp_connection_close(self->state, AMQP_REPLY_SUCCESS);
    ferry_amqp_connection_free(self);
}

void
ferry_amqp_connection_free(FerryAmqpConnection *self)
{
    if (!self)
        return;
    ferry_amqp_state_destroy(self->state);
    ferry_amqp_event_clear(&self->partial);
    g_byte_array_unref(self->body);
    g_free(self);
}

amqp_connection_state_t
ferry_amqp_connection_state(FerryAmqpConnection *self)
{
    return self->state;
}

bool
ferry_amqp_connection_check(FerryAmqpConnection *self, const char *what, GError **error)
{
    return ferry_amqp_check_reply(amqp_get_rpc_reply(self->state), what, error);
}

/* --- messages out of frames ------------------------------------------------------------------- */

static void
begin_delivery(FerryAmqpConnection *self, const amqp_basic_deliver_t *method)
{
    ferry_amqp_event_clear(&self->partial);
    self->partial = (FerryAmqpEvent){
        .kind = FERRY_AMQP_DELIVERY,
        .delivery =
            {
                .consumer_tag = copy_text(method->consumer_tag),
                .tag = method->delivery_tag,
                .redelivered = method->redelivered,
            },
    };
}

static void
begin_return(FerryAmqpConnection *self, const amqp_basic_return_t *method)
{
    ferry_amqp_event_clear(&self->partial);
    self->partial = (FerryAmqpEvent){
        .kind = FERRY_AMQP_RETURNED,
        .exchange = copy_text(method->exchange),
        .routing_key = copy_text(method->routing_key),
    };
}

static char *
find_header(const amqp_basic_properties_t *properties, const char *name)
{
    if ((properties->_flags & AMQP_BASIC_HEADERS_FLAG) == 0)
        return NULL;
    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->headers.entries[i];

        if (entry->value.kind == AMQP_FIELD_KIND_UTF8 && entry->key.len == strlen(name) &&
            memcmp(entry->key.bytes, name, entry->key.len) == 0)
            return copy_text(entry->value.value.bytes);
    }
    return NULL;
}

static void
take_properties(FerryDelivery *delivery, const amqp_basic_properties_t *properties)
{
    if ((properties->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG) != 0)
        delivery->content_type = copy_text(properties->content_type);
    if ((properties->_flags & AMQP_BASIC_REPLY_TO_FLAG) != 0)
        delivery->reply_to = copy_text(properties->reply_to);
    if ((properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) != 0)
        delivery->correlation_id = copy_text(properties->correlation_id);
    if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
        delivery->message_id = copy_text(properties->message_id);
    delivery->compression = find_header(properties, "compression");
}

/* All frames of a message have come: hands it to @ret_event. */
static void
finish_message(FerryAmqpConnection *self, FerryAmqpEvent *ret_event)
{
    FerryDelivery *delivery = &self->partial.delivery;

    if (delivery->body_size <= FERRY_ENVELOPE_MAX_BYTES) {
        delivery->body = g_byte_array_free_to_bytes(self->body);
        self->body = g_byte_array_new();
    }
    *ret_event = self->partial;
    self->partial = (FerryAmqpEvent){.kind = FERRY_AMQP_NOTHING};
}

static void
take_header(FerryAmqpConnection *self, const amqp_frame_t *frame, FerryAmqpEvent *ret_event)
{
    FerryDelivery *delivery = &self->partial.delivery;

    take_properties(delivery, frame->payload.properties.decoded);
    delivery->body_size = self->missing = frame->payload.properties.body_size;
    g_byte_array_unref(self->body);
    self->body = g_byte_array_sized_new((guint)MIN(delivery->body_size, FERRY_ENVELOPE_MAX_BYTES));
    if (self->missing == 0)
        finish_message(self, ret_event);
}

static void
take_body(FerryAmqpConnection *self, const amqp_frame_t *frame, FerryAmqpEvent *ret_event)
{
    const amqp_bytes_t part = frame->payload.body_fragment;

    /* The bytes of a body over the limit are counted, not kept. */
    if (self->partial.delivery.body_size <= FERRY_ENVELOPE_MAX_BYTES)
        g_byte_array_append(self->body, part.bytes, (guint)part.len);
    self->missing -= MIN(self->missing, part.len);
    if (self->missing == 0)
        finish_message(self, ret_event);
}

/* --- methods ---------------------------------------------------------------------------------- */

static bool
take_closed(FerryAmqpConnection *self, const amqp_frame_t *frame, GError **error)
{
    if (frame->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *closed = frame->payload.method.decoded;

        ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, "Connection");
        amqp_connection_close_ok_t answer = {0};
        (void)amqp_send_method(self->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer);
    } else {
        const amqp_channel_close_t *closed = frame->payload.method.decoded;

        if (AMQP_METHOD_ID(closed->class_id, closed->method_id) == AMQP_BASIC_PUBLISH_METHOD)
            /* That message's fault, and no setting's. */
            ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
                            "The broker refused a message with %d: %.*s", closed->reply_code,
                            (int)closed->reply_text.len, (const char *)closed->reply_text.bytes);
        else
            ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, "Channel");
    }
    return false;
}

static bool
take_method(FerryAmqpConnection *self,
            const amqp_frame_t *frame,
            FerryAmqpEvent *ret_event,
            GError **error)
{
    const amqp_method_t *method = &frame->payload.method;

    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        begin_delivery(self, method->decoded);
        return true;
    case AMQP_BASIC_RETURN_METHOD:
        begin_return(self, method->decoded);
        return true;
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;

        ret_event->kind = FERRY_AMQP_CONFIRMED;
        ret_event->tag = ack->delivery_tag;
        ret_event->multiple = ack->multiple;
        return true;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = method->decoded;

        ret_event->kind = FERRY_AMQP_REFUSED;
        ret_event->tag = nack->delivery_tag;
        ret_event->multiple = nack->multiple;
        return true;
    }
    case AMQP_BASIC_CONSUME_OK_METHOD:
        ret_event->kind = FERRY_AMQP_CONSUMING;
        return true;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        ret_event->kind = FERRY_AMQP_BLOCKED;
        return true;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        ret_event->kind = FERRY_AMQP_UNBLOCKED;
        return true;
    case AMQP_BASIC_CANCEL_METHOD:
        /* The queue was deleted or moved: a new connection declares everything again. */
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
                        "The broker cancelled a consumer: its queue is gone");
        return false;
    case AMQP_CONNECTION_CLOSE_METHOD:
    case AMQP_CHANNEL_CLOSE_METHOD:
        return take_closed(self, frame, error);
    default:
        return true;
    }
}

static bool
take_frame(FerryAmqpConnection *self,
           const amqp_frame_t *frame,
           FerryAmqpEvent *ret_event,
           GError **error)
{
    bool taken = true;

    if (frame->frame_type == AMQP_FRAME_METHOD)
        taken = take_method(self, frame, ret_event, error);
    else if (frame->frame_type == AMQP_FRAME_HEADER)
        take_header(self, frame, ret_event);
    else if (frame->frame_type == AMQP_FRAME_BODY)
        take_body(self, frame, ret_event);
    amqp_maybe_release_buffers_on_channel(self->state, frame->channel);
    return taken;
}

bool
ferry_amqp_connection_next(FerryAmqpConnection *self, FerryAmqpEvent *ret_event, GError **error)
{
    *ret_event = (FerryAmqpEvent){.kind = FERRY_AMQP_NOTHING};
    while (ret_event->kind == FERRY_AMQP_NOTHING) {
        const struct timeval at_once = {0};
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame_noblock(self->state, &frame, &at_once);

        self->served_us = g_get_monotonic_time();
        if (status == AMQP_STATUS_TIMEOUT)
            return true;
        if (status != AMQP_STATUS_OK) {
            ferry_amqp_set_status_error(error, status, "Connection");
            return false;
        }
        self->received_us = self->served_us;
        if (!take_frame(self, &frame, ret_event, error))
            return false;
    }
    return true;
}

void
ferry_amqp_connection_note_input(FerryAmqpConnection *self)
{
    self->received_us = g_get_monotonic_time();
}

int
ferry_amqp_connection_fd(const FerryAmqpConnection *self)
{
    return amqp_get_sockfd(self->state);
}

gint64
ferry_amqp_connection_deadline(const FerryAmqpConnection *self)
{
    if (self->heartbeat_s == 0)
        return G_MAXINT64;
    gint64 heartbeat_us = (gint64)self->heartbeat_s * G_USEC_PER_SEC;
    /* The library sends a heartbeat when it is called after a whole period without output, and the
     * broker closes after two periods without input: a call every three quarters of a period is
     * early enough. The broker's own heartbeats come every half period, so they alone wake the
     * thread of an idle connection. */
    gint64 next_call_us = self->served_us + heartbeat_us * 3 / 4;
    /* The library gives the connection up after two periods without input: call it right after. */
    gint64 silence_us = self->received_us + 2 * heartbeat_us + G_USEC_PER_SEC / 20;
    return silence_us > self->served_us ? MIN(next_call_us, silence_us) : next_call_us;
}
