#include "config.h"

#include "fake-bus.h"

#include "ferry/json.h"
#include "ferry/lock.h"

#include <string.h>

#define AWAIT_US (10 * G_USEC_PER_SEC)

struct FerryBus {
    int nothing;
};

/* What the test said of one method of one host. */
typedef struct {
    char *host;
    char *method;
    json_t *result;
    GError *error;
    bool given;
} Answer;

typedef struct {
    char *host;
    char *method;
    json_t *args;
} Asked;

typedef struct {
    char *event_type;
    json_t *payload;
} Notified;

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
} Hook;

static FerryBus the_bus;
static GMutex lock;
static GCond changed;
/* All guarded by lock. */
static GPtrArray *answers;
static GPtrArray *asked;
static GPtrArray *notified;
static GHashTable *blocked;
static GHashTable *hooks;

static void
answer_free(gpointer data)
{
    Answer *answer = data;

    g_free(answer->host);
    g_free(answer->method);
    json_decref(answer->result);
    g_clear_error(&answer->error);
    g_free(answer);
}

static void
asked_free(gpointer data)
{
    Asked *one = data;

    g_free(one->host);
    g_free(one->method);
    json_decref(one->args);
    g_free(one);
}

static void
notified_free(gpointer data)
{
    Notified *one = data;

    g_free(one->event_type);
    json_decref(one->payload);
    g_free(one);
}

FerryBus *
fake_bus_reset(void)
{
    FERRY_LOCK_SCOPE(&lock);

    g_clear_pointer(&answers, g_ptr_array_unref);
    g_clear_pointer(&asked, g_ptr_array_unref);
    g_clear_pointer(&notified, g_ptr_array_unref);
    g_clear_pointer(&blocked, g_hash_table_unref);
    g_clear_pointer(&hooks, g_hash_table_unref);
    answers = g_ptr_array_new_with_free_func(answer_free);
    asked = g_ptr_array_new_with_free_func(asked_free);
    notified = g_ptr_array_new_with_free_func(notified_free);
    blocked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    hooks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return &the_bus;
}

/* --- the test's side -------------------------------------------------------------------------- */

static void
add_answer(const char *host, const char *method, json_t *result, GError *error)
{
    FERRY_LOCK_SCOPE(&lock);
    Answer *answer = g_new0(Answer, 1);

    *answer = (Answer){g_strdup(host), g_strdup(method), result, error, false};
    g_ptr_array_add(answers, answer);
}

void
fake_bus_answer(const char *host, const char *method, json_t *result)
{
    add_answer(host, method, result, NULL);
}

void
fake_bus_refuse(const char *host, const char *method, GError *error)
{
    add_answer(host, method, NULL, error);
}

static bool
is_for(const Answer *answer, const char *host, const char *method)
{
    return strcmp(answer->host, host) == 0 && strcmp(answer->method, method) == 0;
}

void
fake_bus_forget(const char *host, const char *method)
{
    FERRY_LOCK_SCOPE(&lock);

    for (guint i = answers->len; i > 0; i--)
        if (is_for(g_ptr_array_index(answers, i - 1), host, method))
            g_ptr_array_remove_index(answers, i - 1);
}

void
fake_bus_observe(const char *host, const char *observed_state)
{
    if (observed_state)
        fake_bus_answer(host, "describe_instance",
                        json_pack("{s:s}", "observed_state", observed_state));
    else
        fake_bus_refuse(host, "describe_instance",
                        ferry_error_new(FERRY_ERROR_INSTANCE_NOT_FOUND, NULL, "No such instance"));
}

void
fake_bus_block(const char *method)
{
    FERRY_LOCK_SCOPE(&lock);

    g_hash_table_add(blocked, g_strdup(method));
}

void
fake_bus_release(const char *method)
{
    FERRY_LOCK_SCOPE(&lock);

    g_hash_table_remove(blocked, method);
    g_cond_broadcast(&changed);
}

void
fake_bus_hook(const char *method, void (*func)(gpointer data), gpointer data)
{
    FERRY_LOCK_SCOPE(&lock);
    Hook *hook = g_new0(Hook, 1);

    *hook = (Hook){func, data};
    g_hash_table_replace(hooks, g_strdup(method), hook);
}

/* Under the lock. Returns: (nullable): the last such call, and how many there were. */
static Asked *
last_asked(const char *host, const char *method, guint *ret_count)
{
    Asked *last = NULL;

    *ret_count = 0;
    for (guint i = 0; i < asked->len; i++) {
        Asked *one = g_ptr_array_index(asked, i);

        if (strcmp(one->host, host) == 0 && strcmp(one->method, method) == 0) {
            last = one;
            (*ret_count)++;
        }
    }
    return last;
}

guint
fake_bus_count(const char *host, const char *method)
{
    FERRY_LOCK_SCOPE(&lock);
    guint count = 0;

    last_asked(host, method, &count);
    return count;
}

json_t *
fake_bus_args(const char *host, const char *method)
{
    FERRY_LOCK_SCOPE(&lock);
    guint count = 0;
    Asked *last = last_asked(host, method, &count);

    return last ? json_deep_copy(last->args) : NULL;
}

