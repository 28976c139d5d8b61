/* notification.h: events of this host on their way to the bus: who publishes them, and to which topics.
 * Threads: any. */
#pragma once

#include <glib.h>

#include "ferry/bus.h"
#include "ferry/config.h"
#include "runtime/agent.h"

/** Returns: to how many topics an event goes; 0 when notifications are off. */
guint ferry_notification_topics(const FerryConfig *config);

/**
 * ferry_notification_publish:
 * @event: with all but the topic and the publisher's id, which are filled in here
 * @confirmed: (nullable): called in the bus' context once for each topic
 * Hands @event to the bus, once for each configured topic; see ferry_bus_notify().
 */
void ferry_notification_publish(const FerryAgent *agent,
                                const FerryNotification *event,
                                FerryNotifiedFunc confirmed,
                                gpointer data);
