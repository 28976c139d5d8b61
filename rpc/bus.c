#include "config.h"

#include "ferry/bus.h"

#include "client.h"
#include "consumer.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "publisher.h"
#include "request-origin.h"
#include "transport.h"

#define STOP_SERVING_MS 3000

/* Reference counted inside: what waits in the context holds it. */
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

    /* Atomic. */
    gint closed;
    gint rests;

    /* Guarded by lock. */
    GMutex lock;
    GCond changed;
    bool consumer_up;
    bool publisher_up;
    bool refused; /* and told */
    GError *last_reason;
};

static void
bus_clear(gpointer data)
{
    FerryBus *bus = data;
    ferry_client_unref(bus->client);
    ferry_consumer_unref(bus->consumer);
    ferry_publisher_unref(bus->publisher);
    ferry_transport_unref(bus->transport);
    g_clear_pointer(&bus->context, g_main_context_unref);
    g_clear_error(&bus->last_reason);
    g_cond_clear(&bus->changed);
    g_mutex_clear(&bus->lock);
}

static FerryBus *
bus_ref(FerryBus *bus)
{
    return g_atomic_rc_box_acquire(bus);
}

static void
bus_unref(FerryBus *bus)
{
    g_atomic_rc_box_release_full(bus, bus_clear);
}

/* --- into the context ------------------------------------------------------------------------- */

/* Something to be told in the context of the bus; @tell is not called when the bus is gone. */
typedef struct {
    FerryBus *bus;
    void (*tell)(FerryBus *bus, gpointer item);
    gpointer item;
    GDestroyNotify free_item; /* nullable */
} Errand;

static gboolean
run_errand(gpointer data)
{
    const Errand *errand = data;
    if (g_atomic_int_get(&errand->bus->closed) == 0)
        errand->tell(errand->bus, errand->item);
    return G_SOURCE_REMOVE;
}

static void
errand_free(gpointer data)
{
    Errand *errand = data;
    if (errand->free_item != NULL)
        errand->free_item(errand->item);
    bus_unref(errand->bus);
    g_free(errand);
}

/* Never runs it in this thread, as g_main_context_invoke() might. @item: (transfer full). */
static void
hand_over(FerryBus *bus,
          void (*tell)(FerryBus *bus, gpointer item),
          gpointer item,
          GDestroyNotify free_item)
{
    Errand *errand = g_new0(Errand, 1);
    *errand = (Errand){bus_ref(bus), tell, item, free_item};
    if (bus->context == NULL) {
        errand_free(errand);
        return;
    }
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_errand, errand, errand_free);
    g_source_set_static_name(source, "ferry-bus");
    g_source_attach(source, bus->context);
}

/* --- requests --------------------------------------------------------------------------------- */

/* An order that nobody acknowledged goes back to the queue; everything else is answered. */
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
tell_request(FerryBus *bus, gpointer item)
{
    if (g_atomic_int_get(&bus->rests) != 0)
        turn_away(item);
    else
        bus->service.handle(item, bus->service.user_data);
}

/* Also where the bus was freed before the request's turn came: it is not silently lost. */
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
tell_notification(FerryBus *bus, gpointer item)
{
    bus->on_notification(item, bus->notification_data);
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
    const FerryBus *bus = user_data;
    ferry_client_take_reply(bus->client, message);
}

static void
on_replies_ready(bool ready, gpointer user_data)
{
    const FerryBus *bus = user_data;
    ferry_client_set_ready(bus->client, ready);
}

/* --- state ------------------------------------------------------------------------------------ */

static void
tell_refused(FerryBus *bus, gpointer item)
{
    if (bus->on_refused != NULL)
        bus->on_refused(item, bus->refused_data);
}

static void
set_state(FerryBus *bus, bool *up, const GError *reason)
{
    g_mutex_lock(&bus->lock);
    bool tell = g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG) && !bus->refused;
    *up = reason == NULL;
    bus->refused = bus->refused || tell;
    if (reason != NULL) {
        g_clear_error(&bus->last_reason);
        bus->last_reason = g_error_copy(reason);
    }
    g_cond_broadcast(&bus->changed);
    g_mutex_unlock(&bus->lock);
    if (tell)
        hand_over(bus, tell_refused, g_error_copy(reason), (GDestroyNotify)g_error_free);
}

static void
on_consumer_state(const GError *reason, gpointer user_data)
{
    FerryBus *bus = user_data;
    set_state(bus, &bus->consumer_up, reason);
}

static void
on_publisher_state(const GError *reason, gpointer user_data)
{
    FerryBus *bus = user_data;
    set_state(bus, &bus->publisher_up, reason);
}

static const FerryConsumerEvents consumer_events = {
    .request = on_request,
    .reply = on_reply,
    .replies_ready = on_replies_ready,
    .notification = on_notification,
    .state = on_consumer_state,
};

/* --- life ------------------------------------------------------------------------------------- */

FerryBus *
ferry_bus_new(const FerryMessagingOptions *options,
              const char *program,
              GMainContext *context,
              GError **error)
{
    g_autoptr(FerryTransport) transport = ferry_transport_new(options, program, error);
    if (transport == NULL)
        return NULL;
    FerryBus *bus = g_atomic_rc_box_new0(FerryBus);
    g_mutex_init(&bus->lock);
    g_cond_init(&bus->changed);
    bus->context = context != NULL ? g_main_context_ref(context) : NULL;
    bus->publisher = ferry_publisher_new(transport, on_publisher_state, bus);
    bus->consumer = ferry_consumer_new(transport, bus->publisher, &consumer_events, bus);
    bus->client = ferry_client_new(transport, bus->publisher, bus->consumer);
    bus->transport = g_steal_pointer(&transport);
    return bus;
}

