/* link.h: keeps a connection to one of the brokers: chooses one, opens a connection, and after a
 * loss tries again with growing pauses. Logs what happens.
 *
 * Threads: its owner's. Another one may create and free it while the owner's does not run.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-connection.h"
#include "transport.h"
#include "wakeup.h"

typedef struct FerryLink FerryLink;

/* Called in the owner's thread. */
typedef struct {
    /* A connection is open: declare what is needed. Returns: false to close it again. */
    bool (*setup)(FerryAmqpConnection *connection, gpointer user_data, GError **error);
    /* setup() succeeded: the connection can be used. */
    void (*up)(gpointer user_data);
    /* A try failed, or the connection was lost. @reason: FERRY_ERROR_CONFIG when the broker
     * refused us. */
    void (*down)(const GError *reason, gpointer user_data);
} FerryLinkEvents;

/** @purpose: for logs and the broker's list of connections. @events: must outlive the link. */
FerryLink *ferry_link_new(FerryTransport *transport,
                          const char *purpose,
                          const FerryLinkEvents *events,
                          gpointer user_data);
void ferry_link_free(FerryLink *link);

/** Connects if there is no connection and the pause is over. Blocks some seconds at most.
 * Returns: (transfer none) (nullable): the connection; NULL while there is none. */
FerryAmqpConnection *ferry_link_tend(FerryLink *link);

/** Returns: (transfer none) (nullable): the connection, if there is one. */
FerryAmqpConnection *ferry_link_connection(const FerryLink *link);

/** The connection failed: frees it. A ferry_link_tend() a second later opens a new one; the pause
 * grows while connections do not live for ten seconds. @by_message: what was published may be the
 * reason: the pause stays, so that the others do not wait for it. */
void ferry_link_fail(FerryLink *link, const GError *reason, bool by_message);

/** Closes the connection, if there is one. */
void ferry_link_close(FerryLink *link);

/** Sleeps until the broker sends something, @wakeup is signalled, a heartbeat or the next try is
 * due, or @deadline_us. */
void ferry_link_wait(FerryLink *link, FerryWakeup *wakeup, gint64 deadline_us);
