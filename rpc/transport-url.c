#include "config.h"

#include "transport-url.h"

#include "ferry/error.h"

#include <string.h>

#define DEFAULT_PORT 5672
#define DEFAULT_USER "guest"
#define DEFAULT_PASSWORD "guest"
#define DEFAULT_HOST "localhost"

/* Options of oslo.messaging that have no meaning here. They are accepted, because a URL may be
 * shared with other services. */
static const char *const foreign_options[] = {
    "conn_pool_min_size",
    "conn_pool_ttl",
    "direct_mandatory_flag",
    "enable_cancel_on_failover",
    "heartbeat_in_pthread",
    "heartbeat_rate",
    "kombu_compression",
    "kombu_failover_strategy",
    "kombu_reconnect_delay",
    "rabbit_login_method",
    "rabbit_qos_prefetch_count",
    "rpc_conn_pool_size",
    "ssl_enforce_fips_mode",
    "ssl_version",
    NULL,
};

static void
set_url_error(GError **error, const char *hint, const char *what)
{
    ferry_set_error(error, FERRY_ERROR_CONFIG, hint, "transport_url: %s", what);
}

static char *
decode(const char *text, gssize length)
{
    g_autofree char *part = g_strndup(text, length < 0 ? strlen(text) : (gsize)length);
    char *plain = g_uri_unescape_string(part, NULL);

    /* A text with an invalid escape is taken as it is, as Python does. */
    return plain ? plain : g_steal_pointer(&part);
}

static bool
parse_port(const char *text, guint16 *ret_port, GError **error)
{
    guint64 port = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL)) {
        set_url_error(error,
                      "Write a \"/\" in a password as %2F and a \":\" in a user's name as %3A",
                      "a port is no number between 1 and 65535");
        return false;
    }
    *ret_port = (guint16)port;
    return true;
}

/* "host", "host:port", "[address]" or "[address]:port". */
static bool
parse_host(const char *text, FerryBroker *broker, GError **error)
{
    const char *port = NULL;

    if (text[0] == '[') {
        const char *end = strchr(text, ']');

        if (!end || (end[1] != '\0' && end[1] != ':')) {
            set_url_error(error, NULL, "an IPv6 address is not written as [address]:port");
            return false;
        }
        broker->host = g_strndup(text + 1, (gsize)(end - text - 1));
        port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strchr(text, ':');

        broker->host = g_strndup(text, colon ? (gsize)(colon - text) : strlen(text));
        port = colon ? colon + 1 : NULL;
    }
    if (broker->host[0] == '\0') {
        g_free(broker->host);
        broker->host = g_strdup(DEFAULT_HOST);
    }
    broker->port = DEFAULT_PORT;
    return !port || port[0] == '\0' || parse_port(port, &broker->port, error);
}

/* The last "@" ends the credentials: a user's name may contain one. */
static bool
parse_broker(const char *text, GPtrArray *brokers, GError **error)
{
    FerryBroker *broker = g_new0(FerryBroker, 1);

    g_ptr_array_add(brokers, broker);
    const char *at = strrchr(text, '@');
    g_autofree char *credentials = at ? g_strndup(text, (gsize)(at - text)) : NULL;
    const char *colon = credentials ? strchr(credentials, ':') : NULL;
    if (colon && colon != credentials) {
        broker->user = decode(credentials, colon - credentials);
        broker->password = decode(colon + 1, -1);
    } else {
        broker->user = g_strdup(DEFAULT_USER);
        broker->password = g_strdup(DEFAULT_PASSWORD);
    }
    return parse_host(at ? at + 1 : text, broker, error);
}

static bool
parse_brokers(const char *text, GPtrArray *brokers, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (guint i = 0; parts[i]; i++) {
        if (parts[i][0] != '\0' && !parse_broker(parts[i], brokers, error))
            return false;
    }
    return brokers->len > 0 || parse_broker("", brokers, error);
}

static bool
apply_option(const char *name, const char *value, FerryMessagingOptions *options, GError **error)
{
    bool known = false;

    if (!ferry_messaging_options_set(options, name, value, &known, error)) {
        g_prefix_error(error, "transport_url: ");
        return false;
    }
    if (known || g_strv_contains(foreign_options, name))
        return true;
    ferry_set_error(error, FERRY_ERROR_CONFIG,
                    "Options of [oslo_messaging_rabbit] can stand behind the \"?\"",
                    "transport_url: unknown option \"%.64s\"", name);
    return false;
}

/* As in oslo.messaging, values of one key are joined to a list, and empty values are left out. */
static GHashTable *
parse_query(const char *query, GPtrArray *ret_order)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(query, "&", -1);

    for (guint i = 0; pairs[i]; i++) {
        const char *equals = strchr(pairs[i], '=');

        if (!equals || equals[1] == '\0')
            continue;
        g_strdelimit(pairs[i], "+", ' ');
        g_autofree char *key = decode(pairs[i], equals - pairs[i]);
        g_autofree char *value = decode(equals + 1, -1);
        const char *before = g_hash_table_lookup(values, key);
        if (!before)
            g_ptr_array_add(ret_order, g_strdup(key));
        char *joined = before ? g_strconcat(before, ",", value, NULL) : g_strdup(value);
        g_hash_table_replace(values, g_steal_pointer(&key), joined);
    }
    return values;
}

static bool
apply_query(const char *query, FerryMessagingOptions *options, GError **error)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) values = parse_query(query, order);

    for (guint i = 0; i < order->len; i++) {
        const char *key = order->pdata[i];

        if (!apply_option(key, g_hash_table_lookup(values, key), options, error))
            return false;
    }
    return true;
}

bool
ferry_transport_url_parse(const char *url, FerryTransport *transport, GError **error)
{
    const char *scheme_end = strstr(url, "://");

    if (!scheme_end || scheme_end - url != strlen("rabbit") ||
        g_ascii_strncasecmp(url, "rabbit", strlen("rabbit")) != 0) {
        set_url_error(error, "Write rabbit://user:password@host:port/vhost; amqp:// is AMQP 1.0",
                      "the scheme is not rabbit://");
        return false;
    }
    g_autofree char *rest = g_strdup(scheme_end + strlen("://"));
    char *query = strchr(rest, '?');
    if (query)
        *query++ = '\0';
    char *path = strchr(rest, '/');
    if (path)
        *path++ = '\0';
    /* Of a password that is not encoded the rest would be shown as the vhost's name. */
    if (path && strchr(path, '@')) {
        set_url_error(error, "Write %2F for / and %40 for @ in user, password and vhost",
                      "an @ stands behind its first /");
        return false;
    }
    g_free(transport->vhost);
    transport->vhost = decode(path ? path : "", -1);
    if (strlen(transport->vhost) > FERRY_AMQP_NAME_MAX) {
        set_url_error(error, "Name a vhost of at most 255 bytes", "its vhost is too long");
        return false;
    }
    if (transport->vhost[0] == '\0') {
        g_free(transport->vhost);
        transport->vhost = g_strdup("/");
    }
    return parse_brokers(rest, transport->brokers, error) &&
           (!query || apply_query(query, transport->options, error));
}
