/* amqp-connection.h: one connection to one broker, with one channel, from the login until it is
 * closed or lost. It is not opened again; link.h does that with a new one.
 *
 * Threads: the one that opened it, for everything.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"
#include "incoming.h"
#include "transport.h"

#define FERRY_AMQP_CHANNEL 1

typedef struct FerryAmqpConnection FerryAmqpConnection;

typedef enum {
    FERRY_AMQP_NOTHING,   /* no complete message or method is there */
    FERRY_AMQP_DELIVERY,  /* sets: delivery */
    FERRY_AMQP_RETURNED,  /* sets: exchange, routing_key, delivery.body */
    FERRY_AMQP_CONFIRMED, /* sets: tag, multiple */
    FERRY_AMQP_REFUSED,   /* sets: tag, multiple; the broker did not take it (basic.nack) */
    FERRY_AMQP_CONSUMING, /* what ferry_topology_await_replies() asked for is done */
    FERRY_AMQP_BLOCKED,   /* the broker is under alarm and reads nothing that we publish */
    FERRY_AMQP_UNBLOCKED,
} FerryAmqpEventKind;

/* Owned by the receiver. */
typedef struct {
    FerryAmqpEventKind kind;
    guint64 tag;
    bool multiple;
    char *exchange;
    char *routing_key;
    FerryDelivery delivery;
} FerryAmqpEvent;

void ferry_amqp_event_clear(FerryAmqpEvent *event);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryAmqpEvent, ferry_amqp_event_clear)

/**
 * ferry_amqp_connection_open:
 * @purpose: added to the program's name in the broker's list of connections
 * @error: FERRY_ERROR_CONFIG when refused, FERRY_ERROR_DESTINATION_UNREACHABLE otherwise
 * Blocks, some seconds at most. Returns: (transfer full): logged in, channel open.
 */
FerryAmqpConnection *ferry_amqp_connection_open(const FerryTransport *transport,
                                                const FerryBroker *broker,
                                                const char *purpose,
                                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Closes the connection as AMQP has it, which takes a few seconds at most, and frees it. */
void ferry_amqp_connection_close(FerryAmqpConnection *connection);

/** From now on calls wait two seconds at most for the broker, because the process is ending. */
void ferry_amqp_connection_shorten_timeout(FerryAmqpConnection *connection);

/** Closes the socket without telling the broker, and frees. */
void ferry_amqp_connection_free(FerryAmqpConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAmqpConnection, ferry_amqp_connection_free)

/** Returns: (transfer none): for synchronous calls of the library; check each of them with
 * ferry_amqp_connection_check(). */
amqp_connection_state_t ferry_amqp_connection_state(FerryAmqpConnection *connection);

/** @what: what was tried, for @error. Returns: true when the last synchronous call of the library
 * succeeded. */
bool ferry_amqp_connection_check(FerryAmqpConnection *connection,
                                 const char *what,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_amqp_connection_next:
 * Reads the next event without waiting, sends a heartbeat that is due and checks the broker's. Call
 * it until it gives FERRY_AMQP_NOTHING before you poll the socket: the library and TLS may hold
 * bytes in their buffers, where poll() does not see them.
 * @error: the connection is lost, or the broker cancelled a consumer of ours
 */
bool ferry_amqp_connection_next(FerryAmqpConnection *connection,
                                FerryAmqpEvent *ret_event,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** poll() saw input. The library swallows heartbeats, so this alone tells that the broker lives. */
void ferry_amqp_connection_note_input(FerryAmqpConnection *connection);

int ferry_amqp_connection_fd(const FerryAmqpConnection *connection);

/** Returns: g_get_monotonic_time() by which ferry_amqp_connection_next() must be called again, or
 * G_MAXINT64 without heartbeats. */
gint64 ferry_amqp_connection_deadline(const FerryAmqpConnection *connection);
