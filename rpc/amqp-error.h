/* amqp-error.h: turns what rabbitmq-c and the broker report into errors of ours. Pure.
 *
 * The code is FERRY_ERROR_CONFIG when trying again will not help (a login, a vhost or a declaration
 * was refused), else FERRY_ERROR_DESTINATION_UNREACHABLE. @what says what was tried.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"

/** @status: an amqp_status_enum; right after the failure. Where rabbitmq-c says no more than "a
 * socket error occurred", and errno is one of a connection, its sentence is told. */
void ferry_amqp_set_status_error(GError **error, int status, const char *what);

/** Returns: true when @status is AMQP_STATUS_OK. */
bool
ferry_amqp_check_status(int status, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when @reply says that the call succeeded. */
bool ferry_amqp_check_reply(amqp_rpc_reply_t reply, const char *what, GError **error);

/** The broker closed the connection or the channel with @code and @text. */
void ferry_amqp_set_close_error(GError **error, int code, amqp_bytes_t text, const char *what);
