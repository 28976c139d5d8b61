#include "config.h"

#include "client.h"

#include "failure.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "unique-id.h"

#include <string.h>

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

/* Names the call whose request was published. The caller may have returned meanwhile. */
typedef struct {
    FerryClient *client;
    char *msg_id;
} Dispatch;

static void
client_clear(gpointer data)
{
    FerryClient *self = data;

    g_hash_table_unref(self->calls);
    ferry_consumer_unref(self->consumer);
    ferry_publisher_unref(self->publisher);
    ferry_transport_unref(self->transport);
    g_cond_clear(&self->changed);
    g_mutex_clear(&self->lock);
}

FerryClient *
ferry_client_new(FerryTransport *transport, FerryPublisher *publisher, FerryConsumer *consumer)
{
    FerryClient *self = g_atomic_rc_box_new0(FerryClient);

    self->transport = ferry_transport_ref(transport);
    self->publisher = ferry_publisher_ref(publisher);
    self->consumer = ferry_consumer_ref(consumer);
    self->calls = g_hash_table_new(g_str_hash, g_str_equal);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return self;
}

FerryClient *
ferry_client_ref(FerryClient *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
ferry_client_unref(FerryClient *self)
{
    g_atomic_rc_box_release_full(self, client_clear);
}

/* --- told by bus and publisher ---------------------------------------------------------------- */

static void
set_flag(FerryClient *self, bool *flag, bool value)
{
    FERRY_LOCK_SCOPE(&self->lock);

    *flag = value;
    g_cond_broadcast(&self->changed);
}

void
ferry_client_close(FerryClient *self)
{
    set_flag(self, &self->closed, true);
}

void
ferry_client_set_ready(FerryClient *self, bool ready)
{
    set_flag(self, &self->ready, ready);
}

void
ferry_client_take_reply(FerryClient *self, json_t *message)
{
    const char *msg_id = ferry_json_get_string(message, "_msg_id");

    /* A heartbeat; our calls ask for none. */
    if (!msg_id || !ferry_json_get_bool(message, "ending", true))
        return;
    g_mutex_lock(&self->lock);
    Call *call = g_hash_table_lookup(self->calls, msg_id);
    if (call) {
        g_queue_push_tail(&call->answers, json_incref(message));
        g_cond_broadcast(&self->changed);
    }
    g_mutex_unlock(&self->lock);
    if (!call)
        g_debug("An answer came too late and is dropped");
}

static void
on_dispatched(FerryPublishResult result, gpointer user_data)
{
    const Dispatch *dispatch = user_data;
    FerryClient *self = dispatch->client;
    FERRY_LOCK_SCOPE(&self->lock);
    Call *call = g_hash_table_lookup(self->calls, dispatch->msg_id);

    if (call) {
        call->confirmed = result == FERRY_PUBLISH_CONFIRMED;
        call->returned = result == FERRY_PUBLISH_RETURNED;
        call->dropped = result == FERRY_PUBLISH_DROPPED;
        g_cond_broadcast(&self->changed);
    }
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
    FerryClient *self = user_data;
    FERRY_LOCK_SCOPE(&self->lock);

    g_cond_broadcast(&self->changed);
}

/* @cancellable: (nullable). Returns: for g_cancellable_disconnect(). */
static gulong
watch_cancellable(FerryClient *self, GCancellable *cancellable)
{
    return cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self, NULL)
                       : 0;
}

/* --- waiting (lock held) ---------------------------------------------------------------------- */

static bool
is_given_up(const FerryClient *self, const Call *call)
{
    return self->closed || g_cancellable_is_cancelled(call->cancellable);
}

/* Returns: false when the deadline has passed. */
static bool
wait_for_change(FerryClient *self, const Call *call)
{
    return g_cond_wait_until(&self->changed, &self->lock, call->deadline_us);
}

static void
wait_until_ready(FerryClient *self, const Call *call)
{
    bool in_time = true;

    while (!self->ready && !is_given_up(self, call) && in_time)
        in_time = wait_for_change(self, call);
}

/* Returns: (transfer full) (nullable): the next answer. */
static json_t *
wait_for_answer(FerryClient *self, Call *call)
{
    bool in_time = true;

    while (g_queue_is_empty(&call->answers) && !call->returned && !call->dropped &&
           !is_given_up(self, call) && in_time)
        in_time = wait_for_change(self, call);
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
request_document(const FerryClient *self, const Call *call, const char *method, json_t *args)
{
    g_autofree char *unique_id = ferry_unique_id_new();

    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:n, s:s}", "method", method, "args",
                     args ? args : json_object(), "version", FERRY_API_VERSION, "_msg_id",
                     call->msg_id, "_reply_q", ferry_consumer_reply_queue(self->consumer),
                     "_timeout", "_unique_id", unique_id);
}

/* @document: (transfer full). */
static void
send(FerryClient *self,
     const Call *call,
     FerryOutgoingKind kind,
     const char *exchange,
     const char *routing_key,
     json_t *document)
{
    FerryOutgoing *outgoing = ferry_outgoing_new(kind, exchange, routing_key, document);
    Dispatch *dispatch = g_new0(Dispatch, 1);

    dispatch->client = ferry_client_ref(self);
    dispatch->msg_id = g_strdup(call->msg_id);
    outgoing->deadline_us = call->deadline_us;
    outgoing->done = on_dispatched;
    outgoing->user_data = dispatch;
    outgoing->destroy = dispatch_free;
    ferry_publisher_push(self->publisher, outgoing);
}

