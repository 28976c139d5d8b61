#include "config.h"

#include "ferry/bus.h"

#include "client.h"
#include "consumer.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "publisher.h"
#include "request-origin.h"
#include "transport.h"

#define STOP_SERVING_MS 3000
/* After so long it is said that no broker has answered yet. */
#define SILENCE_MS 1500

/* Reference counted inside this file: callbacks that wait in the main loop hold a reference. */
struct FerryBus {
    /* Immutable once started. */
    FerryTransport *transport;
    GMainContext *context; /* nullable */
    FerryPublisher *publisher;
    FerryConsumer *consumer;
    FerryClient *client;
    FerryService service;
    FerryNotificationFunc on_notification;
    gpointer notification_data;
    FerryBusRefusedFunc on_refused;
    gpointer refused_data;
    FerryBusTakenFunc on_taken;
    gpointer taken_data;
    GSource *silence; /* nullable */

    /* Atomic. */
    gint closed;
    gint serving_stopped;

    /* Guarded by lock. */
    GMutex lock;
    GCond changed;
    bool consumer_up;
    bool publisher_up;
    bool refused; /* the broker refused us */
    GError *last_reason;
};

static void
bus_clear(gpointer data)
{
    FerryBus *self = data;

    ferry_client_unref(self->client);
    ferry_consumer_unref(self->consumer);
    ferry_publisher_unref(self->publisher);
    ferry_transport_unref(self->transport);
    g_clear_pointer(&self->context, g_main_context_unref);
    g_clear_error(&self->last_reason);
    g_cond_clear(&self->changed);
    g_mutex_clear(&self->lock);
}

static FerryBus *
bus_ref(FerryBus *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
bus_unref(FerryBus *self)
{
    g_atomic_rc_box_release_full(self, bus_clear);
}

static void
bus_unref_data(gpointer data)
{
    bus_unref(data);
}

/* --- main-loop callbacks ---------------------------------------------------------------------- */

/* A call of @tell that waits for the main loop of the bus. It is left out when the bus was freed
 * meanwhile. */
typedef struct {
    FerryBus *bus;
    void (*tell)(FerryBus *bus, gpointer item);
    gpointer item;
    GDestroyNotify free_item; /* nullable */
} MainCallback;

static gboolean
run_callback(gpointer data)
{
    const MainCallback *callback = data;

    if (g_atomic_int_get(&callback->bus->closed) == 0)
        callback->tell(callback->bus, callback->item);
    return G_SOURCE_REMOVE;
}

static void
callback_free(gpointer data)
{
    MainCallback *callback = data;

    if (callback->free_item)
        callback->free_item(callback->item);
    bus_unref(callback->bus);
    g_free(callback);
}

/* Has the main loop call @tell, never this thread, as g_main_context_invoke() might.
 * @item: (transfer full). */
static void
hand_over(FerryBus *self,
          void (*tell)(FerryBus *self, gpointer item),
          gpointer item,
          GDestroyNotify free_item)
{
    MainCallback *callback = g_new0(MainCallback, 1);

    *callback = (MainCallback){bus_ref(self), tell, item, free_item};
    if (!self->context) {
        callback_free(callback);
        return;
    }
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_callback, callback, callback_free);
    g_source_set_static_name(source, "ferry-bus");
    g_source_attach(source, self->context);
}

/* --- requests --------------------------------------------------------------------------------- */

/* An order that is not acknowledged stays in its queue for the next process; every other request is
 * answered. */
static void
turn_away(FerryRequest *request)
{
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE,
                                              "Ask again when it is back", "The agent is stopping");

    if (ferry_request_is_owing(request))
        ferry_request_abandon(request);
    else
        ferry_request_fail(request, error);
}

static void
tell_request(FerryBus *self, gpointer item)
{
    if (g_atomic_int_get(&self->serving_stopped) != 0)
        turn_away(item);
    else
        self->service.handle(item, self->service.user_data);
}

/* Also called when the bus was freed first: the last reference to a request answers it. */
static void
release_request(gpointer item)
{
    ferry_request_unref(item);
}

static void
on_request(FerryRequest *request, gpointer user_data)
{
    hand_over(user_data, tell_request, request, release_request);
}

/* --- notifications in ------------------------------------------------------------------------- */

static void
tell_notification(FerryBus *self, gpointer item)
{
    self->on_notification(item, self->notification_data);
}

