/* Connections, the event loop and the events. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <string.h>

typedef struct {
    int id;
    virConnectDomainEventGenericCallback func;
    void *opaque;
} Subscription;

struct _virConnect {
    gatomicrefcount count;
    bool alive;                /* guarded by fake_lock */
    virConnectCloseFunc close; /* guarded by fake_lock */
    void *close_opaque;        /* guarded by fake_lock */
    GArray *subscriptions;     /* guarded by fake_lock; of Subscription */
};

typedef struct {
    int id;
    gint64 period_us; /* negative: it rests */
    gint64 due_us;
    virEventTimeoutCallback func;
    void *opaque;
} Timer;

/* What the event loop has to tell. */
typedef struct {
    virConnectPtr connection;
    virDomainPtr domain; /* NULL: the connection is closed */
    int id;
    guint64 downtime_ms;
    int lifecycle; /* VIR_DOMAIN_EVENT_ID_LIFECYCLE: libvirt's numbers */
    int detail;
} Event;

/* All guarded by fake_lock. */
static GPtrArray *connections; /* not owned */
static GArray *timers;
static GQueue events = G_QUEUE_INIT;
static int last_timer;

void
fake_connections_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&connections, g_ptr_array_unref);
    g_clear_pointer(&timers, g_array_unref);
    g_assert_true(g_queue_is_empty(&events));
    connections = g_ptr_array_new();
    timers = g_array_new(FALSE, FALSE, sizeof(Timer));
}

/* --- connections ------------------------------------------------------------------------------ */

virConnectPtr
virConnectOpen(const char *uri)
{
    if (!fake_begin(__func__, "%s", uri))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    virConnectPtr connection = g_new0(struct _virConnect, 1);

    g_atomic_ref_count_init(&connection->count);
    connection->alive = true;
    connection->subscriptions = g_array_new(FALSE, FALSE, sizeof(Subscription));
    g_ptr_array_add(connections, connection);
    return connection;
}

int
virConnectRef(virConnectPtr connection)
{
    fake_forget_error();
    g_atomic_ref_count_inc(&connection->count);
    return 0;
}

int
virConnectClose(virConnectPtr connection)
{
    fake_forget_error();
    if (!g_atomic_ref_count_dec(&connection->count))
        return 1;

    FERRY_LOCK_SCOPE(&fake_lock);

    g_ptr_array_remove(connections, connection);
    g_array_unref(connection->subscriptions);
    g_free(connection);
    return 0;
}

int
virConnectIsAlive(virConnectPtr connection)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);

    return connection->alive;
}

int
virConnectSetKeepAlive(virConnectPtr connection, int interval, unsigned int count)
{
    return fake_begin(__func__, "%d %u", interval, count) ? 0 : -1;
}

int
virConnectRegisterCloseCallback(virConnectPtr connection,
                                virConnectCloseFunc func,
                                void *opaque,
                                virFreeCallback free_opaque)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    connection->close = func;
    connection->close_opaque = opaque;
    return 0;
}

int
virConnectUnregisterCloseCallback(virConnectPtr connection, virConnectCloseFunc func)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    connection->close = NULL;
    return 0;
}

int
virConnectDomainEventRegisterAny(virConnectPtr connection,
                                 virDomainPtr domain,
                                 int id,
                                 virConnectDomainEventGenericCallback func,
                                 void *opaque,
                                 virFreeCallback free_opaque)
{
    if (!fake_begin(__func__, "%d", id))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    Subscription subscription = {id, func, opaque};

    g_array_append_val(connection->subscriptions, subscription);
    return (int)connection->subscriptions->len;
}

/* --- the event loop --------------------------------------------------------------------------- */

int
virEventRegisterDefaultImpl(void)
{
    return 0;
}

static void
wind(Timer *timer, int period_ms)
{
    timer->period_us = period_ms < 0 ? -1 : (gint64)period_ms * 1000;
    timer->due_us = g_get_monotonic_time() + timer->period_us;
    g_cond_broadcast(&fake_changed);
}

int
virEventAddTimeout(int period_ms,
                   virEventTimeoutCallback func,
                   void *opaque,
                   virFreeCallback free_opaque)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    Timer timer = {.id = ++last_timer, .func = func, .opaque = opaque};

    wind(&timer, period_ms);
    g_array_append_val(timers, timer);
    return timer.id;
}

void
virEventUpdateTimeout(int id, int period_ms)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < timers->len; i++)
        if (g_array_index(timers, Timer, i).id == id)
            wind(&g_array_index(timers, Timer, i), period_ms);
}

