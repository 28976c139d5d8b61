/* envelope.h: opens and seals the body of a message: oslo.messaging's envelope 2.0, its older form
 * without one, or bare JSON.
 *
 * Pure. Bodies come from strangers: size, depth and the number of values are limited, and no error
 * quotes them.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Longer bodies are refused unread. */
#define FERRY_ENVELOPE_MAX_BYTES (4 * 1024 * 1024)

/**
 * ferry_envelope_open:
 * @ret_enveloped: (out): true when the document came in an envelope
 * @error: FERRY_ERROR_INVALID_REQUEST with the reason
 * Returns: (transfer full): the message, an object.
 */
json_t *ferry_envelope_open(const char *body, gsize length, bool *ret_enveloped, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_envelope_salvage:
 *
 * Python writes numbers and texts that other parsers refuse (NaN, integers of any size, lone
 * surrogates), and its caller waits for an answer nevertheless. This function finds what the answer
 * needs without parsing the rest.
 * Returns: (transfer full) (nullable): an object of what was found among "_msg_id", "_reply_q" and
 * "_unique_id"; NULL when there is no "_msg_id".
 */
json_t *ferry_envelope_salvage(const char *body, gsize length);

/** Returns: (transfer full): @message in an envelope, ASCII only. */
char *ferry_envelope_seal(const json_t *message);

/**
 * ferry_envelope_inflate:
 * @compression: the message's header of this name
 * @error: FERRY_ERROR_INVALID_REQUEST when it is unknown, or the body is
 *   broken or too long
 * Returns: (transfer full): the plain body.
 */
GBytes *ferry_envelope_inflate(GBytes *body,
                               const char *compression,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
