#include "config.h"

#include "pending-ack.h"

#include "ferry/lock.h"

struct FerryPendingAcks {
    FerryWakeup *wakeup;
    GMutex lock;
    GQueue settled; /* guarded by lock */
    bool closed;    /* guarded by lock */
};

FerryPendingAcks *
ferry_pending_acks_new(FerryWakeup *wakeup)
{
    FerryPendingAcks *self = g_atomic_rc_box_new0(FerryPendingAcks);

    self->wakeup = ferry_wakeup_ref(wakeup);
    g_mutex_init(&self->lock);
    return self;
}

FerryPendingAcks *
ferry_pending_acks_ref(FerryPendingAcks *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
pending_acks_clear(gpointer data)
{
    FerryPendingAcks *self = data;

    ferry_wakeup_unref(self->wakeup);
    g_mutex_clear(&self->lock);
}

void
ferry_pending_acks_unref(FerryPendingAcks *self)
{
    g_atomic_rc_box_release_full(self, pending_acks_clear);
}

void
ferry_pending_acks_close(FerryPendingAcks *self)
{
    g_mutex_lock(&self->lock);
    self->closed = true;
    GQueue rest = self->settled;
    g_queue_init(&self->settled);
    g_mutex_unlock(&self->lock);
    g_queue_clear_full(&rest, (GDestroyNotify)ferry_pending_ack_unref);
}

FerryPendingAck *
ferry_pending_acks_take(FerryPendingAcks *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return g_queue_pop_head(&self->settled);
}

FerryPendingAck *
ferry_pending_ack_new(FerryPendingAcks *acks, const char *identity, guint generation, guint64 tag)
{
    FerryPendingAck *self = g_atomic_rc_box_new0(FerryPendingAck);

    self->acks = ferry_pending_acks_ref(acks);
    self->identity = g_strdup(identity);
    self->generation = generation;
    self->tag = tag;
    return self;
}

FerryPendingAck *
ferry_pending_ack_ref(FerryPendingAck *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
pending_ack_clear(gpointer data)
{
    FerryPendingAck *self = data;

    ferry_pending_acks_unref(self->acks);
    g_free(self->identity);
}

void
ferry_pending_ack_unref(FerryPendingAck *self)
{
    g_atomic_rc_box_release_full(self, pending_ack_clear);
}

void
ferry_pending_ack_settle(FerryPendingAck *self)
{
    FerryPendingAcks *acks = self->acks;

    if (!g_atomic_int_compare_and_exchange(&self->settled, 0, 1))
        return;
    g_mutex_lock(&acks->lock);
    if (!acks->closed)
        g_queue_push_tail(&acks->settled, ferry_pending_ack_ref(self));
    g_mutex_unlock(&acks->lock);
    ferry_wakeup_signal(acks->wakeup);
}

bool
ferry_pending_ack_is_settled(const FerryPendingAck *self)
{
    return g_atomic_int_get(&self->settled) != 0;
}
