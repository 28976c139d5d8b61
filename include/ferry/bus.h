/* bus.h: serves methods, calls those of peers, sends notifications and listens for them, by way of
 * a broker.
 *
 * A bus owns two threads with one AMQP connection each. One consumes requests, answers and
 * notifications; the other publishes and waits for confirms. They are apart because a broker under
 * alarm stops reading from connections that publish, and an abort must come in even then. Both
 * reconnect for ever, with back-off. The bus knows nothing of machines.
 *
 * Threads: new/start/free belong to one thread; everything else may be called from any.
 * Callbacks run in the GMainContext given to ferry_bus_new(), unless said otherwise.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/messaging-options.h"
#include "ferry/request.h"

#define FERRY_TOPIC "virt-ferry"
#define FERRY_API_VERSION "1.0"

typedef struct FerryBus FerryBus;

typedef enum {
    FERRY_METHOD_NONE = 0,
    /* Served on the shared queue and by fanout, too; without it a request must name its server. */
    FERRY_METHOD_SHARED = 1 << 0,
    /* The handler acknowledges, by answering or by ferry_request_ack() after its commit. */
    FERRY_METHOD_ORDER = 1 << 1,
    /* Its handler is done at once; it never waits for other requests to be done. */
    FERRY_METHOD_AT_ONCE = 1 << 2,
} FerryMethodFlags;

/* One served method. The bus checks the names of arguments, the handler their types. */
typedef struct {
    const char *name;
    FerryMethodFlags flags;
    const char *const *required; /* NULL-terminated, or NULL */
    const char *const *optional; /* NULL-terminated, or NULL */
} FerryMethod;

/** @request: (transfer none): ferry_request_ref() keeps it. */
typedef void (*FerryRequestFunc)(FerryRequest *request, gpointer user_data);

typedef struct {
    const char *server;         /* the agent's host name */
    const FerryMethod *methods; /* ends with a NULL name; must outlive the bus */
    FerryRequestFunc handle;
    gpointer user_data;
} FerryService;

/**
 * ferry_bus_new:
 * @options: (transfer none): copied
 * @program: for the broker's connection list, e.g. "virt-ferryd"
 * @context: (nullable): where callbacks run; NULL for a program that only makes calls
 * @error: FERRY_ERROR_CONFIG when the URL or an option is wrong; nothing has been connected
 * Returns: (transfer full): a bus that is not started yet.
 */