static void
on_notification(json_t *body, gpointer user_data)
{
    hand_over(user_data, tell_notification, body, (GDestroyNotify)json_decref);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
on_reply(json_t *message, gpointer user_data)
{
    const FerryBus *self = user_data;

    ferry_client_take_reply(self->client, message);
}

static void
on_replies_ready(bool ready, gpointer user_data)
{
    const FerryBus *self = user_data;

    ferry_client_set_ready(self->client, ready);
}

/* --- state ------------------------------------------------------------------------------------ */

static void
tell_refused(FerryBus *self, gpointer item)
{
    const GError *error = item;
    const char *hint = ferry_error_hint(error);

    if (self->on_refused)
        self->on_refused(error, self->refused_data);
    else
        g_warning("The broker refuses: %s%s%s", error->message, hint ? "; " : "", hint ? hint : "");
}

static void
tell_taken(FerryBus *self, gpointer item)
{
    if (self->on_taken)
        self->on_taken(item, self->taken_data);
}

static void
on_rival(const GError *error, gpointer user_data)
{
    hand_over(user_data, tell_taken, g_error_copy(error), (GDestroyNotify)g_error_free);
}

static void
set_state(FerryBus *self, bool *up, const GError *reason)
{
    bool refusal = g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG);
    bool tell = refusal && ferry_transport_tell(self->transport, reason->message);

    g_mutex_lock(&self->lock);
    *up = !reason;
    self->refused = self->refused || refusal;
    if (reason) {
        g_clear_error(&self->last_reason);
        self->last_reason = g_error_copy(reason);
    }
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    if (tell)
        hand_over(self, tell_refused, g_error_copy(reason), (GDestroyNotify)g_error_free);
}

static void
on_consumer_state(const GError *reason, gpointer user_data)
{
    FerryBus *self = user_data;

    set_state(self, &self->consumer_up, reason);
}

static void
on_publisher_state(const GError *reason, gpointer user_data)
{
    FerryBus *self = user_data;

    set_state(self, &self->publisher_up, reason);
}

static const FerryConsumerEvents consumer_events = {
    .request = on_request,
    .reply = on_reply,
    .replies_ready = on_replies_ready,
    .notification = on_notification,
    .rival = on_rival,
    .state = on_consumer_state,
};

/* --- creating and freeing --------------------------------------------------------------------- */

FerryBus *
ferry_bus_new(const FerryMessagingOptions *options,
              const char *program,
              GMainContext *context,
              GError **error)
{
    g_autoptr(FerryTransport) transport = ferry_transport_new(options, program, error);

    if (!transport)
        return NULL;

    FerryBus *self = g_atomic_rc_box_new0(FerryBus);

    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->context = context ? g_main_context_ref(context) : NULL;
    self->publisher = ferry_publisher_new(transport, on_publisher_state, self);
    self->consumer = ferry_consumer_new(transport, self->publisher, &consumer_events, self);
    self->client = ferry_client_new(transport, self->publisher, self->consumer);
    self->transport = g_steal_pointer(&transport);
    return self;
}

void
ferry_bus_serve(FerryBus *self, const FerryService *service)
{
    g_return_if_fail(self->context && !self->service.handle);
    self->service = *service;
    /* The consumer keeps its own copy of the name. */
    self->service.server = NULL;
    ferry_consumer_serve(self->consumer, service->server, service->methods);
}

void
ferry_bus_listen(FerryBus *self,
                 const char *const *keys,
                 FerryNotificationFunc func,
                 gpointer user_data)
{
    g_return_if_fail(self->context && !self->on_notification);
    self->on_notification = func;
    self->notification_data = user_data;
    ferry_consumer_listen(self->consumer, keys);
}

void
ferry_bus_set_refused_func(FerryBus *self, FerryBusRefusedFunc func, gpointer user_data)
{
    self->on_refused = func;
    self->refused_data = user_data;
}

void
ferry_bus_set_taken_func(FerryBus *self, FerryBusTakenFunc func, gpointer user_data)
{
    self->on_taken = func;
    self->taken_data = user_data;
}

/* A broker behind a link that swallows everything is given up much later. */
static gboolean
on_silence(gpointer data)
{
    FerryBus *self = data;

    g_mutex_lock(&self->lock);
    bool silent = !self->publisher_up && !self->last_reason;
    g_mutex_unlock(&self->lock);
    if (silent)
        g_warning("The broker has not answered yet; it is tried again and again");
    return G_SOURCE_REMOVE;
}

static void
watch_silence(FerryBus *self)
{
    self->silence = g_timeout_source_new(SILENCE_MS);
    g_source_set_callback(self->silence, on_silence, bus_ref(self), bus_unref_data);
    g_source_attach(self->silence, self->context);
}

void
ferry_bus_start(FerryBus *self)
{
    if (self->context)
        watch_silence(self);
    ferry_publisher_start(self->publisher);
    ferry_consumer_start(self->consumer);
}

