#include "config.h"

#include "ferry/request.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "reply-bare.h"
#include "reply-oslo.h"
#include "request-origin.h"

struct FerryRequest {
    /* Immutable. */
    FerryIncoming *incoming;
    json_t *args;
    FerryAddressing addressing;
    FerryPublisher *publisher;
    FerryPendingAck *pending_ack; /* nullable */
    FerryLoad *load;              /* nullable */
    guint64 heartbeat_id;
    /* Atomic. */
    gint answered;
};

FerryRequest *
ferry_request_new(FerryIncoming *incoming,
                  FerryAddressing addressing,
                  FerryPublisher *publisher,
                  FerryPendingAck *ack,
                  FerryLoad *load)
{
    FerryRequest *self = g_atomic_rc_box_new0(FerryRequest);
    json_t *args = json_object_get(incoming->message, "args");

    self->incoming = incoming;
    self->args = json_is_object(args) ? json_incref(args) : json_object();
    self->addressing = addressing;
    self->publisher = ferry_publisher_ref(publisher);
    self->pending_ack = ack;
    if (load) {
        self->load = ferry_load_ref(load);
        ferry_load_add(load, incoming->weight_bytes);
    }
    if (incoming->heartbeat_ms > 0 && incoming->reply_queue)
        self->heartbeat_id = ferry_publisher_add_heartbeat(
            publisher, incoming->reply_queue, incoming->msg_id, incoming->heartbeat_ms);
    return self;
}

FerryRequest *
ferry_request_ref(FerryRequest *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
request_clear(gpointer data)
{
    FerryRequest *self = data;
    gsize weight_bytes = self->incoming->weight_bytes;

    if (g_atomic_int_get(&self->answered) == 0) {
        g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_INTERNAL, NULL,
                                                  "The request was dropped without an answer");

        ferry_request_fail(self, error);
    }
    ferry_incoming_free(self->incoming);
    json_decref(self->args);
    ferry_publisher_unref(self->publisher);
    g_clear_pointer(&self->pending_ack, ferry_pending_ack_unref);
    if (self->load) {
        ferry_load_remove(self->load, weight_bytes);
        ferry_load_unref(self->load);
    }
}

void
ferry_request_unref(FerryRequest *self)
{
    g_atomic_rc_box_release_full(self, request_clear);
}

const char *
ferry_request_method(const FerryRequest *self)
{
    const char *method = ferry_json_get_string(self->incoming->message, "method");

    return method ? method : "?";
}

json_t *
ferry_request_args(const FerryRequest *self)
{
    return self->args;
}

FerryAddressing
ferry_request_addressing(const FerryRequest *self)
{
    return self->addressing;
}

const char *
ferry_request_identity(const FerryRequest *self)
{
    return self->incoming->identity;
}

const char *
ferry_request_log_id(const FerryRequest *self)
{
    return self->incoming->log_id;
}

void
ferry_request_ack(FerryRequest *self)
{
    if (self->pending_ack)
        ferry_pending_ack_settle(self->pending_ack);
}

bool
ferry_request_is_owing(const FerryRequest *self)
{
    return self->pending_ack && !ferry_pending_ack_is_settled(self->pending_ack);
}

/* Returns: true to the first caller, who may answer; false to all later ones. */
static bool
claim_answer(FerryRequest *self)
{
    return g_atomic_int_compare_and_exchange(&self->answered, 0, 1);
}

/* @document: (transfer full). */
static void
send_answer(FerryRequest *self, json_t *document)
{
    const FerryIncoming *incoming = self->incoming;

    if (!incoming->reply_queue) {
        g_message("Request %s names no queue for its answer", incoming->log_id);
        json_decref(document);
        return;
    }
    FerryOutgoing *answer =
        ferry_outgoing_new(FERRY_OUTGOING_ANSWER, "", incoming->reply_queue, document);
    answer->enveloped = incoming->dialect == FERRY_DIALECT_OSLO;
    answer->correlation_id = g_strdup(incoming->correlation_id);
    answer->heartbeat_id = self->heartbeat_id;
    ferry_publisher_push(self->publisher, answer);
}

void
ferry_request_reply(FerryRequest *self, json_t *result)
{
    const FerryIncoming *incoming = self->incoming;

    if (!claim_answer(self)) {
        json_decref(result);
        return;
    }
    ferry_request_ack(self);
    if (!ferry_incoming_is_call(incoming))
        json_decref(result);
    else if (incoming->dialect == FERRY_DIALECT_OSLO)
        send_answer(self, ferry_reply_oslo_result(incoming->msg_id, result));
    else
        send_answer(self, ferry_reply_bare_result(result));
}

void
ferry_request_refuse(FerryRequest *self, const FerryFailure *failure)
{
    const FerryIncoming *incoming = self->incoming;

    if (!claim_answer(self))
        return;
    ferry_request_ack(self);
    if (!ferry_incoming_is_call(incoming))
        g_warning("Cast %s of %.64s failed: %s: %s", incoming->log_id, ferry_request_method(self),
                  failure->class_name, failure->message);
    else if (incoming->dialect == FERRY_DIALECT_OSLO)
        send_answer(self, ferry_reply_oslo_failure(incoming->msg_id, failure));
    else
        send_answer(self, ferry_reply_bare_error(failure));
}

void
ferry_request_fail(FerryRequest *self, const GError *error)
{
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);

    ferry_request_refuse(self, failure);
}

void
ferry_request_abandon(FerryRequest *self)
{
    (void)claim_answer(self);
}
