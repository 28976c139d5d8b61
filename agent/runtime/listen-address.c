#include "config.h"

#include "runtime/listen-address.h"

#include <gio/gio.h>

static FerryListen
meaning_of(const GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        return FERRY_LISTEN_TAKEN;
    /* A low port is QEMU's to open, if it may; of the address that says nothing bad. */
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        return FERRY_LISTEN_FREE;
    return FERRY_LISTEN_FOREIGN;
}

FerryListen
ferry_listen_address_try(const char *address, guint port)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);
    g_autoptr(GSocket) socket =
        parsed ? g_socket_new(g_inet_address_get_family(parsed), G_SOCKET_TYPE_STREAM,
                              G_SOCKET_PROTOCOL_TCP, NULL)
               : NULL;

    if (!socket)
        return FERRY_LISTEN_UNKNOWN;

    g_autoptr(GSocketAddress) at = g_inet_socket_address_new(parsed, (guint16)port);

    return g_socket_bind(socket, at, /* allow_reuse= */ TRUE, &error) ? FERRY_LISTEN_FREE
                                                                      : meaning_of(error);
}

bool
ferry_listen_address_is_own(const char *address)
{
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);

    return parsed && !g_inet_address_get_is_any(parsed) &&
           !g_inet_address_get_is_loopback(parsed) &&
           ferry_listen_address_try(address, 0) == FERRY_LISTEN_FREE;
}
