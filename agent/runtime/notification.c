#include "config.h"

#include "runtime/notification.h"

guint
ferry_notification_topics(const FerryConfig *config)
{
    return config->notifications ? g_strv_length(config->notification_topics) : 0;
}

void
ferry_notification_publish(const FerryAgent *agent,
                           const FerryNotification *event,
                           FerryNotifiedFunc confirmed,
                           gpointer data)
{
    guint topics = ferry_notification_topics(agent->config);
    g_autofree char *publisher_id = g_strdup_printf("virt-ferryd.%s", agent->config->host);
    FerryNotification notification = *event;

    notification.publisher_id = publisher_id;
    for (guint i = 0; i < topics; i++) {
        notification.topic = agent->config->notification_topics[i];
        ferry_bus_notify(agent->bus, &notification, confirmed, data);
    }
}