static void
set_unreachable(GError **error, const char *reason, const char *hint, const char *what)
{
    GError *unreachable = ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, hint, "%s", what);

    ferry_error_set_detail(unreachable, "reason", json_string(reason));
    g_propagate_error(error, unreachable);
}

/* Sets @error to the reason why there is no answer. Lock held. */
static void
set_silence_error(const FerryClient *self, const Call *call, const char *target, GError **error)
{
    g_autofree char *what = NULL;

    if (is_given_up(self, call)) {
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The call to %s was given up", target);
    } else if (call->dropped && g_get_monotonic_time() < call->deadline_us) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "The request to %s was not sent: it is too long, or the broker refuses it",
                        target);
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

/* Publishes @document (transfer full) and waits. Returns: the first answer, or NULL with @error. */
static json_t *
exchange_messages(
    FerryClient *self, Call *call, const char *routing_key, json_t *document, GError **error)
{
    json_t *answer = NULL;

    g_mutex_lock(&self->lock);
    wait_until_ready(self, call);
    if (self->ready && !is_given_up(self, call)) {
        g_hash_table_insert(self->calls, call->msg_id, call);
        send(self, call, FERRY_OUTGOING_CALL, self->transport->options->control_exchange,
             routing_key, json_incref(document));
        answer = wait_for_answer(self, call);
        g_hash_table_remove(self->calls, call->msg_id);
    }
    if (!answer)
        set_silence_error(self, call, routing_key, error);
    g_mutex_unlock(&self->lock);
    json_decref(document);
    return answer;
}

/* Returns: (transfer full) (nullable): the result in @answer, or NULL with the far side's error. */
static json_t *
open_answer(const json_t *answer, GError **error)
{
    const char *failure = ferry_json_get_string(answer, "failure");
    json_t *result = json_object_get(answer, "result");

    if (failure && failure[0] != '\0') {
        g_propagate_error(error, ferry_failure_to_error(failure));
        return NULL;
    }
    return result ? json_incref(result) : json_null();
}

json_t *
ferry_client_call(FerryClient *self, const FerryCall *question, GError **error)
{
    g_autofree char *routing_key = question->server
                                       ? g_strconcat(FERRY_TOPIC ".", question->server, NULL)
                                       : g_strdup(FERRY_TOPIC);
    GCancellable *cancellable = question->cancellable;
    g_auto(Call) call = {
        .msg_id = ferry_unique_id_new(),
        .deadline_us = g_get_monotonic_time() + (gint64)question->timeout_ms * 1000,
        .cancellable = cancellable,
    };
    if (strlen(routing_key) > FERRY_AMQP_NAME_MAX) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Check the host's name",
                        "A host's name has at most %zu bytes, not %zu",
                        FERRY_AMQP_NAME_MAX - strlen(FERRY_TOPIC "."), strlen(question->server));
        json_decref(question->args);
        return NULL;
    }
    gulong watch = watch_cancellable(self, cancellable);

    ferry_consumer_request_replies(self->consumer);
    g_autoptr(FerryJson) answer =
        exchange_messages(self, &call, routing_key,
                          request_document(self, &call, question->method, question->args), error);
    /* Not under the lock: this waits for a running on_cancelled(), which takes it. */
    g_cancellable_disconnect(cancellable, watch);
    return answer ? open_answer(answer, error) : NULL;
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
collect(FerryClient *self, Call *call, FerrySurveyFunc func, gpointer user_data)
{
    json_t *answer = wait_for_answer(self, call);

    while (answer) {
        g_mutex_unlock(&self->lock);
        hand_over_answer(answer, func, user_data);
        json_decref(answer);
        g_mutex_lock(&self->lock);
        answer = wait_for_answer(self, call);
    }
}

bool
ferry_client_survey(FerryClient *self,
                    const FerrySurvey *survey,
                    FerrySurveyFunc func,
                    gpointer user_data,
                    GError **error)
{
    g_auto(Call) call = {
        .msg_id = ferry_unique_id_new(),
        .deadline_us = g_get_monotonic_time() + (gint64)survey->window_ms * 1000,
        .cancellable = survey->cancellable,
    };
    g_autoptr(FerryJson) document = request_document(self, &call, survey->method, survey->args);
    gulong watch = watch_cancellable(self, survey->cancellable);

    ferry_consumer_request_replies(self->consumer);
    g_mutex_lock(&self->lock);
    wait_until_ready(self, &call);
    if (self->ready && !self->closed) {
        g_hash_table_insert(self->calls, call.msg_id, &call);
        send(self, &call, FERRY_OUTGOING_SURVEY, FANOUT_EXCHANGE, "", json_incref(document));
        collect(self, &call, func, user_data);
        g_hash_table_remove(self->calls, call.msg_id);
    }
    bool sent = call.confirmed;
    if (!sent)
        set_silence_error(self, &call, "all agents", error);
    g_mutex_unlock(&self->lock);
    g_cancellable_disconnect(survey->cancellable, watch);
    return sent;
}
