/* arguments.h: what an order's request says beside its single fields (those: json-field.h), and the
 * shape of an answer. Threads: any.
 */
#pragma once

#include "methods/call.h"

/** Returns: (transfer full): `migration_id`, in lower case, of an order that need not have one: the
 * id then follows from what names the message, so that its redelivery starts nothing twice. NULL
 * with @error. */
char *ferry_argument_id_or_new(const FerryMethodCall *call, GError **error);

/** Returns: (transfer full): {method, args}, as the journal keeps an order. */
json_t *ferry_argument_order(const FerryMethodCall *call);

/** Returns: (transfer full): @document with itself under @name: a document that is the whole answer
 * and has a name in the protocol is found both ways. NULL where @document (transfer full) is. */
json_t *ferry_answer_named(const char *name, json_t *document);
