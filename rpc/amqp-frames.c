#include "config.h"

#include "amqp-frames.h"

#include "amqp-error.h"
#include "envelope.h"
#include "ferry/error.h"

#include <string.h>

/* No broker carries a larger message; one that is announced could only stop us from reading what
 * follows. */
#define BODY_MAX_BYTES (G_GUINT64_CONSTANT(2) << 30)
/* The class is the upper half of a method's number. */
#define CLASS_OF(method) ((method) >> 16)
#define METHOD_OF(class_id, method_id) (((amqp_method_number_t)(class_id) << 16) | (method_id))

struct FerryAmqpFrames {
    /* A message whose frames have not all come yet; FERRY_AMQP_NOTHING when there is none. */
    FerryAmqpEvent partial;
    bool has_header;
    guint64 missing;
    GByteArray *body;
};

FerryAmqpFrames *
ferry_amqp_frames_new(void)
{
    FerryAmqpFrames *self = g_new0(FerryAmqpFrames, 1);

    self->body = g_byte_array_new();
    return self;
}

void
ferry_amqp_frames_free(FerryAmqpFrames *self)
{
    if (!self)
        return;
    ferry_amqp_event_clear(&self->partial);
    g_byte_array_unref(self->body);
    g_free(self);
}

void
ferry_amqp_event_clear(FerryAmqpEvent *event)
{
    g_clear_pointer(&event->exchange, g_free);
    g_clear_pointer(&event->routing_key, g_free);
    ferry_delivery_clear(&event->delivery);
}

bool
ferry_amqp_set_breach(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *how = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE,
                    "See what answers at this address, and what stands between",
                    "The broker broke the protocol: %s", how);
    return false;
}

static char *
copy_text(amqp_bytes_t bytes)
{
    return g_strndup(bytes.bytes, bytes.len);
}

/* --- messages --------------------------------------------------------------------------------- */

static void
begin_delivery(FerryAmqpFrames *self, const amqp_basic_deliver_t *method)
{
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
begin_return(FerryAmqpFrames *self, const amqp_basic_return_t *method)
{
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
finish_message(FerryAmqpFrames *self, FerryAmqpEvent *ret_event)
{
    FerryDelivery *delivery = &self->partial.delivery;

    if (delivery->body_size <= FERRY_ENVELOPE_MAX_BYTES) {
        delivery->body = g_byte_array_free_to_bytes(self->body);
        self->body = g_byte_array_new();
    }
    *ret_event = self->partial;
    self->partial = (FerryAmqpEvent){.kind = FERRY_AMQP_NOTHING};
    self->has_header = false;
}

static bool
take_header(FerryAmqpFrames *self,
            const amqp_frame_t *frame,
            FerryAmqpEvent *ret_event,
            GError **error)
{
    FerryDelivery *delivery = &self->partial.delivery;
    const guint class_id = frame->payload.properties.class_id;
    const guint64 size = frame->payload.properties.body_size;

    if (self->partial.kind == FERRY_AMQP_NOTHING || self->has_header)
        return ferry_amqp_set_breach(error, "a content header without a message");
    /* The decoded properties of another class are another struct. */
    if (class_id != AMQP_BASIC_CLASS)
        return ferry_amqp_set_breach(error, "a content header of class %u", class_id);
    if (size > BODY_MAX_BYTES)
        return ferry_amqp_set_breach(error, "a message of %" G_GUINT64_FORMAT " bytes", size);
    self->has_header = true;
    take_properties(delivery, frame->payload.properties.decoded);
    delivery->body_size = self->missing = size;
    g_byte_array_unref(self->body);
    self->body = g_byte_array_sized_new((guint)MIN(size, FERRY_ENVELOPE_MAX_BYTES));
    if (self->missing == 0)
        finish_message(self, ret_event);
    return true;
}

static bool
take_body(FerryAmqpFrames *self,
          const amqp_frame_t *frame,
          FerryAmqpEvent *ret_event,
          GError **error)
{
    const amqp_bytes_t part = frame->payload.body_fragment;

    if (!self->has_header)
        return ferry_amqp_set_breach(error, "a body without a content header");
    if (part.len > self->missing)
        return ferry_amqp_set_breach(
            error, "a body that is longer than the %" G_GUINT64_FORMAT " bytes announced",
            self->partial.delivery.body_size);
    /* The bytes of a body over the limit are counted, not kept. */
    if (self->partial.delivery.body_size <= FERRY_ENVELOPE_MAX_BYTES)
        g_byte_array_append(self->body, part.bytes, (guint)part.len);
    self->missing -= part.len;
    if (self->missing == 0)
        finish_message(self, ret_event);
    return true;
}

/* --- methods ---------------------------------------------------------------------------------- */

static bool
set_unexpected(GError **error, const amqp_method_t *method, guint channel)
{
    const char *name = amqp_method_name(method->id);

    return ferry_amqp_set_breach(error, "unexpected method %s on channel %u",
                                 name ? name : "without a name", channel);
}

static bool
take_connection_method(const amqp_method_t *method, FerryAmqpEvent *ret_event, GError **error)
{
    if (method->id == AMQP_CONNECTION_BLOCKED_METHOD) {
        ret_event->kind = FERRY_AMQP_BLOCKED;
        return true;
    }
    if (method->id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
        ret_event->kind = FERRY_AMQP_UNBLOCKED;
        return true;
    }
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *closed = method->decoded;

        ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, "Connection");
        return false;
    }
    return set_unexpected(error, method, 0);
}

