#include "config.h"

#include "amqp-socket.h"

#include "amqp-error.h"
#include "ferry/error.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define CONNECT_TIMEOUT_S 5
#define REASON_TIMEOUT_S 1

static bool
set_file_error(GError **error, const char *option, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    ferry_set_error(error, FERRY_ERROR_CONFIG, "Check that the file exists, is PEM and is readable",
                    "%s: \"%s\" cannot be used: %s", option, path,
                    reason ? reason : "no reason given");
    ERR_clear_error();
    return false;
}

/* Without a CA file the system's store decides, as with oslo.messaging; rabbitmq-c alone would
 * trust nobody. */
static bool
load_authorities(amqp_socket_t *socket, const FerryMessagingOptions *options, GError **error)
{
    if (options->ssl_ca_file && options->ssl_ca_file[0] != '\0')
        return amqp_ssl_socket_set_cacert(socket, options->ssl_ca_file) == AMQP_STATUS_OK ||
               set_file_error(error, "ssl_ca_file", options->ssl_ca_file);
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    return SSL_CTX_set_default_verify_paths(context) == 1 ||
           set_file_error(error, "ssl", "the system's certificates");
}

static bool
load_certificate(amqp_socket_t *socket, const FerryMessagingOptions *options, GError **error)
{
    const char *cert = options->ssl_cert_file;
    const char *key = options->ssl_key_file;

    if (!cert || cert[0] == '\0')
        return true;
    /* One file may hold certificate and key. */
    if (!key || key[0] == '\0')
        key = cert;
    return amqp_ssl_socket_set_key(socket, cert, key) == AMQP_STATUS_OK ||
           set_file_error(error, "ssl_cert_file", cert);
}

/* rabbitmq-c compares names of DNS only: an address is OpenSSL's to compare, in the handshake. */
static void
expect_host(amqp_socket_t *socket, const char *host, bool verify)
{
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(amqp_ssl_socket_get_context(socket));
    bool is_address = g_hostname_is_ip_address(host);

    if (verify && is_address)
        X509_VERIFY_PARAM_set1_ip_asc(rules, host);
    amqp_ssl_socket_set_verify_hostname(socket, verify && !is_address);
}

static amqp_socket_t *
new_tls_socket(FerryAmqpState *state,
               const FerryMessagingOptions *options,
               const char *host,
               GError **error)
{
    amqp_socket_t *socket = amqp_ssl_socket_new(state);

    if (!socket) {
        ferry_amqp_set_status_error(error, AMQP_STATUS_NO_MEMORY, "TLS");
        return NULL;
    }
    amqp_ssl_socket_set_verify_peer(socket, /* verify= */ 1);
    expect_host(socket, host, options->ssl_enforce_hostname_verification);
    (void)amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    bool ready =
        load_authorities(socket, options, error) && load_certificate(socket, options, error);
    return ready ? socket : NULL;
}

/* rabbitmq-c keeps errno to itself, so the broker is tried once more for its sentence alone.
 * Returns: (transfer full). */
static char *
reason_of(const FerryBroker *broker, int status)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection = NULL;
    g_autoptr(GError) why = NULL;

    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_set_timeout(client, REASON_TIMEOUT_S);
    if (status == AMQP_STATUS_SOCKET_ERROR)
        connection =
            g_socket_client_connect_to_host(client, broker->host, broker->port, NULL, &why);
    if (!why)
        return g_strdup(amqp_error_string2(status));
    /* "Could not connect to HOST: " comes before it. */
    const char *sentence = g_strrstr(why->message, ": ");
    return g_strdup(sentence ? sentence + 2 : why->message);
}

static void
set_connect_error(const FerryBroker *broker, int status, GError **error)
{
    g_autofree char *reason = reason_of(broker, status);

    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE,
                    "See whether a broker runs there, and whether transport_url names it rightly",
                    "%s", reason);
}

bool
ferry_amqp_socket_open(FerryAmqpState *state,
                       const FerryTransport *transport,
                       const FerryBroker *broker,
                       GError **error)
{
    const FerryMessagingOptions *options = transport->options;
    const struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S};

    ERR_clear_error();
    amqp_socket_t *socket = options->ssl ? new_tls_socket(state, options, broker->host, error)
                                         : amqp_tcp_socket_new(state);
    if (!socket)
        return false;
    int status = amqp_socket_open_noblock(socket, broker->host, broker->port, &timeout);
    if (status == AMQP_STATUS_OK)
        return true;
    if (status <= AMQP_STATUS_SSL_ERROR)
        ferry_amqp_set_status_error(error, status, "Connecting");
    else
        set_connect_error(broker, status, error);
    return false;
}
