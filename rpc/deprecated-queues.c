#include "config.h"

#include "deprecated-queues.h"

#include <string.h>

#define FIRST_TO_DEPRECATE 4

/* Returns: (transfer full) (nullable): the text under @key. */
static char *
text_of(const amqp_table_t *properties, const char *key)
{
    for (int i = 0; i < properties->num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->entries[i];

        if (entry->key.len == strlen(key) && memcmp(entry->key.bytes, key, entry->key.len) == 0 &&
            entry->value.kind == AMQP_FIELD_KIND_UTF8)
            return g_strndup(entry->value.value.bytes.bytes, entry->value.value.bytes.len);
    }
    return NULL;
}

guint
ferry_rabbitmq_major(const amqp_table_t *properties)
{
    g_autofree char *product = properties ? text_of(properties, "product") : NULL;
    g_autofree char *version = product ? text_of(properties, "version") : NULL;

    if (!version || strcmp(product, "RabbitMQ") != 0)
        return 0;
    return (guint)MIN(g_ascii_strtoull(version, NULL, 10), G_MAXUINT);
}

void
ferry_deprecated_queues_warn(FerryAmqpConnection *connection, const FerryMessagingOptions *options)
{
    static gsize told = 0;
    guint major =
        ferry_rabbitmq_major(amqp_get_server_properties(ferry_amqp_connection_state(connection)));

    if (major < FIRST_TO_DEPRECATE || options->rabbit_transient_quorum_queue ||
        !g_once_init_enter(&told))
        return;
    g_once_init_leave(&told, 1);
    g_warning("The broker is RabbitMQ %u, which will no longer take queues that are neither "
              "durable nor exclusive. Set rabbit_quorum_queue and rabbit_transient_quorum_queue "
              "to true in [oslo_messaging_rabbit] of every service on this broker, or allow "
              "deprecated_features.permit.transient_nonexcl_queues in rabbitmq.conf",
              major);
}
