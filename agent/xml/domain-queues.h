/* domain-queues.h: how long a definition wants the queues of virtio devices. Pure, any thread. */
#pragma once

#include <glib.h>

/** Returns: the most entries that the live domain @xml asks for in a queue of the device @alias; 0
 * where it asks for none, or cannot be read. */
guint64 ferry_domxml_queue_size(const char *xml, const char *alias);
