/* amqp-error.h: what went wrong with the broker, told as an error that says what to do. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"

/* FERRY_ERROR_CONFIG when trying again will not help: a login, a vhost or a declaration refused.
 * FERRY_ERROR_DESTINATION_UNREACHABLE for everything that may be better the next time. */

/** @status: an amqp_status_enum. */
void ferry_amqp_set_status_error(GError **error, int status, const char *what);

/** Returns: true when @reply is the normal one. */
bool ferry_amqp_check_reply(amqp_rpc_reply_t reply, const char *what, GError **error);

/** The broker closed the connection or the channel with @code and @text. */
void ferry_amqp_set_close_error(GError **error, int code, amqp_bytes_t text, const char *what);