int
virEventRemoveTimeout(int id)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < timers->len; i++)
        if (g_array_index(timers, Timer, i).id == id) {
            g_array_remove_index(timers, i);
            return 0;
        }
    return -1;
}

/* Under the lock. Returns: (nullable): the timer that is due first; it may not be so yet. */
static Timer *
first_timer(void)
{
    Timer *first = NULL;

    for (guint i = 0; i < timers->len; i++) {
        Timer *timer = &g_array_index(timers, Timer, i);

        if (timer->period_us >= 0 && (!first || timer->due_us < first->due_us))
            first = timer;
    }
    return first;
}

/* Returns: an event, or NULL and the timer that is due. */
static Event *
await_work(Timer *ret_timer)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    for (;;) {
        Timer *timer = first_timer();
        gint64 now = g_get_monotonic_time();

        if (!g_queue_is_empty(&events))
            return g_queue_pop_head(&events);
        if (timer && timer->due_us <= now) {
            timer->due_us = now + timer->period_us;
            *ret_timer = *timer;
            return NULL;
        }
        if (timer)
            g_cond_wait_until(&fake_changed, &fake_lock, timer->due_us);
        else
            g_cond_wait(&fake_changed, &fake_lock);
    }
}

/* Returns: (transfer full): those of the connection that want events of this kind. */
static GArray *
subscribers_of(const Event *event)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Subscription));

    for (guint i = 0; i < event->connection->subscriptions->len; i++) {
        Subscription one = g_array_index(event->connection->subscriptions, Subscription, i);

        if (one.id == event->id)
            g_array_append_val(found, one);
    }
    return found;
}

static void
tell(const Event *event, const Subscription *to)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int capacity = 0;

    if (event->id == VIR_DOMAIN_EVENT_ID_LIFECYCLE) {
        ((virConnectDomainEventCallback)(void (*)(void))to->func)(
            event->connection, event->domain, event->lifecycle, event->detail, to->opaque);
        return;
    }
    virTypedParamsAddULLong(&params, &count, &capacity, VIR_DOMAIN_JOB_DOWNTIME,
                            event->downtime_ms);
    ((virConnectDomainEventJobCompletedCallback)(void (*)(void))to->func)(
        event->connection, event->domain, params, count, to->opaque);
    virTypedParamsFree(params, count);
}

static void
tell_closed(const Event *event)
{
    g_mutex_lock(&fake_lock);
    virConnectCloseFunc func = event->connection->close;
    void *opaque = event->connection->close_opaque;
    g_mutex_unlock(&fake_lock);
    if (func)
        func(event->connection, VIR_CONNECT_CLOSE_REASON_EOF, opaque);
}

static void
tell_all(Event *event)
{
    g_autoptr(GArray) to = subscribers_of(event);

    if (!event->domain)
        tell_closed(event);
    for (guint i = 0; event->domain && i < to->len; i++)
        tell(event, &g_array_index(to, Subscription, i));
    if (event->domain)
        virDomainFree(event->domain);
    virConnectClose(event->connection);
    g_free(event);
}

int
virEventRunDefaultImpl(void)
{
    Timer timer = {0};
    Event *event = await_work(&timer);

    if (event)
        tell_all(event);
    else
        timer.func(timer.id, timer.opaque);
    return 0;
}

/* --- what the test lets happen ---------------------------------------------------------------- */

/* Under the lock. */
static void
queue_event(virConnectPtr connection, virDomainPtr domain, const Event *what)
{
    Event *event = g_memdup2(what, sizeof *what);

    g_atomic_ref_count_inc(&connection->count);
    event->connection = connection;
    event->domain = domain;
    g_queue_push_tail(&events, event);
    g_cond_broadcast(&fake_changed);
}

void
fake_connections_drop(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < connections->len; i++) {
        virConnectPtr connection = g_ptr_array_index(connections, i);

        connection->alive = false;
        if (connection->close)
            queue_event(connection, NULL, &(Event){.id = -1});
    }
}

static void
send_event(const char *uuid, const Event *what)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_find(uuid);

    for (guint i = 0; domain && i < connections->len; i++) {
        virConnectPtr connection = g_ptr_array_index(connections, i);

        if (connection->subscriptions->len > 0)
            queue_event(connection, fake_domain_handle(domain), what);
    }
}

void
fake_event_lifecycle(const char *uuid)
{
    fake_event_lifecycle_of(uuid, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_ADDED);
}

void
fake_event_lifecycle_of(const char *uuid, int event, int detail)
{
    send_event(uuid,
               &(Event){.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = event, .detail = detail});
}

void
fake_event_job_completed(const char *uuid, guint64 downtime_ms)
{
    send_event(uuid, &(Event){.id = VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, .downtime_ms = downtime_ms});
}
