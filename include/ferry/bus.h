/* bus.h: the way to the broker: served methods, calls to peers, notifications out and in.
 *
 * A bus owns two threads with one AMQP connection each: one consumes (requests, replies,
 * notifications), one publishes and waits for confirms, because a broker under alarm stops reading
 * from connections that publish and an abort must still come in. Both reconnect for ever with
 * back-off. Nothing here knows what a machine is.
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
    /* Served on the shared topic queue and on fanout too; all others need a named server. */
    FERRY_METHOD_SHARED = 1 << 0,
    /* The handler acknowledges (by answering, or by ferry_request_ack() after its commit). */
    FERRY_METHOD_ORDER = 1 << 1,
} FerryMethodFlags;

/* One served method. Names of arguments only: their types are the handler's business. */
typedef struct {
    const char *name;
    FerryMethodFlags flags;
    const char *const *required; /* NULL-terminated, or NULL */
    const char *const *optional; /* NULL-terminated, or NULL */
} FerryMethod;

/** @request: (transfer none): keep it by ferry_request_ref(). */
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
 * @context: (nullable): where callbacks run; NULL for a program that has none (then only calls)
 * @error: FERRY_ERROR_CONFIG when the URL or an option is wrong; nothing has been connected
 * Returns: (transfer full): a bus at rest; threads run from ferry_bus_start() on.
 */
FerryBus *ferry_bus_new(const FerryMessagingOptions *options,
                        const char *program,
                        GMainContext *context,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Serves @service from the next connection on; call before ferry_bus_start(). Copied, but for the
 * method table. */
void ferry_bus_serve(FerryBus *bus, const FerryService *service);

/** What stops a bus for good: refused login, unknown vhost, declarations that disagree (406). Told
 * once; the bus goes on trying slowly. @error: (transfer none). */
typedef void (*FerryBusRefusedFunc)(const GError *error, gpointer user_data);
void ferry_bus_set_refused_func(FerryBus *bus, FerryBusRefusedFunc func, gpointer user_data);

/** Starts both threads; returns at once, also when no broker is there. */
void ferry_bus_start(FerryBus *bus);

/** Waits until both connections stand (and the service consumes), or @timeout_ms are over, or the
 * broker refused us. @error: FERRY_ERROR_DESTINATION_UNREACHABLE with the last reason. */
bool
ferry_bus_wait_ready(FerryBus *bus, guint timeout_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Stops consuming: no request is handed out after this; answers and events still go out. Deletes
 * the own fanout queue, as a stock server does. Blocks a few seconds at most. */
void ferry_bus_stop_serving(FerryBus *bus);

/** Waits until everything handed over was published and confirmed, or @timeout_ms are over. */
bool ferry_bus_flush(FerryBus *bus, guint timeout_ms);

/** Joins the threads. Pending calls end with FERRY_ERROR_CANCELLED. */
void ferry_bus_free(FerryBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryBus, ferry_bus_free)

/* A question to one agent. A plain value. */
typedef struct {
    const char *server; /* the host whose agent is asked; NULL: any agent */
    const char *method;
    json_t *args;              /* an object; NULL: none. Handed over with the call */
    guint timeout_ms;          /* for the whole of it */
    GCancellable *cancellable; /* NULL, or ends the wait, not the work at the far side */
} FerryCall;

/**
 * ferry_bus_call:
 * @call: its @args are taken; the rest stays the caller's
 * @error: what the far side answered (its own code, hint and details); or
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when no queue, no broker or no answer in time
 *   (details "reason": "no-queue", "no-broker" or "no-answer"); or FERRY_ERROR_CANCELLED
 * Blocks; never call it where callbacks run. Returns: (transfer full): the result, JSON null
 * included; NULL with @error set.
 */
json_t *
ferry_bus_call(FerryBus *bus, const FerryCall *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A question to all agents. A plain value. */
typedef struct {
    const char *method;
    json_t *args;    /* as a call's */
    guint window_ms; /* answers are taken for so long */
} FerrySurvey;

/** One answer to a survey: @result or @error, both (transfer none). Runs in the caller's thread. */
typedef void (*FerrySurveyFunc)(const json_t *result, const GError *error, gpointer user_data);

/** Asks all agents by fanout and hands over each answer as it comes, until the window is over.
 * Blocks. @error: FERRY_ERROR_DESTINATION_UNREACHABLE without a broker. */
bool ferry_bus_survey(FerryBus *bus,
                      const FerrySurvey *survey,
                      FerrySurveyFunc func,
                      gpointer user_data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A notification on its way out; a plain value whose strings the bus copies. */
typedef struct {
    const char *topic;        /* "notifications" */
    const char *priority;     /* "info", "error", "sample" */
    const char *publisher_id; /* "virt-ferryd.kvm01" */
    const char *event_type;
    const char *message_id; /* UUID with dashes, the same at every repetition */
    gint64 time_us;
    json_t *payload; /* (transfer none) */
    /* A sample: no queue is declared for it, it is neither confirmed nor repeated, and one that
     * still waits is replaced by a later one of the same @replace_key. */
    bool sample;
    const char *replace_key;
} FerryNotification;

/** Runs in the bus' context once the broker confirmed; only then is the event safe. */
typedef void (*FerryNotifiedFunc)(gpointer user_data);

/** Queues @notification for publishing; it waits for the broker as long as it takes. Not sample:
 * exchange, queue and binding are declared first, so nothing is lost while nobody listens.
 * @confirmed: (nullable). Order of calls = order of publishing. Never blocks. */
void ferry_bus_notify(FerryBus *bus,
                      const FerryNotification *notification,
                      FerryNotifiedFunc confirmed,
                      gpointer user_data);

/** @body: (transfer none): the whole notification: event_type, publisher_id, priority, payload,
 * timestamp, message_id. */
typedef void (*FerryNotificationFunc)(const json_t *body, gpointer user_data);

/** Listens with a queue of its own (transient, exclusive to this process, gone with it), so that
 * it takes nothing from other listeners. @keys: NULL-terminated routing keys such as
 * "notifications.info". Call before ferry_bus_start(). */
void ferry_bus_listen(FerryBus *bus,
                      const char *const *keys,
                      FerryNotificationFunc func,
                      gpointer user_data);
