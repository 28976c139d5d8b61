/* messaging-options.h: how to reach the broker; read from the configuration, used by the bus.
 *
 * Names and defaults are oslo.messaging's. A plain value: copy by ferry_messaging_options_copy().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *transport_url;    /* rabbit://user:pass@host:port[,...]/vhost?option=value */
    char *control_exchange; /* virt-ferry */
    bool ssl;
    char *ssl_ca_file;   /* NULL: the system's store */
    char *ssl_cert_file; /* NULL: no client certificate */
    char *ssl_key_file;
    bool ssl_enforce_hostname_verification;
    guint heartbeat_timeout_threshold; /* seconds; 0 turns heartbeats off */
    bool amqp_durable_queues;
    bool amqp_auto_delete;
    bool rabbit_ha_queues;
    bool rabbit_quorum_queue;
    guint rabbit_quorum_delivery_limit;
    guint rabbit_transient_queues_ttl;          /* seconds */
    guint rabbit_retry_interval;                /* seconds before the second try */
    guint rabbit_retry_backoff;                 /* seconds added with each try */
    guint rabbit_interval_max;                  /* seconds, upper bound */
    guint kombu_missing_consumer_retry_timeout; /* seconds a reply waits for its queue */
} FerryMessagingOptions;

/** Returns: (transfer full): the defaults. */
FerryMessagingOptions *ferry_messaging_options_new(void);
FerryMessagingOptions *ferry_messaging_options_copy(const FerryMessagingOptions *options);
void ferry_messaging_options_free(FerryMessagingOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMessagingOptions, ferry_messaging_options_free)

/**
 * ferry_messaging_options_set:
 * @name: an option of [oslo_messaging_rabbit]; also what a transport_url's query may name
 * @error: FERRY_ERROR_CONFIG: what was found and what was expected
 * Returns: true when set. *@ret_known tells whether the option is one of ours; an unknown one
 * leaves @options as they were, returns true, and the caller decides what that means.
 */
bool ferry_messaging_options_set(FerryMessagingOptions *options,
                                 const char *name,
                                 const char *value,
                                 bool *ret_known,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
