#include "config.h"

#include "outbox.h"

#include "journal/journal.h"
#include "runtime/fault-point.h"
#include "runtime/notification.h"

/* So many events may wait for their confirm at once: bounds memory after a long outage. */
#define MAX_IN_FLIGHT 500
/* An order is answered first, and the events of one moment leave together. */
#define GATHER_MS 2
/* What was confirmed is forgotten in one transaction, not in one for each event. */
#define FORGET_MS 50
/* The journal refused: ask again after this. */
#define RETRY_MS 5000

struct FerryOutbox {
    const FerryAgent *agent; /* immutable */
    GMainContext *context;   /* immutable */
    guint topics;            /* immutable; so many confirms an event needs; 0: it is not sent */
    GSource *drop_source;    /* main; deletes confirmed entries soon, many in one transaction */
    GSource *retry_source;   /* main */
    gint64 last_id;          /* main; the newest entry handed to the bus */
    guint in_flight;         /* main */
    GArray *confirmed;       /* main; gint64 */
    gint waking;             /* atomic; a wake-up is on its way */
};

/* One event waits for as many confirms as there are topics. */
typedef struct {
    FerryOutbox *outbox;
    gint64 id;
    guint missing;
} Flight;

static void drain(FerryOutbox *self);

static void
start_source(FerryOutbox *self, GSource **slot, guint delay_ms, GSourceFunc func)
{
    if (*slot)
        return;
    *slot = g_timeout_source_new(delay_ms);
    g_source_set_callback(*slot, func, self, NULL);
    g_source_attach(*slot, self->context);
}

static void
stop_source(GSource **slot)
{
    if (!*slot)
        return;
    g_source_destroy(*slot);
    g_clear_pointer(slot, g_source_unref);
}

static gboolean
on_retry(gpointer data)
{
    FerryOutbox *self = data;

    stop_source(&self->retry_source);
    drain(self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_drop(gpointer data)
{
    FerryOutbox *self = data;
    g_autoptr(GError) error = NULL;

    stop_source(&self->drop_source);
    if (self->confirmed->len == 0)
        return G_SOURCE_REMOVE;
    ferry_fault_point("outbox", "begin");
    if (ferry_journal_outbox_drop(self->agent->journal, self->confirmed, &error)) {
        g_array_set_size(self->confirmed, 0);
    } else {
        /* They stay: at worst they are told again after a restart, with the same message_id. */
        g_warning("Confirmed events stay in the journal for now: %s", error->message);
        start_source(self, &self->drop_source, RETRY_MS, on_drop);
    }
    drain(self);
    return G_SOURCE_REMOVE;
}

static void
on_confirmed(gpointer data)
{
    Flight *flight = data;
    FerryOutbox *self = flight->outbox;

    if (--flight->missing > 0)
        return;
    self->in_flight--;
    g_array_append_val(self->confirmed, flight->id);
    g_free(flight);
    start_source(self, &self->drop_source, FORGET_MS, on_drop);
}

/* It could never be confirmed, and would hold its place among those in flight for ever. */
static void
drop_damaged(FerryOutbox *self, const FerryOutboxEntry *entry)
{
    g_warning("Event %" G_GINT64_FORMAT " of the journal is damaged, and is dropped", entry->id);
    self->last_id = entry->id;
    g_array_append_val(self->confirmed, entry->id);
    start_source(self, &self->drop_source, FORGET_MS, on_drop);
}

static void
send_entry(FerryOutbox *self, const FerryOutboxEntry *entry)
{
    Flight *flight = g_new0(Flight, 1);
    const FerryNotification event = {
        .priority = entry->priority,
        .event_type = entry->event_type,
        .message_id = entry->message_id,
        .time_us = entry->time_us,
        .payload = entry->payload,
    };

    flight->outbox = self;
    flight->id = entry->id;
    flight->missing = self->topics;
    self->in_flight++;
    self->last_id = entry->id;
    ferry_notification_publish(self->agent, &event, on_confirmed, flight);
}

static void
send_or_drop(FerryOutbox *self, const FerryOutboxEntry *entry)
{
    if (entry->payload)
        send_entry(self, entry);
    else
        drop_damaged(self, entry);
}

static void
drain(FerryOutbox *self)
{
    g_autoptr(GError) error = NULL;

    if (self->topics == 0 || self->in_flight >= MAX_IN_FLIGHT)
        return;

    guint limit = MAX_IN_FLIGHT - self->in_flight;
    g_autoptr(GPtrArray) entries =
        ferry_journal_outbox_peek(self->agent->journal, self->last_id, limit, &error);

    if (!entries) {
        g_warning("Events wait: %s", error->message);
        start_source(self, &self->retry_source, RETRY_MS, on_retry);
        return;
    }
    for (guint i = 0; i < entries->len; i++)
        send_or_drop(self, g_ptr_array_index(entries, i));
}

static gboolean
on_wake(gpointer data)
{
    FerryOutbox *self = data;

    g_atomic_int_set(&self->waking, 0);
    drain(self);
    return G_SOURCE_REMOVE;
}

void
ferry_outbox_wake(gpointer outbox)
{
    FerryOutbox *self = outbox;

    if (g_atomic_int_compare_and_exchange(&self->waking, 0, 1)) {
        g_autoptr(GSource) source = g_timeout_source_new(GATHER_MS);

        g_source_set_callback(source, on_wake, self, NULL);
        g_source_attach(source, self->context);
    }
}

FerryOutbox *
ferry_outbox_new(const FerryAgent *agent, GMainContext *context)
{
    FerryOutbox *self = g_new0(FerryOutbox, 1);

    self->agent = agent;
    self->context = g_main_context_ref(context);
    self->topics = ferry_notification_topics(agent->config);
    self->confirmed = g_array_new(FALSE, FALSE, sizeof(gint64));
    ferry_outbox_wake(self);
    return self;
}

void
ferry_outbox_free(FerryOutbox *self)
{
    if (!self)
        return;
    /* The bus is gone by now: nothing is sent any more, what was confirmed is forgotten. */
    self->topics = 0;
    if (self->drop_source)
        on_drop(self);
    stop_source(&self->drop_source);
    stop_source(&self->retry_source);
    g_array_unref(self->confirmed);
    g_main_context_unref(self->context);
    g_free(self);
}
