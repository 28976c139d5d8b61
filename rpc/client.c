#include "config.h"

#include "client.h"

#include "failure.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "unique-id.h"

#define FANOUT_EXCHANGE FERRY_TOPIC "_fanout"

struct FerryClient {
    /* Immutable. */
    FerryTransport *transport;
    FerryPublisher *publisher;
    FerryConsumer *consumer;

    /* Guarded by lock. */
    GMutex lock;
    GCond changed;
    GHashTable *calls; /* msg_id -> Call, owned by the waiting caller's stack */
    bool ready;
    bool closed;
};

/* Guarded by the client's lock. */
typedef struct {
    char *msg_id;
    gint64 deadline_us;
    GCancellable *cancellable; /* nullable */
    GQueue answers;            /* json_t */
    bool confirmed;            /* the broker has the request */
    bool returned;             /* it has no queue for it */
    bool dropped;              /* it could not be sent */
} Call;

/* What the publisher tells of, after the caller may have gone. */
typedef struct {
    FerryClient *client;
    char *msg_id;
} Dispatch;

static void
client_clear(gpointer data)
{
    FerryClient *client = data;
    g_hash_table_unref(client->calls);
    ferry_consumer_unref(client->consumer);
    ferry_publisher_unref(client->publisher);
    ferry_transport_unref(client->transport);
    g_cond_clear(&client->changed);
    g_mutex_clear(&client->lock);
}

FerryClient *
ferry_client_new(FerryTransport *transport, FerryPublisher *publisher, FerryConsumer *consumer)
{
    FerryClient *client = g_atomic_rc_box_new0(FerryClient);
    client->transport = ferry_transport_ref(transport);
    client->publisher = ferry_publisher_ref(publisher);
    client->consumer = ferry_consumer_ref(consumer);
    client->calls = g_hash_table_new(g_str_hash, g_str_equal);
    g_mutex_init(&client->lock);
    g_cond_init(&client->changed);
    return client;
}

FerryClient *
ferry_client_ref(FerryClient *client)
{
    return g_atomic_rc_box_acquire(client);
}

void
ferry_client_unref(FerryClient *client)
{
    g_atomic_rc_box_release_full(client, client_clear);
}

/* --- what others tell ------------------------------------------------------------------------- */

static void
set_flag(FerryClient *client, bool *flag, bool value)
{
    g_mutex_lock(&client->lock);
    *flag = value;
    g_cond_broadcast(&client->changed);
    g_mutex_unlock(&client->lock);
}

void
ferry_client_close(FerryClient *client)
{
    set_flag(client, &client->closed, true);
}

void
ferry_client_set_ready(FerryClient *client, bool ready)
{
    set_flag(client, &client->ready, ready);
}

void
ferry_client_take_reply(FerryClient *client, json_t *message)
{
    const char *msg_id = ferry_json_get_string(message, "_msg_id");
    /* A sign of life; we ask for none. */
    if (msg_id == NULL || !ferry_json_get_bool(message, "ending", true))
        return;
    g_mutex_lock(&client->lock);
    Call *call = g_hash_table_lookup(client->calls, msg_id);
    if (call != NULL) {
        g_queue_push_tail(&call->answers, json_incref(message));
        g_cond_broadcast(&client->changed);
    }
    g_mutex_unlock(&client->lock);
    if (call == NULL)
        g_debug("An answer came too late and is dropped");
}

static void
on_dispatched(FerryFate fate, gpointer user_data)
{
    const Dispatch *dispatch = user_data;
    FerryClient *client = dispatch->client;
    g_mutex_lock(&client->lock);
    Call *call = g_hash_table_lookup(client->calls, dispatch->msg_id);
    if (call != NULL) {
        call->confirmed = fate == FERRY_FATE_CONFIRMED;
        call->returned = fate == FERRY_FATE_RETURNED;
        call->dropped = fate == FERRY_FATE_DROPPED;
        g_cond_broadcast(&client->changed);
    }
    g_mutex_unlock(&client->lock);
}

