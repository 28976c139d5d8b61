#include "config.h"

#include "delivery-handler.h"

#include "dedup.h"
#include "dispatch.h"
#include "ferry/json.h"
#include "load.h"
#include "request-origin.h"

/* oslo.messaging remembers 16. More cost nothing, and are enough for a longer outage. */
#define REMEMBERED 1024
/* Of all requests that are not done. */
#define LOAD_BYTES (24 * 1024 * 1024)
/* A body up to this is looked at in any case: it may be a ping, or nothing that would be run. */
#define SMALL_BYTES 4096

struct FerryDeliveryHandler {
    const FerryMethod *methods;
    FerryPublisher *publisher;
    FerryPendingAcks *acks;
    FerryLoad *load;
    FerryDedup *seen;
    GHashTable *owed; /* identity -> FerryPendingAck not settled yet */
};

FerryDeliveryHandler *
ferry_delivery_handler_new(const FerryMethod *methods,
                           FerryPublisher *publisher,
                           FerryPendingAcks *acks)
{
    FerryDeliveryHandler *self = g_new0(FerryDeliveryHandler, 1);

    self->methods = methods;
    self->publisher = ferry_publisher_ref(publisher);
    self->acks = ferry_pending_acks_ref(acks);
    self->load = ferry_load_new(LOAD_BYTES);
    self->seen = ferry_dedup_new(REMEMBERED);
    self->owed = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify)ferry_pending_ack_unref);
    return self;
}

void
ferry_delivery_handler_free(FerryDeliveryHandler *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->owed);
    ferry_dedup_free(self->seen);
    ferry_load_unref(self->load);
    ferry_pending_acks_unref(self->acks);
    ferry_publisher_unref(self->publisher);
    g_free(self);
}

void
ferry_delivery_handler_ack_settled(FerryDeliveryHandler *self, const FerryPendingAck *ack)
{
    if (ack->identity)
        g_hash_table_remove(self->owed, ack->identity);
}

/* A second copy: the first one is run and answered. If the first delivery is still to be
 * acknowledged but belongs to a lost connection, this one is acknowledged in its place. */
static FerryDeliveryAction
take_again(FerryDeliveryHandler *self,
           const FerryDelivery *delivery,
           const char *identity,
           guint generation)
{
    FerryPendingAck *ack = g_hash_table_lookup(self->owed, identity);

    g_debug("Message came again and is not run again");
    if (!ack || ack->generation == generation)
        return FERRY_DELIVERY_ACK;
    ack->generation = generation;
    ack->tag = delivery->tag;
    return FERRY_DELIVERY_HOLD;
}

static void
refuse(FerryDeliveryHandler *self,
       FerryIncoming *incoming,
       FerryAddressing addressing,
       const FerryFailure *failure)
{
    FerryRequest *request =
        ferry_request_new(incoming, addressing, self->publisher, /* ack= */ NULL, /* load= */ NULL);

    g_message("Request %s for %.64s refused: %s", ferry_request_log_id(request),
              ferry_request_method(request), failure->message);
    ferry_request_refuse(request, failure);
    ferry_request_unref(request);
}

static FerryDeliveryAction
refuse_broken(FerryDeliveryHandler *self, FerryIncoming *incoming, FerryAddressing addressing)
{
    g_autoptr(FerryFailure) failure =
        ferry_failure_stock("builtins", "ValueError", "%s", incoming->broken);

    refuse(self, incoming, addressing, failure);
    return FERRY_DELIVERY_REJECT;
}

/* @incoming: (transfer full). */
static FerryDeliveryAction
dispatch(FerryDeliveryHandler *self,
         FerryIncoming *incoming,
         FerryAddressing addressing,
         guint generation,
         guint64 tag,
         FerryRequest **ret_request)
{
    g_autoptr(FerryFailure) failure = NULL;
    const FerryMethod *method = NULL;

    if (!ferry_dispatch(self->methods, incoming->message, addressing, &method, &failure)) {
        incoming->heartbeat_ms = 0;
        refuse(self, incoming, addressing, failure);
        return FERRY_DELIVERY_ACK;
    }
    FerryPendingAck *ack = NULL;
    if ((method->flags & FERRY_METHOD_ORDER) != 0) {
        ack = ferry_pending_ack_new(self->acks, incoming->identity, generation, tag);
        if (ack->identity)
            g_hash_table_replace(self->owed, ack->identity, ferry_pending_ack_ref(ack));
    }
    FerryRequest *request =
        ferry_request_new(incoming, addressing, self->publisher, ack, self->load);
    if (g_str_equal(method->name, FERRY_STOCK_PING)) {
        ferry_request_reply(request, json_string("pong"));
        ferry_request_unref(request);
    } else {
        *ret_request = request;
    }
    return ack ? FERRY_DELIVERY_HOLD : FERRY_DELIVERY_ACK;
}

bool
ferry_delivery_handler_has_room(FerryDeliveryHandler *self)
{
    return ferry_load_fits(self->load, LOAD_BYTES / 2) &&
           !ferry_publisher_is_crowded(self->publisher);
}

/* Whether it would be run, and not at once: nothing else has to wait for room. */
static bool
takes_long(const FerryDeliveryHandler *self, const FerryIncoming *incoming)
{
    const char *name = ferry_json_get_string(incoming->message, "method");
    const FerryMethod *method = name ? ferry_dispatch_find(self->methods, name) : NULL;

    return method && (method->flags & FERRY_METHOD_AT_ONCE) == 0;
}

FerryDeliveryAction
ferry_delivery_handler_take(FerryDeliveryHandler *self,
                            const FerryDelivery *delivery,
                            FerryAddressing addressing,
                            guint generation,
                            FerryRequest **ret_request)
{
    g_autoptr(GError) error = NULL;

    *ret_request = NULL;
    if (delivery->body_size == 0) {
        g_debug("Empty message ignored");
        return FERRY_DELIVERY_ACK;
    }
    bool fits = ferry_load_fits(self->load, ferry_delivery_weight(delivery));
    if (ferry_publisher_is_crowded(self->publisher) || (!fits && delivery->body_size > SMALL_BYTES))
        return FERRY_DELIVERY_LATER;
    g_autoptr(FerryIncoming) incoming = ferry_incoming_parse(delivery, &error);
    if (incoming && !fits && takes_long(self, incoming))
        return FERRY_DELIVERY_LATER;
    if (!incoming) {
        g_warning("Message rejected: %s", error->message);
        return FERRY_DELIVERY_REJECT;
    }
    if (incoming->identity && !ferry_dedup_add(self->seen, incoming->identity))
        return take_again(self, delivery, incoming->identity, generation);
    if (incoming->broken)
        return refuse_broken(self, g_steal_pointer(&incoming), addressing);
    return dispatch(self, g_steal_pointer(&incoming), addressing, generation, delivery->tag,
                    ret_request);
}