void
ferry_bus_serve(FerryBus *bus, const FerryService *service)
{
    g_return_if_fail(bus->context != NULL && bus->service.handle == NULL);
    bus->service = *service;
    /* The consumer keeps its own copy of the name. */
    bus->service.server = NULL;
    ferry_consumer_serve(bus->consumer, service->server, service->methods);
}

void
ferry_bus_listen(FerryBus *bus,
                 const char *const *keys,
                 FerryNotificationFunc func,
                 gpointer user_data)
{
    g_return_if_fail(bus->context != NULL && bus->on_notification == NULL);
    bus->on_notification = func;
    bus->notification_data = user_data;
    ferry_consumer_listen(bus->consumer, keys);
}

void
ferry_bus_set_refused_func(FerryBus *bus, FerryBusRefusedFunc func, gpointer user_data)
{
    bus->on_refused = func;
    bus->refused_data = user_data;
}

void
ferry_bus_start(FerryBus *bus)
{
    ferry_publisher_start(bus->publisher);
    ferry_consumer_start(bus->consumer);
}

static GError *
unready_error(const FerryBus *bus)
{
    GError *error = ferry_error_new(
        FERRY_ERROR_DESTINATION_UNREACHABLE,
        bus->last_reason != NULL ? ferry_error_hint(bus->last_reason) : NULL, "No broker: %s",
        bus->last_reason != NULL ? bus->last_reason->message : "it did not answer in time");
    ferry_error_set_detail(error, "reason", json_string(bus->refused ? "refused" : "no-broker"));
    return error;
}

bool
ferry_bus_wait_ready(FerryBus *bus, guint timeout_ms, GError **error)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = true;
    g_mutex_lock(&bus->lock);
    while (!(bus->consumer_up && bus->publisher_up) && !bus->refused && in_time)
        in_time = g_cond_wait_until(&bus->changed, &bus->lock, end_us);
    bool ready = bus->consumer_up && bus->publisher_up;
    if (!ready)
        g_propagate_error(error, unready_error(bus));
    g_mutex_unlock(&bus->lock);
    return ready;
}

void
ferry_bus_stop_serving(FerryBus *bus)
{
    g_atomic_int_set(&bus->rests, 1);
    ferry_consumer_stop_serving(bus->consumer, STOP_SERVING_MS);
}

bool
ferry_bus_flush(FerryBus *bus, guint timeout_ms)
{
    return ferry_publisher_flush(bus->publisher, timeout_ms);
}

void
ferry_bus_free(FerryBus *bus)
{
    if (bus == NULL)
        return;
    g_atomic_int_set(&bus->closed, 1);
    ferry_client_close(bus->client);
    ferry_consumer_stop(bus->consumer);
    ferry_publisher_stop(bus->publisher);
    bus_unref(bus);
}

/* --- calls ------------------------------------------------------------------------------------ */

json_t *
ferry_bus_call(FerryBus *bus,
               const char *server,
               const char *method,
               json_t *args,
               guint timeout_ms,
               GCancellable *cancellable,
               GError **error)
{
    /* Outlives the bus if that is freed meanwhile. */
    g_autoptr(FerryClient) client = ferry_client_ref(bus->client);
    return ferry_client_call(client, server, method, args, timeout_ms, cancellable, error);
}

bool
ferry_bus_survey(FerryBus *bus,
                 const char *method,
                 json_t *args,
                 guint window_ms,
                 FerrySurveyFunc func,
                 gpointer user_data,
                 GError **error)
{
    g_autoptr(FerryClient) client = ferry_client_ref(bus->client);
    return ferry_client_survey(client, method, args, window_ms, func, user_data, error);
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
tell_confirmed(FerryBus *bus, gpointer item)
{
    const Confirmation *confirmation = item;
    confirmation->confirmed(confirmation->user_data);
}

static void
on_published(FerryFate fate, gpointer user_data)
{
    const Confirmation *confirmation = user_data;
    if (fate != FERRY_FATE_CONFIRMED)
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
ferry_bus_notify(FerryBus *bus,
                 const FerryNotification *notification,
                 FerryNotifiedFunc confirmed,
                 gpointer user_data)
{
    g_autofree char *key = g_strdup_printf("%s.%s", notification->topic, notification->priority);
    FerryOutgoing *outgoing = ferry_outgoing_new(
        notification->sample ? FERRY_OUTGOING_SAMPLE : FERRY_OUTGOING_NOTIFICATION,
        bus->transport->options->control_exchange, key, notification_document(notification));
    outgoing->replace_key = g_strdup(notification->replace_key);
    if (confirmed != NULL) {
        Confirmation *confirmation = g_new0(Confirmation, 1);
        *confirmation = (Confirmation){bus_ref(bus), confirmed, user_data};
        outgoing->done = on_published;
        outgoing->user_data = confirmation;
        outgoing->destroy = confirmation_free;
    }
    ferry_publisher_push(bus->publisher, outgoing);
}
