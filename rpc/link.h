/* link.h: a connection that comes back: the list of brokers, back-off, and what to say about it.
 *
 * Threads: one owns it; new and free may be in another while that one does not run.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-connection.h"
#include "transport.h"
#include "wakeup.h"

typedef struct FerryLink FerryLink;

/* All called in the owner's thread. */
typedef struct {
    /* Logged in: declare what is needed; false ends the connection again. */
    bool (*setup)(FerryAmqpConnection *connection, gpointer user_data, GError **error);
    /* setup succeeded: the link stands. */
    void (*up)(gpointer user_data);
    /* A try failed, or a standing link was lost. FERRY_ERROR_CONFIG: the broker refused us. */
    void (*down)(const GError *reason, gpointer user_data);
} FerryLinkEvents;

/** @purpose: for logs and the broker's list of connections. @events: must outlive the link. */
FerryLink *ferry_link_new(FerryTransport *transport,
                          const char *purpose,
                          const FerryLinkEvents *events,
                          gpointer user_data);
void ferry_link_free(FerryLink *link);

/** Connects if it is time to try. Blocks as long as a try does, some seconds at most.
 * Returns: (transfer none) (nullable): the connection; NULL while there is none. */
FerryAmqpConnection *ferry_link_tend(FerryLink *link);

/** Returns: (transfer none) (nullable): the connection, without trying for one. */
FerryAmqpConnection *ferry_link_connection(const FerryLink *link);

/** The connection failed: drops it; a new one is tried after a second. */
void ferry_link_fail(FerryLink *link, const GError *reason);

/** Takes leave of the broker, if there is one. */
void ferry_link_close(FerryLink *link);

/** Sleeps until the broker, @wakeup, a heartbeat, the next try or @deadline_us. */
void ferry_link_wait(FerryLink *link, FerryWakeup *wakeup, gint64 deadline_us);
