/* request.h: a message that calls a method, in either dialect.
 *
 * The bus creates it, the agent answers it. Reference counted. Every function may be called from
 * any thread, and none blocks: the threads of the bus send answers and acknowledgements.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct FerryRequest FerryRequest;

typedef enum {
    FERRY_ADDRESSED_TO_SERVER, /* virt-ferry.HOST: this agent and no other */
    FERRY_ADDRESSED_TO_ANY,    /* virt-ferry: whoever takes it first */
    FERRY_ADDRESSED_TO_ALL,    /* fanout */
} FerryAddressing;

FerryRequest *ferry_request_ref(FerryRequest *request);
void ferry_request_unref(FerryRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRequest, ferry_request_unref)

const char *ferry_request_method(const FerryRequest *request);

/** Returns: (transfer none): always an object; immutable. */
json_t *ferry_request_args(const FerryRequest *request);

FerryAddressing ferry_request_addressing(const FerryRequest *request);

/** Returns: (transfer none) (nullable): an id that stays the same in a redelivery: oslo.messaging's
 * _unique_id or AMQP's message_id; NULL where the sender gave none. */
const char *ferry_request_identity(const FerryRequest *request);

/** Returns: (transfer none): the request_id of the context or the correlation id, for logs; "-" if
 * there is none. Never a token. */
const char *ferry_request_log_id(const FerryRequest *request);

/** Acknowledges the delivery of an order; call it once the journal has it on disk. The bus
 * acknowledges all other requests when they arrive. A second call does nothing. */
void ferry_request_ack(FerryRequest *request);

/** Answers with @result: (transfer full), NULL is JSON null; and acknowledges. Only the first
 * answer is sent, later ones are dropped. A cast has no answer. */
void ferry_request_reply(FerryRequest *request, json_t *result);

/** Answers with @error: (transfer none); and acknowledges. The error of a cast is logged. */
void ferry_request_fail(FerryRequest *request, const GError *error);
