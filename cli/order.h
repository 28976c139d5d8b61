/* order.h: turns the options of an order on the command line into the `options` object of the
 * protocol. It checks the types of values; the agent checks the rest. Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** Returns: (transfer full): --disks, --bandwidth ... and -o. Parsing the command line fills
 * @options, an object that must outlive the group. A key with two different values is an error. */
GOptionGroup *ferry_order_group_new(json_t *options);

/** Returns: (transfer full): likewise, of those alone that change what runs: --bandwidth,
 * --downtime, --policy and --max-pause. */
GOptionGroup *ferry_order_tuning_group_new(json_t *options);

/** Sets one key of @options, e.g. from @option "--downtime" and @value "300". @value: NULL for
 * options without one. @error: a G_OPTION_ERROR. */
bool ferry_order_set(json_t *options, const char *option, const char *value, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** Returns: the long name of an option without its dashes, by its index; NULL past the last one.
 * @ret_key: the key of the protocol that it sets; NULL where its value names the key. */
const char *ferry_order_option(guint index, const char **ret_key);
