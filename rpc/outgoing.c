#include "config.h"

#include "outgoing.h"

#include "envelope.h"
#include "ferry/json.h"
#include "unique-id.h"

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

bool
ferry_outgoing_encode(FerryOutgoing *outgoing)
{
    bool fresh =
        outgoing->kind == FERRY_OUTGOING_NOTIFICATION || outgoing->kind == FERRY_OUTGOING_SAMPLE;
    g_autoptr(FerryJson) document =
        fresh ? with_fresh_id(outgoing->document) : json_incref(outgoing->document);

    g_free(outgoing->body);
    outgoing->body = outgoing->enveloped ? ferry_envelope_seal(document)
                                         : json_dumps(document, JSON_ENSURE_ASCII);
    return outgoing->body != NULL;
}
