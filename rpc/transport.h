/* transport.h: what a transport_url says: the brokers, the users, the vhost and the options.
 *
 * Reference counted: both threads of a bus use it. Immutable once created, but for what the log was
 * told, which is locked inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/messaging-options.h"

typedef struct {
    char *host;
    guint16 port;
    char *user;
    char *password;
} FerryBroker;

typedef struct {
    GPtrArray *brokers; /* FerryBroker, at least one */
    char *vhost;
    FerryMessagingOptions *options; /* with the URL's query applied */
    char *program;
    GMutex lock;
    GHashTable *told; /* a set of texts */
} FerryTransport;

/**
 * ferry_transport_new:
 * @options: (transfer none): copied; its transport_url is parsed by oslo.messaging's rules
 * @program: shown in the broker's list of connections
 * @error: FERRY_ERROR_CONFIG; never quotes what could be part of a password
 * Returns: (transfer full).
 */
FerryTransport *ferry_transport_new(const FerryMessagingOptions *options,
                                    const char *program,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
FerryTransport *ferry_transport_ref(FerryTransport *transport);
void ferry_transport_unref(FerryTransport *transport);

/** Both connections of a bus meet the same trouble, at each of the brokers and at every try.
 * Returns: true when @text is told for the first time since ferry_transport_forget_told(). */
bool ferry_transport_tell(FerryTransport *transport, const char *text);

/** A connection is there: trouble that comes after it is news. */
void ferry_transport_forget_told(FerryTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTransport, ferry_transport_unref)
