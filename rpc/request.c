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
    FerryReceipt *receipt; /* nullable */
    guint64 pulse;
    /* Atomic. */
    gint answered;
};

FerryRequest *
ferry_request_new(FerryIncoming *incoming,
                  FerryAddressing addressing,
                  FerryPublisher *publisher,
                  FerryReceipt *receipt)
{
    FerryRequest *request = g_atomic_rc_box_new0(FerryRequest);
    json_t *args = json_object_get(incoming->message, "args");
    request->incoming = incoming;
    request->args = json_is_object(args) ? json_incref(args) : json_object();
    request->addressing = addressing;
    request->publisher = ferry_publisher_ref(publisher);
    request->receipt = receipt;
    if (incoming->beat_ms > 0 && incoming->reply_queue != NULL)
        request->pulse = ferry_publisher_add_pulse(publisher, incoming->reply_queue,
                                                   incoming->msg_id, incoming->beat_ms);
    return request;
}

FerryRequest *
ferry_request_ref(FerryRequest *request)
{
    return g_atomic_rc_box_acquire(request);
}

static void
request_clear(gpointer data)
{
    FerryRequest *request = data;
    if (g_atomic_int_get(&request->answered) == 0) {
        g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_INTERNAL, NULL,
                                                  "The request was dropped without an answer");
        ferry_request_fail(request, error);
    }
    ferry_incoming_free(request->incoming);
    json_decref(request->args);
    ferry_publisher_unref(request->publisher);
    g_clear_pointer(&request->receipt, ferry_receipt_unref);
}

void
ferry_request_unref(FerryRequest *request)
{
    g_atomic_rc_box_release_full(request, request_clear);
}

const char *
ferry_request_method(const FerryRequest *request)
{
    const char *method = ferry_json_get_string(request->incoming->message, "method");
    return method != NULL ? method : "?";
}

json_t *
ferry_request_args(const FerryRequest *request)
{
    return request->args;
}

FerryAddressing
ferry_request_addressing(const FerryRequest *request)
{
    return request->addressing;
}

const char *
ferry_request_identity(const FerryRequest *request)
{
    return request->incoming->identity;
}

const char *
ferry_request_log_id(const FerryRequest *request)
{
    return request->incoming->log_id;
}

void
ferry_request_ack(FerryRequest *request)
{
    if (request->receipt != NULL)
        ferry_receipt_settle(request->receipt);
}

bool
ferry_request_is_owing(const FerryRequest *request)
{
    return request->receipt != NULL && !ferry_receipt_is_settled(request->receipt);
}

/* Returns: true for the first answer, which is the one that counts. */
static bool
claim_answer(FerryRequest *request)
{
    return g_atomic_int_compare_and_exchange(&request->answered, 0, 1);
}

/* @document: (transfer full). */
static void
send_answer(FerryRequest *request, json_t *document)
{
    const FerryIncoming *incoming = request->incoming;
    if (incoming->reply_queue == NULL) {
        g_message("Request %s names no queue for its answer", incoming->log_id);
        json_decref(document);
        return;
    }
    FerryOutgoing *answer =
        ferry_outgoing_new(FERRY_OUTGOING_ANSWER, "", incoming->reply_queue, document);
    answer->enveloped = incoming->dialect == FERRY_DIALECT_OSLO;
    answer->correlation_id = g_strdup(incoming->correlation_id);
    answer->pulse = request->pulse;
    ferry_publisher_push(request->publisher, answer);
}

void
ferry_request_reply(FerryRequest *request, json_t *result)
{
    const FerryIncoming *incoming = request->incoming;
    if (!claim_answer(request)) {
        json_decref(result);
        return;
    }
    ferry_request_ack(request);
    if (!ferry_incoming_is_call(incoming))
        json_decref(result);
    else if (incoming->dialect == FERRY_DIALECT_OSLO)
        send_answer(request, ferry_reply_oslo_result(incoming->msg_id, result));
    else
        send_answer(request, ferry_reply_bare_result(result));
}

void
ferry_request_refuse(FerryRequest *request, const FerryFailure *failure)
{
    const FerryIncoming *incoming = request->incoming;
    if (!claim_answer(request))
        return;
    ferry_request_ack(request);
    if (!ferry_incoming_is_call(incoming))
        g_warning("Cast %s of %.64s failed: %s: %s", incoming->log_id,
                  ferry_request_method(request), failure->class_name, failure->message);
    else if (incoming->dialect == FERRY_DIALECT_OSLO)
        send_answer(request, ferry_reply_oslo_failure(incoming->msg_id, failure));
    else
        send_answer(request, ferry_reply_bare_error(failure));
}

void
ferry_request_fail(FerryRequest *request, const GError *error)
{
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);
    ferry_request_refuse(request, failure);
}

void
ferry_request_abandon(FerryRequest *request)
{
    (void)claim_answer(request);
}
