/* network.h: libvirt's networks in XML. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * ferry_netxml_parse:
 * @xml: a <network>
 * @ret_forward: (out) (transfer full): the forward mode; NULL: isolated
 * @ret_bridge: (out) (transfer full): the bridge's name; NULL where there is none
 * @error: FERRY_ERROR_INVALID_REQUEST: not a network
 */
bool ferry_netxml_parse(const char *xml, char **ret_forward, char **ret_bridge, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