/* Under the lock. */
static Notified *
last_notified(const char *event_type, guint *ret_count)
{
    Notified *last = NULL;

    *ret_count = 0;
    for (guint i = 0; i < notified->len; i++) {
        Notified *one = g_ptr_array_index(notified, i);

        if (strcmp(one->event_type, event_type) == 0) {
            last = one;
            (*ret_count)++;
        }
    }
    return last;
}

guint
fake_bus_notified(const char *event_type)
{
    FERRY_LOCK_SCOPE(&lock);
    guint count = 0;

    last_notified(event_type, &count);
    return count;
}

void
fake_bus_await_notified(const char *event_type, guint count)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_US;
    FERRY_LOCK_SCOPE(&lock);
    guint seen = 0;

    while (last_notified(event_type, &seen), seen < count)
        if (!g_cond_wait_until(&changed, &lock, deadline))
            g_error("'%s' was told %u times, not %u", event_type, seen, count);
}

json_t *
fake_bus_payload(const char *event_type)
{
    FERRY_LOCK_SCOPE(&lock);
    guint count = 0;
    Notified *last = last_notified(event_type, &count);

    return last ? json_deep_copy(last->payload) : NULL;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Under the lock. Returns: whether a later one for the same is there. */
static bool
has_successor(guint index)
{
    const Answer *answer = g_ptr_array_index(answers, index);

    for (guint i = index + 1; i < answers->len; i++)
        if (is_for(g_ptr_array_index(answers, i), answer->host, answer->method))
            return true;
    return false;
}

static json_t *
give_answer(const char *host, const char *method, GError **error)
{
    FERRY_LOCK_SCOPE(&lock);

    for (guint i = 0; i < answers->len; i++) {
        Answer *answer = g_ptr_array_index(answers, i);

        if (!is_for(answer, host, method))
            continue;
        /* The last one is given again and again, until the test says another. */
        if (answer->given && has_successor(i)) {
            g_ptr_array_remove_index(answers, i--);
            continue;
        }
        answer->given = true;
        if (answer->error)
            g_propagate_error(error, g_error_copy(answer->error));
        return json_deep_copy(answer->result);
    }
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "'%s' does not answer '%s'",
                    host, method);
    return NULL;
}

static void
note_call(const char *host, const char *method, json_t *args, Hook *ret_hook)
{
    FERRY_LOCK_SCOPE(&lock);
    const Hook *hook = g_hash_table_lookup(hooks, method);
    Asked *one = g_new0(Asked, 1);

    *one = (Asked){g_strdup(host), g_strdup(method), args};
    g_ptr_array_add(asked, one);
    g_cond_broadcast(&changed);
    if (hook)
        *ret_hook = *hook;
}

/* Returns: false when the caller's cancellable ended before. */
static bool
wait_until_released(const char *method, GCancellable *cancellable)
{
    FERRY_LOCK_SCOPE(&lock);

    while (g_hash_table_contains(blocked, method)) {
        if (g_cancellable_is_cancelled(cancellable))
            return false;
        g_cond_wait_until(&changed, &lock, g_get_monotonic_time() + G_TIME_SPAN_MILLISECOND);
    }
    return !g_cancellable_is_cancelled(cancellable);
}

json_t *
ferry_bus_call(FerryBus *bus, const FerryCall *call, GError **error)
{
    Hook hook = {0};

    note_call(call->server, call->method, call->args, &hook);
    if (hook.func)
        hook.func(hook.data);
    if (wait_until_released(call->method, call->cancellable))
        return give_answer(call->server, call->method, error);
    ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The call was not waited for");
    return NULL;
}

void
ferry_bus_notify(FerryBus *bus,
                 const FerryNotification *notification,
                 FerryNotifiedFunc confirmed,
                 gpointer user_data)
{
    FERRY_LOCK_SCOPE(&lock);
    Notified *one = g_new0(Notified, 1);

    *one = (Notified){g_strdup(notification->event_type), json_deep_copy(notification->payload)};
    g_ptr_array_add(notified, one);
    g_cond_broadcast(&changed);
}

/* --- the rest of bus.h, which no test of a part needs ----------------------------------------- */

FerryBus *
ferry_bus_new(const FerryMessagingOptions *options,
              const char *program,
              GMainContext *context,
              GError **error)
{
    return &the_bus;
}

void
ferry_bus_free(FerryBus *bus)
{
}

void
ferry_bus_serve(FerryBus *bus, const FerryService *service)
{
}

void
ferry_bus_set_refused_func(FerryBus *bus, FerryBusRefusedFunc func, gpointer user_data)
{
}

void
ferry_bus_set_taken_func(FerryBus *bus, FerryBusTakenFunc func, gpointer user_data)
{
}

void
ferry_bus_start(FerryBus *bus)
{
}

bool
ferry_bus_wait_ready(FerryBus *bus, guint timeout_ms, GError **error)
{
    return true;
}

void
ferry_bus_stop_serving(FerryBus *bus)
{
}

bool
ferry_bus_flush(FerryBus *bus, guint timeout_ms)
{
    return true;
}

bool
ferry_bus_survey(FerryBus *bus,
                 const FerrySurvey *survey,
                 FerrySurveyFunc func,
                 gpointer user_data,
                 GError **error)
{
    json_decref(survey->args);
    return true;
}

void
ferry_bus_listen(FerryBus *bus,
                 const char *const *keys,
                 FerryNotificationFunc func,
                 gpointer user_data)
{
}