static bool
take_channel_close(const amqp_channel_close_t *closed, GError **error)
{
    if (METHOD_OF(closed->class_id, closed->method_id) == AMQP_BASIC_PUBLISH_METHOD)
        /* That message's fault, and no setting's. */
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
                        "The broker refused a message with %d: %.*s", closed->reply_code,
                        (int)closed->reply_text.len, (const char *)closed->reply_text.bytes);
    else
        ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, "Channel");
    return false;
}

static bool
take_channel_method(FerryAmqpFrames *self,
                    const amqp_method_t *method,
                    FerryAmqpEvent *ret_event,
                    GError **error)
{
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
    case AMQP_BASIC_CANCEL_METHOD:
        /* The queue was deleted or moved: a new connection declares everything again. */
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
                        "The broker cancelled a consumer: its queue is gone");
        return false;
    case AMQP_BASIC_CONSUME_OK_METHOD:
        ret_event->kind = FERRY_AMQP_CONSUMING;
        return true;
    case AMQP_CHANNEL_CLOSE_METHOD:
        return take_channel_close(method->decoded, error);
    default:
        return set_unexpected(error, method, FERRY_AMQP_CHANNEL);
    }
}

static bool
take_method(FerryAmqpFrames *self,
            const amqp_frame_t *frame,
            FerryAmqpEvent *ret_event,
            GError **error)
{
    const amqp_method_t *method = &frame->payload.method;
    const bool of_connection = CLASS_OF(method->id) == CLASS_OF(AMQP_CONNECTION_CLOSE_METHOD);

    if (of_connection != (frame->channel == 0))
        return set_unexpected(error, method, frame->channel);
    if (of_connection)
        return take_connection_method(method, ret_event, error);
    if (self->partial.kind != FERRY_AMQP_NOTHING && method->id != AMQP_CHANNEL_CLOSE_METHOD)
        return ferry_amqp_set_breach(error, "a message that ends before its announced size");
    return take_channel_method(self, method, ret_event, error);
}

bool
ferry_amqp_frames_take(FerryAmqpFrames *self,
                       const amqp_frame_t *frame,
                       FerryAmqpEvent *ret_event,
                       GError **error)
{
    *ret_event = (FerryAmqpEvent){.kind = FERRY_AMQP_NOTHING};
    if (frame->channel != 0 && frame->channel != FERRY_AMQP_CHANNEL)
        return ferry_amqp_set_breach(error, "a frame on channel %u, which is not open",
                                     frame->channel);
    if (frame->frame_type == AMQP_FRAME_METHOD)
        return take_method(self, frame, ret_event, error);
    if (frame->channel == 0)
        return ferry_amqp_set_breach(error, "content on channel 0");
    if (frame->frame_type == AMQP_FRAME_HEADER)
        return take_header(self, frame, ret_event, error);
    if (frame->frame_type == AMQP_FRAME_BODY)
        return take_body(self, frame, ret_event, error);
    return ferry_amqp_set_breach(error, "a frame of type %u", frame->frame_type);
}
