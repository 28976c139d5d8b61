#include "config.h"

#include "delivery-handler.h"

#include "dedup.h"
#include "dispatch.h"
#include "request-origin.h"

/* oslo.messaging remembers 16; more costs nothing and survives a longer outage. */
#define REMEMBERED 1024

struct FerryReception {
    const FerryMethod *methods;
    FerryPublisher *publisher;
    FerryReceipts *receipts;
    FerryDedup *seen;
    GHashTable *owed; /* identity -> FerryReceipt not settled yet */
};

FerryReception *
ferry_reception_new(const FerryMethod *methods, FerryPublisher *publisher, FerryReceipts *receipts)
{
    FerryReception *self = g_new0(FerryReception, 1);

    self->methods = methods;
    self->publisher = ferry_publisher_ref(publisher);
    self->receipts = ferry_receipts_ref(receipts);
    self->seen = ferry_dedup_new(REMEMBERED);
    self->owed =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)ferry_receipt_unref);
    return self;
}

void
ferry_reception_free(FerryReception *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->owed);
    ferry_dedup_free(self->seen);
    ferry_receipts_unref(self->receipts);
    ferry_publisher_unref(self->publisher);
    g_free(self);
}

void
ferry_reception_settled(FerryReception *self, const FerryReceipt *receipt)
{
    if (receipt->identity)
        g_hash_table_remove(self->owed, receipt->identity);
}

/* A second copy. Its first run answers; but if that has not been acknowledged and the broker now
 * hands the message over anew, this delivery is the one to acknowledge later. */
static FerryReceptionVerdict
take_again(FerryReception *self,
           const FerryDelivery *delivery,
           const char *identity,
           guint generation)
{
    FerryReceipt *receipt = g_hash_table_lookup(self->owed, identity);

    g_debug("Message came again and is not run again");
    if (!receipt || receipt->generation == generation)
        return FERRY_RECEPTION_ACK;
    receipt->generation = generation;
    receipt->tag = delivery->tag;
    return FERRY_RECEPTION_HOLD;
}

static void
refuse(FerryReception *self,
       FerryIncoming *incoming,
       FerryAddressing addressing,
       const FerryFailure *failure)
{
    FerryRequest *request =
        ferry_request_new(incoming, addressing, self->publisher, /* receipt= */ NULL);

    g_message("Request %s for %.64s refused: %s", ferry_request_log_id(request),
              ferry_request_method(request), failure->message);
    ferry_request_refuse(request, failure);
    ferry_request_unref(request);
}

static FerryReceptionVerdict
refuse_broken(FerryReception *self, FerryIncoming *incoming, FerryAddressing addressing)
{
    g_autoptr(FerryFailure) failure =
        ferry_failure_stock("builtins", "ValueError", "%s", incoming->broken);

    refuse(self, incoming, addressing, failure);
    return FERRY_RECEPTION_REJECT;
}

/* @incoming: (transfer full). */
static FerryReceptionVerdict
dispatch(FerryReception *self,
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
        return FERRY_RECEPTION_ACK;
    }
    FerryReceipt *receipt = NULL;
    if ((method->flags & FERRY_METHOD_ORDER) != 0) {
        receipt = ferry_receipt_new(self->receipts, incoming->identity, generation, tag);
        if (receipt->identity)
            g_hash_table_replace(self->owed, receipt->identity, ferry_receipt_ref(receipt));
    }
    FerryRequest *request = ferry_request_new(incoming, addressing, self->publisher, receipt);
    if (g_str_equal(method->name, FERRY_STOCK_PING)) {
        ferry_request_reply(request, json_string("pong"));
        ferry_request_unref(request);
    } else {
        *ret_request = request;
    }
    return receipt ? FERRY_RECEPTION_HOLD : FERRY_RECEPTION_ACK;
}

FerryReceptionVerdict
ferry_reception_take(FerryReception *self,
                     const FerryDelivery *delivery,
                     FerryAddressing addressing,
                     guint generation,
                     FerryRequest **ret_request)
{
    g_autoptr(GError) error = NULL;

    *ret_request = NULL;
    if (delivery->body_size == 0) {
        g_debug("Empty message ignored");
        return FERRY_RECEPTION_ACK;
    }
    g_autoptr(FerryIncoming) incoming = ferry_incoming_parse(delivery, &error);
    if (!incoming) {
        g_warning("Message rejected: %s", error->message);
        return FERRY_RECEPTION_REJECT;
    }
    if (incoming->identity && !ferry_dedup_add(self->seen, incoming->identity))
        return take_again(self, delivery, incoming->identity, generation);
    if (incoming->broken)
        return refuse_broken(self, g_steal_pointer(&incoming), addressing);
    return dispatch(self, g_steal_pointer(&incoming), addressing, generation, delivery->tag,
                    ret_request);
}
