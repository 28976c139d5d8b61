/* listen-address.h: could a program of this host listen there? Any thread; binds and lets go at
 * once.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_LISTEN_FREE,
    FERRY_LISTEN_FOREIGN, /* no address of this host */
    FERRY_LISTEN_TAKEN,   /* the port is in use */
    FERRY_LISTEN_UNKNOWN, /* a name, which is not looked up, or nothing that this host knows */
} FerryListen;

/** @address: an IP address. @port: 0 for any. */
FerryListen ferry_listen_address_try(const char *address, guint port);

/** Returns: true for an IP address that is this host's own: neither any nor loopback. */
bool ferry_listen_address_is_own(const char *address);
