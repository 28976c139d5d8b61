/* amqp-connection.h: one connection to one broker, with one channel, from login to its loss.
 *
 * Threads: the one that opened it, for everything. Never reconnects; see link.h.
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
    FERRY_AMQP_NOTHING,   /* nothing more has come */
    FERRY_AMQP_DELIVERY,  /* delivery */
    FERRY_AMQP_RETURNED,  /* exchange, routing_key, delivery.body */
    FERRY_AMQP_CONFIRMED, /* tag, multiple */
    FERRY_AMQP_REFUSED,   /* tag, multiple: the broker could not take the message */
    FERRY_AMQP_BLOCKED,   /* the broker reads no more messages of ours for a while */
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

/** Takes leave of the broker, a few seconds at most, and frees. */
void ferry_amqp_connection_close(FerryAmqpConnection *connection);

/** From now on the broker gets two seconds for each answer: for the way out. */
void ferry_amqp_connection_hurry(FerryAmqpConnection *connection);

/** Drops the connection without a word. */
void ferry_amqp_connection_free(FerryAmqpConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAmqpConnection, ferry_amqp_connection_free)

/** Returns: (transfer none): for the library's calls; check each with the next function. */
amqp_connection_state_t ferry_amqp_connection_state(FerryAmqpConnection *connection);

/** Returns: true when the last synchronous call of the library succeeded. @what: what was tried. */
bool ferry_amqp_connection_check(FerryAmqpConnection *connection,
                                 const char *what,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_amqp_connection_next:
 * Takes what has come, never waits; sends and checks heartbeats on the way. It must be called
 * until it says FERRY_AMQP_NOTHING before the socket is polled: bytes may lie in buffers of the
 * library and of TLS where poll() does not see them.
 * @error: the connection is lost, or the broker cancelled a consumer of ours
 */
bool ferry_amqp_connection_next(FerryAmqpConnection *connection,
                                FerryAmqpEvent *ret_event,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Tells that poll() saw input, of which heartbeats leave no other trace. */
void ferry_amqp_connection_note_input(FerryAmqpConnection *connection);

int ferry_amqp_connection_fd(const FerryAmqpConnection *connection);

/** Returns: g_get_monotonic_time() by which ferry_amqp_connection_next() must be called again, or
 * G_MAXINT64 without heartbeats. */
gint64 ferry_amqp_connection_deadline(const FerryAmqpConnection *connection);
