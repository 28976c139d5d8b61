#include "config.h"

#include "amqp-connection.h"

#include "amqp-error.h"
#include "amqp-socket.h"
#include "amqp-table.h"
#include "ferry/error.h"
#include "unique-id.h"

#include <unistd.h>

#define CHANNEL_MAX 2047
#define FRAME_MAX 131072
#define LOGIN_TIMEOUT_S 10
#define ANSWER_TIMEOUT_S 10
#define CLOSING_TIMEOUT_S 2

struct FerryAmqpConnection {
    FerryAmqpState *state;
    guint heartbeat_s;
    gint64 served_us;   /* when the library was last called to read or to send heartbeats */
    gint64 received_us; /* when the broker last sent something */
    FerryAmqpFrames *frames;
};

/* --- opening ---------------------------------------------------------------------------------- */

static bool
login(FerryAmqpState *state,
      const FerryTransport *transport,
      const FerryBroker *broker,
      const char *purpose,
      GError **error)
{
    g_autofree char *id = ferry_unique_id_new();
    g_autofree char *name =
        g_strdup_printf("%s:%d:%s:%s", transport->program, (int)getpid(), purpose, id);
    amqp_table_entry_t capabilities[] = {
        ferry_amqp_bool("consumer_cancel_notify", true),
        ferry_amqp_bool("connection.blocked", true),
    };
    amqp_table_t capability_table = {G_N_ELEMENTS(capabilities), capabilities};
    amqp_table_entry_t properties[] = {
        ferry_amqp_text("product", transport->program),
        ferry_amqp_text("product_version", PACKAGE_VERSION),
        ferry_amqp_text("connection_name", name),
        ferry_amqp_table("capabilities", capability_table),
    };
    const amqp_table_t property_table = {G_N_ELEMENTS(properties), properties};
    amqp_rpc_reply_t reply = amqp_login_with_properties(
        state, transport->vhost, CHANNEL_MAX, FRAME_MAX,
        (int)MIN(transport->options->heartbeat_timeout_threshold, G_MAXUINT16), &property_table,
        AMQP_SASL_METHOD_PLAIN, broker->user, broker->password);

    return ferry_amqp_check_reply(reply, "Login", error);
}

FerryAmqpConnection *
ferry_amqp_connection_login(FerryAmqpState *state,
                            const FerryTransport *transport,
                            const FerryBroker *broker,
                            const char *purpose,
                            GError **error)
{
    g_autoptr(FerryAmqpState) owned = state;

    if (!login(owned, transport, broker, purpose, error))
        return NULL;
    (void)amqp_channel_open(owned, FERRY_AMQP_CHANNEL);
    if (!ferry_amqp_check_reply(amqp_get_rpc_reply(owned), "Opening a channel", error))
        return NULL;

    FerryAmqpConnection *self = g_new0(FerryAmqpConnection, 1);

    self->heartbeat_s = (guint)MAX(amqp_get_heartbeat(owned), 0);
    self->state = g_steal_pointer(&owned);
    self->served_us = self->received_us = g_get_monotonic_time();
    self->frames = ferry_amqp_frames_new();
    return self;
}

FerryAmqpConnection *
ferry_amqp_connection_open(const FerryTransport *transport,
                           const FerryBroker *broker,
                           const char *purpose,
                           GError **error)
{
    const struct timeval login_timeout = {.tv_sec = LOGIN_TIMEOUT_S};
    const struct timeval answer_timeout = {.tv_sec = ANSWER_TIMEOUT_S};
    g_autoptr(FerryAmqpState) state = amqp_new_connection();
    FerryAmqpConnection *self = NULL;

    (void)amqp_set_handshake_timeout(state, &login_timeout);
    (void)amqp_set_rpc_timeout(state, &answer_timeout);
    if (ferry_amqp_socket_open(state, transport, broker, error))
        self =
            ferry_amqp_connection_login(g_steal_pointer(&state), transport, broker, purpose, error);
    if (!self)
        g_prefix_error(error, "%s:%u: ", broker->host, broker->port);
    return self;
}

void
ferry_amqp_connection_shorten_timeout(FerryAmqpConnection *self)
{
    const struct timeval timeout = {.tv_sec = CLOSING_TIMEOUT_S};

    (void)amqp_set_rpc_timeout(self->state, &timeout);
}

void
ferry_amqp_connection_close(FerryAmqpConnection *self)
{
    ferry_amqp_connection_shorten_timeout(self);
    (void)amqp_connection_close(self->state, AMQP_REPLY_SUCCESS);
    ferry_amqp_connection_free(self);
}

void
ferry_amqp_connection_free(FerryAmqpConnection *self)
{
    if (!self)
        return;
    ferry_amqp_state_destroy(self->state);
    ferry_amqp_frames_free(self->frames);
    g_free(self);
}

amqp_connection_state_t
ferry_amqp_connection_state(FerryAmqpConnection *self)
{
    return self->state;
}

bool
ferry_amqp_connection_check(FerryAmqpConnection *self, const char *what, GError **error)
{
    return ferry_amqp_check_reply(amqp_get_rpc_reply(self->state), what, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool
take_frame(FerryAmqpConnection *self,
           const amqp_frame_t *frame,
           FerryAmqpEvent *ret_event,
           GError **error)
{
    bool taken = ferry_amqp_frames_take(self->frames, frame, ret_event, error);

    if (frame->frame_type == AMQP_FRAME_METHOD &&
        frame->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
        amqp_connection_close_ok_t answer = {0};

        (void)amqp_send_method(self->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer);
    }
    amqp_maybe_release_buffers_on_channel(self->state, frame->channel);
    return taken;
}

bool
ferry_amqp_connection_next(FerryAmqpConnection *self, FerryAmqpEvent *ret_event, GError **error)
{
    *ret_event = (FerryAmqpEvent){.kind = FERRY_AMQP_NOTHING};
    while (ret_event->kind == FERRY_AMQP_NOTHING) {
        const struct timeval at_once = {0};
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame_noblock(self->state, &frame, &at_once);

        self->served_us = g_get_monotonic_time();
        if (status == AMQP_STATUS_TIMEOUT) {
            /* The library keeps what it ignores, such as frames of no known type. */
            amqp_maybe_release_buffers(self->state);
            return true;
        }
        if (status != AMQP_STATUS_OK) {
            ferry_amqp_set_status_error(error, status, "Connection");
            return false;
        }
        self->received_us = self->served_us;
        if (!take_frame(self, &frame, ret_event, error))
            return false;
    }
    return true;
}

void
ferry_amqp_connection_note_input(FerryAmqpConnection *self)
{
    self->received_us = g_get_monotonic_time();
}

int
ferry_amqp_connection_fd(const FerryAmqpConnection *self)
{
    return amqp_get_sockfd(self->state);
}

gint64
ferry_amqp_connection_deadline(const FerryAmqpConnection *self)
{
    if (self->heartbeat_s == 0)
        return G_MAXINT64;
    gint64 heartbeat_us = (gint64)self->heartbeat_s * G_USEC_PER_SEC;
    /* The library sends a heartbeat when it is called after a whole period without output, and the
     * broker closes after two periods without input: a call every three quarters of a period is
     * early enough. The broker's own heartbeats come every half period, so they alone wake the
     * thread of an idle connection. */
    gint64 next_call_us = self->served_us + heartbeat_us * 3 / 4;
    /* The library gives the connection up after two periods without input: call it right after. */
    gint64 silence_us = self->received_us + 2 * heartbeat_us + G_USEC_PER_SEC / 20;
    return silence_us > self->served_us ? MIN(next_call_us, silence_us) : next_call_us;
}
