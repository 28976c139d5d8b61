/* messaging-options.h: how to reach the broker: part of the configuration, used by the bus.
 *
 * Names and defaults are those of oslo.messaging, but that the broker's certificate must name the
 * broker. A plain value; ferry_messaging_options_copy() copies it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* AMQP's short strings: names of queues and exchanges, routing keys, ids. */
#define FERRY_AMQP_NAME_MAX 255
/* Of an agent's host; with the topic and a dot it names a queue. */
#define FERRY_HOST_NAME_MAX 200

typedef struct {
    char *transport_url;    /* rabbit://user:pass@host:port[,...]/vhost?option=value */
    char *control_exchange; /* virt-ferry */
    bool ssl;
    char *ssl_ca_file;   /* NULL: the system's store */
    char *ssl_cert_file; /* NULL: no client certificate */
    char *ssl_key_file;
    bool ssl_enforce_hostname_verification; /* on, where oslo.messaging has it off */
    guint heartbeat_timeout_threshold;      /* seconds; 0 turns heartbeats off */
    bool amqp_durable_queues;
    bool amqp_auto_delete;
    bool rabbit_ha_queues;
    bool rabbit_quorum_queue;
    bool rabbit_transient_quorum_queue;
    guint rabbit_quorum_delivery_limit;
    guint rabbit_transient_queues_ttl;          /* seconds */
    guint rabbit_retry_interval;                /* seconds before the second try */
    guint rabbit_retry_backoff;                 /* seconds added with each try */
    guint rabbit_interval_max;                  /* seconds, upper bound */
    guint kombu_missing_consumer_retry_timeout; /* seconds an answer waits for its queue */
} FerryMessagingOptions;

/** Returns: (transfer full): the defaults. */
FerryMessagingOptions *ferry_messaging_options_new(void);
FerryMessagingOptions *ferry_messaging_options_copy(const FerryMessagingOptions *options);
void ferry_messaging_options_free(FerryMessagingOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMessagingOptions, ferry_messaging_options_free)

/**
 * ferry_messaging_options_set:
 * @name: an option of [oslo_messaging_rabbit], as a transport_url's query may have it, too
 * @error: FERRY_ERROR_CONFIG: what was found and what was expected
 * Returns: true when the value is set, or when the option is unknown: then *@ret_known is false and
 * @options are unchanged.
 */
bool ferry_messaging_options_set(FerryMessagingOptions *options,
                                 const char *name,
                                 const char *value,
                                 bool *ret_known,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