FerryBus *ferry_bus_new(const FerryMessagingOptions *options,
                        const char *program,
                        GMainContext *context,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Serves @service, which is copied, but for its table of methods. Call it before
 * ferry_bus_start(). */
void ferry_bus_serve(FerryBus *bus, const FerryService *service);

/** Called when the broker refuses us: a refused login, an unknown vhost, a declaration that
 * disagrees (406); once for each reason until a connection is made. The bus goes on trying slowly.
 * Without it the bus warns. @error: (transfer none). */
typedef void (*FerryBusRefusedFunc)(const GError *error, gpointer user_data);
void ferry_bus_set_refused_func(FerryBus *bus, FerryBusRefusedFunc func, gpointer user_data);

/** Called when another agent serves under our name and was there first; nothing is served while it
 * is. Without it the bus waits in silence. @error: FERRY_ERROR_CONFIG (transfer none). */
typedef void (*FerryBusTakenFunc)(const GError *error, gpointer user_data);
void ferry_bus_set_taken_func(FerryBus *bus, FerryBusTakenFunc func, gpointer user_data);

/** Starts both threads. Returns at once, even when no broker is there. */
void ferry_bus_start(FerryBus *bus);

/** Waits until both threads are connected and requests are consumed, the broker refuses us, or
 * @timeout_ms are over. @error: FERRY_ERROR_DESTINATION_UNREACHABLE with the last reason. */
bool
ferry_bus_wait_ready(FerryBus *bus, guint timeout_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Stops consuming requests and deletes our fanout queue, as a stock server does. No request is
 * handed to the service after this; answers and events are still published. Blocks a few seconds at
 * most. */
void ferry_bus_stop_serving(FerryBus *bus);

/** Waits until all answers and notifications are confirmed, or @timeout_ms are over. */
bool ferry_bus_flush(FerryBus *bus, guint timeout_ms);

/** Joins the threads. Pending calls end with FERRY_ERROR_CANCELLED. */
void ferry_bus_free(FerryBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryBus, ferry_bus_free)

/* A question to one agent. A plain value. */
typedef struct {
    const char *server; /* the host whose agent is asked; NULL: any agent */
    const char *method;
    json_t *args;              /* an object; NULL: none. Handed over with the call */
    guint timeout_ms;          /* from here to the answer */
    GCancellable *cancellable; /* NULL, or ends the wait, not the work of the far side */
} FerryCall;

/**
 * ferry_bus_call:
 * @call: its @args are taken; the rest stays the caller's
 * @error: what the far side answered (its own code, hint and details); or
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when no queue, no broker or no answer in time
 *   (details "reason": "no-queue", "no-broker" or "no-answer"); or FERRY_ERROR_CANCELLED
 * Blocks: never call it where callbacks run. Returns: (transfer full): the result, JSON null
 * included; NULL with @error set.
 */
json_t *
ferry_bus_call(FerryBus *bus, const FerryCall *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A question to all agents. A plain value. */
typedef struct {
    const char *method;
    json_t *args;              /* as a call's */
    guint window_ms;           /* answers are taken for so long */
    GCancellable *cancellable; /* NULL, or ends it before, which is no error */
} FerrySurvey;

/** Called in the thread of ferry_bus_survey() for each answer: with @result or @error, both
 * (transfer none). */
typedef void (*FerrySurveyFunc)(const json_t *result, const GError *error, gpointer user_data);

/** Asks all agents by fanout and calls @func for each answer that comes within the window.
 * Blocks. @error: FERRY_ERROR_DESTINATION_UNREACHABLE without a broker. */
bool ferry_bus_survey(FerryBus *bus,
                      const FerrySurvey *survey,
                      FerrySurveyFunc func,
                      gpointer user_data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A notification that is to be sent. A plain value; the bus copies its strings. */
typedef struct {
    const char *topic;        /* "notifications" */
    const char *priority;     /* "info", "error", "sample" */
    const char *publisher_id; /* "virt-ferryd.kvm01" */
    const char *event_type;
    const char *message_id; /* UUID with dashes, the same in every repetition */
    gint64 time_us;
    json_t *payload; /* (transfer none) */
    /* A sample has no queue declared, is neither confirmed nor sent again, and replaces one of the
     * same @replace_key that still waits. */
    bool sample;
    const char *replace_key;
} FerryNotification;

/** Called in the context of the bus once the broker has confirmed; only then is the event safe. */
typedef void (*FerryNotifiedFunc)(gpointer user_data);

/** Queues @notification, which waits for the broker however long it takes. Unless it is a sample,
 * exchange, queue and binding are declared first, so that it is kept while nobody listens.
 * @confirmed: (nullable). Notifications are published in the order of the calls. Never blocks. */
void ferry_bus_notify(FerryBus *bus,
                      const FerryNotification *notification,
                      FerryNotifiedFunc confirmed,
                      gpointer user_data);

/** @body: (transfer none): the whole notification: event_type, publisher_id, priority, payload,
 * timestamp, message_id. */
typedef void (*FerryNotificationFunc)(const json_t *body, gpointer user_data);

/** Listens with a queue that is exclusive to this connection and deleted with it, so nothing is
 * taken from other listeners. @keys: NULL-terminated routing keys such as
 * "notifications.info". Call before ferry_bus_start(). */
void ferry_bus_listen(FerryBus *bus,
                      const char *const *keys,
                      FerryNotificationFunc func,
                      gpointer user_data);