static void
dispatch_free(gpointer data)
{
    Dispatch *dispatch = data;
    ferry_client_unref(dispatch->client);
    g_free(dispatch->msg_id);
    g_free(dispatch);
}

static void
on_cancelled(GCancellable *cancellable, gpointer user_data)
{
    FerryClient *client = user_data;
    g_mutex_lock(&client->lock);
    g_cond_broadcast(&client->changed);
    g_mutex_unlock(&client->lock);
}

/* --- waiting (lock held) ---------------------------------------------------------------------- */

static bool
is_given_up(const FerryClient *client, const Call *call)
{
    return client->closed || g_cancellable_is_cancelled(call->cancellable);
}

/* Returns: false when the time is over. */
static bool
wait_for_change(FerryClient *client, const Call *call)
{
    return g_cond_wait_until(&client->changed, &client->lock, call->deadline_us);
}

static void
wait_until_ready(FerryClient *client, const Call *call)
{
    bool in_time = true;
    while (!client->ready && !is_given_up(client, call) && in_time)
        in_time = wait_for_change(client, call);
}

/* Returns: (transfer full) (nullable): the next answer. */
static json_t *
wait_for_answer(FerryClient *client, Call *call)
{
    bool in_time = true;
    while (g_queue_is_empty(&call->answers) && !call->returned && !call->dropped &&
           !is_given_up(client, call) && in_time)
        in_time = wait_for_change(client, call);
    return g_queue_pop_head(&call->answers);
}

/* --- calling ---------------------------------------------------------------------------------- */

static void
call_clear(Call *call)
{
    g_queue_clear_full(&call->answers, (GDestroyNotify)json_decref);
    g_free(call->msg_id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Call, call_clear)

/* @args: (transfer full). */
static json_t *
request_document(const FerryClient *client, const Call *call, const char *method, json_t *args)
{
    g_autofree char *unique_id = ferry_unique_id_new();
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:n, s:s}", "method", method, "args",
                     args != NULL ? args : json_object(), "version", FERRY_API_VERSION, "_msg_id",
                     call->msg_id, "_reply_q", ferry_consumer_reply_queue(client->consumer),
                     "_timeout", "_unique_id", unique_id);
}

/* @document: (transfer full). */
static void
send(FerryClient *client,
     const Call *call,
     FerryOutgoingKind kind,
     const char *exchange,
     const char *routing_key,
     json_t *document)
{
    FerryOutgoing *outgoing = ferry_outgoing_new(kind, exchange, routing_key, document);
    Dispatch *dispatch = g_new0(Dispatch, 1);
    dispatch->client = ferry_client_ref(client);
    dispatch->msg_id = g_strdup(call->msg_id);
    outgoing->deadline_us = call->deadline_us;
    outgoing->done = on_dispatched;
    outgoing->user_data = dispatch;
    outgoing->destroy = dispatch_free;
    ferry_publisher_push(client->publisher, outgoing);
}

static void
set_unreachable(GError **error, const char *reason, const char *hint, const char *what)
{
    GError *unreachable = ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, hint, "%s", what);
    ferry_error_set_detail(unreachable, "reason", json_string(reason));
    g_propagate_error(error, unreachable);
}

/* Why there is no answer. Lock held. */
static void
set_silence_error(const FerryClient *client, const Call *call, const char *target, GError **error)
{
    g_autofree char *what = NULL;
    if (is_given_up(client, call)) {
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The call to %s was given up", target);
    } else if (call->returned) {
        what = g_strdup_printf("No agent serves %s", target);
        set_unreachable(error, "no-queue", "Start virt-ferryd there, or check the host's name",
                        what);
    } else if (!call->confirmed) {
        what = g_strdup_printf("The broker could not be reached to ask %s", target);
        set_unreachable(error, "no-broker", "Check the broker and transport_url", what);
    } else {
        what = g_strdup_printf("No answer from %s in time", target);
        set_unreachable(error, "no-answer", "See whether virt-ferryd runs there", what);
    }
}

