#include "config.h"

#include "outgoing.h"

#include "envelope.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/messaging-options.h"
#include "reply-bare.h"
#include "reply-oslo.h"
#include "unique-id.h"

#include <string.h>

FerryOutgoing *
ferry_outgoing_new(FerryOutgoingKind kind,
                   const char *exchange,
                   const char *routing_key,
                   json_t *document)
{
    FerryOutgoing *outgoing = g_new0(FerryOutgoing, 1);

    outgoing->kind = kind;
    outgoing->exchange = g_strdup(exchange);
    outgoing->routing_key = g_strdup(routing_key);
    outgoing->document = document;
    outgoing->enveloped = true;
    return outgoing;
}

void
ferry_outgoing_free(FerryOutgoing *outgoing)
{
    if (!outgoing)
        return;
    if (outgoing->destroy)
        outgoing->destroy(outgoing->user_data);
    json_decref(outgoing->document);
    g_free(outgoing->exchange);
    g_free(outgoing->routing_key);
    g_free(outgoing->correlation_id);
    g_free(outgoing->reply_to);
    g_free(outgoing->replace_key);
    g_free(outgoing->body);
    g_free(outgoing);
}

static json_t *
with_fresh_id(const json_t *document)
{
    /* A shallow copy: its values may be in use elsewhere, and are only read here. */
    json_t *copy = json_copy((json_t *)document);
    g_autofree char *id = ferry_unique_id_new();

    json_object_set_new(copy, "_unique_id", json_string(id));
    return copy;
}

/* @document is an answer. Returns: (transfer full): one to the same caller that says how long it
 * was. */
static json_t *
too_long(const FerryOutgoing *outgoing)
{
    const char *msg_id = ferry_json_get_string(outgoing->document, "_msg_id");
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_INVALID_REQUEST,
                                              "Ask for less at once, as with limit and marker",
                                              "The answer has %zu bytes, of %d that are sent",
                                              strlen(outgoing->body), FERRY_OUTGOING_MAX_BYTES);
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);

    g_warning("An answer for \"%.80s\" is replaced by an error: %s", outgoing->routing_key,
              error->message);
    return outgoing->enveloped ? ferry_reply_oslo_failure(msg_id, failure)
                               : ferry_reply_bare_error(failure);
}

static char *
body_of(const FerryOutgoing *outgoing, const json_t *document)
{
    return outgoing->enveloped ? ferry_envelope_seal(document)
                               : json_dumps(document, JSON_ENSURE_ASCII);
}

const char *
ferry_outgoing_flaw(const FerryOutgoing *outgoing)
{
    if (strlen(outgoing->routing_key) > FERRY_AMQP_NAME_MAX ||
        strlen(outgoing->exchange) > FERRY_AMQP_NAME_MAX)
        return "its address is too long for AMQP";
    if (outgoing->correlation_id && strlen(outgoing->correlation_id) > FERRY_AMQP_NAME_MAX)
        return "its correlation id is too long for AMQP";
    return strlen(outgoing->body) > FERRY_OUTGOING_MAX_BYTES ? "it is too long" : NULL;
}

bool
ferry_outgoing_encode(FerryOutgoing *outgoing)
{
    bool fresh =
        outgoing->kind == FERRY_OUTGOING_NOTIFICATION || outgoing->kind == FERRY_OUTGOING_SAMPLE;
    g_autoptr(FerryJson) document =
        fresh ? with_fresh_id(outgoing->document) : json_incref(outgoing->document);

    g_free(outgoing->body);
    outgoing->body = body_of(outgoing, document);
    if (outgoing->body && outgoing->kind == FERRY_OUTGOING_ANSWER &&
        strlen(outgoing->body) > FERRY_OUTGOING_MAX_BYTES) {
        json_t *error = too_long(outgoing);

        json_decref(outgoing->document);
        outgoing->document = error;
        g_free(outgoing->body);
        outgoing->body = body_of(outgoing, error);
    }
    return outgoing->body != NULL;
}
