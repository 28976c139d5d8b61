/* order.h: the options of an order as the command line spells them, turned into the `options`
 * object of the protocol. What a value means is the agent's business; only its type is checked.
 * Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** Returns: (transfer full): --disks, --bandwidth ... and -o; parsing fills @options, an object
 * that must outlive the group. The same key twice with different values is an error. */
GOptionGroup *ferry_order_group_new(json_t *options);

/** Sets one key from its text on the command line, e.g. "--downtime" and "300"; @value is NULL for
 * options without one. @error: a G_OPTION_ERROR. */
bool ferry_order_set(json_t *options, const char *option, const char *value, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** Returns: the long name of an option without its dashes, by its index; NULL past the last one.
 * @ret_key: the key of the protocol that it sets; NULL where its value names the key. */
const char *ferry_order_option(guint index, const char **ret_key);
