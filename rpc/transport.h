/* transport.h: what a transport_url says: the brokers, the users, the vhost and the options.
 *
 * Immutable once created, and reference counted: both threads of a bus use it.
 */
#pragma once

#include <glib.h>

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
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTransport, ferry_transport_unref)
