/* arguments.h: what the methods of agent/methods/ read from a request, and the shape of an answer.
 *
 * Arguments come from strangers: every reader checks the type and the size, and refuses with
 * FERRY_ERROR_INVALID_REQUEST, which names the argument. Threads: any.
 */
#pragma once

#include "ferry/request.h"

/** Returns: (transfer none): a string of 1 to 256 bytes without control characters; NULL with
 * @error. */
const char *ferry_argument_name(json_t *args, const char *key, GError **error);

/** As ferry_argument_name(), for one that may be absent or null: *ret_text is NULL then. */
bool
ferry_argument_optional_name(json_t *args, const char *key, const char **ret_text, GError **error);

/** Returns: (transfer none): an object; NULL with @error. */
json_t *ferry_argument_object(json_t *args, const char *key, GError **error);

/** Returns: (transfer full): `migration_id`, in lower case; NULL with @error. */
char *ferry_argument_id(json_t *args, GError **error);

/** As ferry_argument_id(), for an order that need not have one: the id then follows from what
 * names the message, so that its redelivery starts nothing twice. */
char *ferry_argument_id_or_new(FerryRequest *request, GError **error);

/** Returns: (transfer full): {method, args}, as the journal keeps an order. */
json_t *ferry_argument_order(FerryRequest *request);

/** Returns: (transfer full): @document with itself under @name: a document that is the whole answer
 * and has a name in the protocol is found both ways. NULL where @document (transfer full) is. */
json_t *ferry_answer_named(const char *name, json_t *document);
