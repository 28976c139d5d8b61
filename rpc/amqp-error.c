#include "config.h"

#include "amqp-error.h"

#include "ferry/error.h"

#include <openssl/err.h>

#include <errno.h>
#include <stdbool.h>

/* For reply codes of AMQP 0-9-1 that stay the same however often one tries. */
static const char *
hint_of_refusal(int code)
{
    switch (code) {
    case AMQP_ACCESS_REFUSED:
        return "Check user, password and permissions in transport_url and at the broker";
    case AMQP_NOT_ALLOWED:
        return "Check the vhost in transport_url and the user's rights in it";
    case AMQP_PRECONDITION_FAILED:
        return "Make amqp_durable_queues, amqp_auto_delete, rabbit_quorum_queue and "
               "rabbit_ha_queues agree with the other programs on this broker, or delete what "
               "was declared with other settings";
    default:
        return NULL;
    }
}

void
ferry_amqp_set_close_error(GError **error, int code, amqp_bytes_t text, const char *what)
{
    const char *hint = hint_of_refusal(code);
    gsize length = MIN(text.len, 512);

    /* What follows brings its own: RabbitMQ ends only some of its texts with one. */
    while (length > 0 && ((const char *)text.bytes)[length - 1] == '.')
        length--;
    ferry_set_error(error, hint ? FERRY_ERROR_CONFIG : FERRY_ERROR_DESTINATION_UNREACHABLE, hint,
                    "%s: the broker closed with %d: %.*s", what, code, (int)length,
                    (const char *)text.bytes);
}

/* rabbitmq-c hides what OpenSSL says, "certificate verify failed" above all. */
static const char *
tls_reason(int status)
{
    unsigned long code = ERR_peek_last_error();
    bool tls = status <= AMQP_STATUS_SSL_ERROR && status > AMQP_STATUS_SSL_ERROR - 0x100;

    return tls && code != 0 ? ERR_reason_error_string(code) : NULL;
}

static const char *
hint_of_status(int status)
{
    switch (status) {
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
        return "Check ssl_ca_file: it must hold the authority that signed the broker's "
               "certificate. "
               "An address in transport_url must be in the certificate";
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
        return "The broker's certificate is for another name than transport_url has: use its name "
               "in transport_url, or have one issued. ssl_enforce_hostname_verification = false "
               "accepts any name";
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
        return "See whether this port of the broker speaks TLS and what its log says";
    default:
        return NULL;
    }
}

/* errno may be older than the failure, or of a call that rabbitmq-c repeats: only what a connection
 * ends by is told. */
static bool
is_of_connection(int number)
{
    static const int numbers[] = {ECONNREFUSED, ECONNRESET,  ECONNABORTED, EPIPE,    ETIMEDOUT,
                                  EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,    ENETDOWN, EACCES};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

static const char *
status_text(int status)
{
    int number = errno;

    return status == AMQP_STATUS_SOCKET_ERROR && is_of_connection(number)
               ? g_strerror(number)
               : amqp_error_string2(status);
}

void
ferry_amqp_set_status_error(GError **error, int status, const char *what)
{
    const char *text = status_text(status);
    const char *reason = tls_reason(status);

    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, hint_of_status(status),
                    "%s: %s%s%s", what, text, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
}

bool
ferry_amqp_check_status(int status, const char *what, GError **error)
{
    if (status != AMQP_STATUS_OK)
        ferry_amqp_set_status_error(error, status, what);
    return status == AMQP_STATUS_OK;
}

bool
ferry_amqp_check_reply(amqp_rpc_reply_t reply, const char *what, GError **error)
{
    const amqp_rpc_reply_t *given = &reply;

    switch (given->reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return true;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        ferry_amqp_set_status_error(error, given->library_error, what);
        return false;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        if (given->reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
            const amqp_connection_close_t *closed = given->reply.decoded;

            ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, what);
            return false;
        }
        if (given->reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
            const amqp_channel_close_t *closed = given->reply.decoded;

            ferry_amqp_set_close_error(error, closed->reply_code, closed->reply_text, what);
            return false;
        }
        break;
    case AMQP_RESPONSE_NONE:
        break;
    }
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
                    "%s: the broker answered out of protocol", what);
    return false;
}
