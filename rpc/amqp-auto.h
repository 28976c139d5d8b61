/* amqp-auto.h: includes rabbitmq-c, which moved its headers in 0.12, and defines the cleanup of its
 * connections. */
#pragma once

#include "config.h"

#include <glib.h>

/* rabbitmq-c's headers use struct timeval and do not include it. */
#include <sys/time.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

/* The library's own name for a connection is a pointer, which g_autoptr() cannot take. */
typedef struct amqp_connection_state_t_ FerryAmqpState;

static inline void
ferry_amqp_state_destroy(FerryAmqpState *state)
{
    if (state)
        (void)amqp_destroy_connection(state);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAmqpState, ferry_amqp_state_destroy)