static GError *
unready_error(const FerryBus *self)
{
    GError *error = ferry_error_new(
        FERRY_ERROR_DESTINATION_UNREACHABLE,
        self->last_reason ? ferry_error_hint(self->last_reason) : NULL, "No broker: %s",
        self->last_reason ? self->last_reason->message : "it did not answer in time");

    ferry_error_set_detail(error, "reason", json_string(self->refused ? "refused" : "no-broker"));
    return error;
}

bool
ferry_bus_wait_ready(FerryBus *self, guint timeout_ms, GError **error)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = true;
    FERRY_LOCK_SCOPE(&self->lock);

    while (!(self->consumer_up && self->publisher_up) && !self->refused && in_time)
        in_time = g_cond_wait_until(&self->changed, &self->lock, end_us);
    bool ready = self->consumer_up && self->publisher_up;
    if (!ready)
        g_propagate_error(error, unready_error(self));
    return ready;
}

void
ferry_bus_stop_serving(FerryBus *self)
{
    g_atomic_int_set(&self->serving_stopped, 1);
    ferry_consumer_stop_serving(self->consumer, STOP_SERVING_MS);
}

bool
ferry_bus_flush(FerryBus *self, guint timeout_ms)
{
    return ferry_publisher_flush(self->publisher, timeout_ms);
}

void
ferry_bus_free(FerryBus *self)
{
    if (!self)
        return;
    g_atomic_int_set(&self->closed, 1);
    if (self->silence)
        g_source_destroy(self->silence);
    g_clear_pointer(&self->silence, g_source_unref);
    ferry_client_close(self->client);
    ferry_consumer_stop(self->consumer);
    ferry_publisher_stop(self->publisher);
    bus_unref(self);
}

/* --- calls ------------------------------------------------------------------------------------ */

json_t *
ferry_bus_call(FerryBus *self, const FerryCall *call, GError **error)
{
    /* Outlives the bus if that is freed meanwhile. */
    g_autoptr(FerryClient) client = ferry_client_ref(self->client);

    return ferry_client_call(client, call, error);
}

bool
ferry_bus_survey(FerryBus *self,
                 const FerrySurvey *survey,
                 FerrySurveyFunc func,
                 gpointer user_data,
                 GError **error)
{
    g_autoptr(FerryClient) client = ferry_client_ref(self->client);

    return ferry_client_survey(client, survey, func, user_data, error);
}

/* --- notifications out ------------------------------------------------------------------------ */

typedef struct {
    FerryBus *bus;
    FerryNotifiedFunc confirmed;
    gpointer user_data;
} Confirmation;

static void
confirmation_free(gpointer data)
{
    Confirmation *confirmation = data;

    bus_unref(confirmation->bus);
    g_free(confirmation);
}

static void
tell_confirmed(FerryBus *self, gpointer item)
{
    const Confirmation *confirmation = item;

    confirmation->confirmed(confirmation->user_data);
}

static void
on_published(FerryPublishResult result, gpointer user_data)
{
    const Confirmation *confirmation = user_data;

    if (result != FERRY_PUBLISH_CONFIRMED)
        return;
    Confirmation *copy = g_memdup2(confirmation, sizeof *confirmation);
    bus_ref(copy->bus);
    hand_over(confirmation->bus, tell_confirmed, copy, confirmation_free);
}

static json_t *
notification_document(const FerryNotification *notification)
{
    g_autofree char *priority = g_ascii_strup(notification->priority, -1);
    g_autofree char *timestamp = ferry_clock_format_oslo(notification->time_us);

    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:s}", "message_id", notification->message_id,
                     "publisher_id", notification->publisher_id, "event_type",
                     notification->event_type, "priority", priority, "payload",
                     notification->payload, "timestamp", timestamp);
}

void
ferry_bus_notify(FerryBus *self,
                 const FerryNotification *notification,
                 FerryNotifiedFunc confirmed,
                 gpointer user_data)
{
    g_autofree char *key = g_strdup_printf("%s.%s", notification->topic, notification->priority);
    FerryOutgoing *outgoing = ferry_outgoing_new(
        notification->sample ? FERRY_OUTGOING_SAMPLE : FERRY_OUTGOING_NOTIFICATION,
        self->transport->options->control_exchange, key, notification_document(notification));

    outgoing->replace_key = g_strdup(notification->replace_key);
    if (confirmed) {
        Confirmation *confirmation = g_new0(Confirmation, 1);

        *confirmation = (Confirmation){bus_ref(self), confirmed, user_data};
        outgoing->done = on_published;
        outgoing->user_data = confirmation;
        outgoing->destroy = confirmation_free;
    }
    ferry_publisher_push(self->publisher, outgoing);
}