/* The first answer, or NULL with @error. @document: (transfer full). */
static json_t *
exchange_messages(
    FerryClient *client, Call *call, const char *routing_key, json_t *document, GError **error)
{
    json_t *answer = NULL;
    g_mutex_lock(&client->lock);
    wait_until_ready(client, call);
    if (client->ready && !is_given_up(client, call)) {
        g_hash_table_insert(client->calls, call->msg_id, call);
        send(client, call, FERRY_OUTGOING_CALL, client->transport->options->control_exchange,
             routing_key, json_incref(document));
        answer = wait_for_answer(client, call);
        g_hash_table_remove(client->calls, call->msg_id);
    }
    if (answer == NULL)
        set_silence_error(client, call, routing_key, error);
    g_mutex_unlock(&client->lock);
    json_decref(document);
    return answer;
}

/* Returns: (transfer full) (nullable): the result in @answer, or NULL with the far side's error. */
static json_t *
open_answer(const json_t *answer, GError **error)
{
    const char *failure = ferry_json_get_string(answer, "failure");
    json_t *result = json_object_get(answer, "result");
    if (failure != NULL && failure[0] != '\0') {
        g_propagate_error(error, ferry_failure_to_error(failure));
        return NULL;
    }
    return result != NULL ? json_incref(result) : json_null();
}

json_t *
ferry_client_call(FerryClient *client,
                  const char *server,
                  const char *method,
                  json_t *args,
                  guint timeout_ms,
                  GCancellable *cancellable,
                  GError **error)
{
    g_autofree char *routing_key =
        server != NULL ? g_strconcat(FERRY_TOPIC ".", server, NULL) : g_strdup(FERRY_TOPIC);
    g_auto(Call) call = {
        .msg_id = ferry_unique_id_new(),
        .deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000,
        .cancellable = cancellable,
    };
    gulong watch = cancellable != NULL
                       ? g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), client, NULL)
                       : 0;
    ferry_consumer_want_replies(client->consumer);
    g_autoptr(FerryJson) answer = exchange_messages(
        client, &call, routing_key, request_document(client, &call, method, args), error);
    /* Without the lock: it waits for a handler that is running, and that takes the lock. */
    g_cancellable_disconnect(cancellable, watch);
    return answer != NULL ? open_answer(answer, error) : NULL;
}

/* --- surveys ---------------------------------------------------------------------------------- */

static void
hand_over_answer(const json_t *answer, FerrySurveyFunc func, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) result = open_answer(answer, &error);
    func(result, error, user_data);
}

/* Lock held; released while @func runs. */
static void
collect(FerryClient *client, Call *call, FerrySurveyFunc func, gpointer user_data)
{
    json_t *answer = wait_for_answer(client, call);
    while (answer != NULL) {
        g_mutex_unlock(&client->lock);
        hand_over_answer(answer, func, user_data);
        json_decref(answer);
        g_mutex_lock(&client->lock);
        answer = wait_for_answer(client, call);
    }
}

bool
ferry_client_survey(FerryClient *client,
                    const char *method,
                    json_t *args,
                    guint window_ms,
                    FerrySurveyFunc func,
                    gpointer user_data,
                    GError **error)
{
    g_auto(Call) call = {
        .msg_id = ferry_unique_id_new(),
        .deadline_us = g_get_monotonic_time() + (gint64)window_ms * 1000,
    };
    g_autoptr(FerryJson) document = request_document(client, &call, method, args);
    ferry_consumer_want_replies(client->consumer);
    g_mutex_lock(&client->lock);
    wait_until_ready(client, &call);
    if (client->ready && !client->closed) {
        g_hash_table_insert(client->calls, call.msg_id, &call);
        send(client, &call, FERRY_OUTGOING_SURVEY, FANOUT_EXCHANGE, "", json_incref(document));
        collect(client, &call, func, user_data);
        g_hash_table_remove(client->calls, call.msg_id);
    }
    bool sent = call.confirmed;
    if (!sent)
        set_silence_error(client, &call, "all agents", error);
    g_mutex_unlock(&client->lock);
    return sent;
}
