/* request.h: one message that asks for something, whichever dialect it came in.
 *
 * The bus makes it, the agent answers it. Reference counted; every function may be called from any
 * thread, none blocks: answers and acknowledgements are handed to the bus' own threads.
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

/** Returns: (transfer none) (nullable): what names this message in a redelivery too (oslo's
 * _unique_id, AMQP's message_id), or NULL where the sender gave nothing. */
const char *ferry_request_identity(const FerryRequest *request);

/** Returns: (transfer none): the context's request_id for logs, or "-". Never a token. */
const char *ferry_request_log_id(const FerryRequest *request);

/** Acknowledges the delivery. An order calls it once its journal entry is on disk; everything else
 * is acknowledged on arrival by the bus. Calling it twice is harmless. */
void ferry_request_ack(FerryRequest *request);

/** Answers with @result: (transfer full), NULL is JSON null; acknowledges too. The first answer
 * counts, later ones are dropped in silence. A cast's answer goes nowhere. */
void ferry_request_reply(FerryRequest *request, json_t *result);

/** Answers with a failure; acknowledges too. @error: (transfer none). A cast's is logged. */
void ferry_request_fail(FerryRequest *request, const GError *error);
