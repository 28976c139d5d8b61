/* amqp-error.h: turns what rabbitmq-c and the broker report into errors of ours. Pure.
 *
 * The code is FERRY_ERROR_CONFIG when trying again will not help (a login, a vhost or a declaration
 * was refused), else FERRY_ERROR_DESTINATION_UNREACHABLE. @what says what was tried.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"

/** Returns: (transfer none): what @status means: errno's sentence where it is one of a connection
 * and rabbitmq-c says no more than "a socket error occurred". Call it right after the failure. */
const char *ferry_amqp_status_text(int status);

/** @status: an amqp_status_enum; right after the failure. */
void ferry_amqp_set_status_error(GError **error, int status, const char *what);

/** Returns: true when @reply says that the call succeeded. */
bool ferry_amqp_check_reply(amqp_rpc_reply_t reply, const char *what, GError **error);

/** The broker closed the connection or the channel with @code and @text. */
void ferry_amqp_set_close_error(GError **error, int code, amqp_bytes_t text, const char *what);
