#include "config.h"

#include "pending-ack.h"

#include "ferry/lock.h"

struct FerryReceipts {
    FerryWakeup *wakeup;
    GMutex lock;
    GQueue settled; /* guarded by lock */
    bool closed;    /* guarded by lock */
};

FerryReceipts *
ferry_receipts_new(FerryWakeup *wakeup)
{
    FerryReceipts *self = g_atomic_rc_box_new0(FerryReceipts);

    self->wakeup = ferry_wakeup_ref(wakeup);
    g_mutex_init(&self->lock);
    return self;
}

FerryReceipts *
ferry_receipts_ref(FerryReceipts *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
receipts_clear(gpointer data)
{
    FerryReceipts *self = data;

    ferry_wakeup_unref(self->wakeup);
    g_mutex_clear(&self->lock);
}

void
ferry_receipts_unref(FerryReceipts *self)
{
    g_atomic_rc_box_release_full(self, receipts_clear);
}

void
ferry_receipts_close(FerryReceipts *self)
{
    g_mutex_lock(&self->lock);
    self->closed = true;
    GQueue rest = self->settled;
    g_queue_init(&self->settled);
    g_mutex_unlock(&self->lock);
    g_queue_clear_full(&rest, (GDestroyNotify)ferry_receipt_unref);
}

FerryReceipt *
ferry_receipts_take(FerryReceipts *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return g_queue_pop_head(&self->settled);
}

FerryReceipt *
ferry_receipt_new(FerryReceipts *receipts, const char *identity, guint generation, guint64 tag)
{
    FerryReceipt *self = g_atomic_rc_box_new0(FerryReceipt);

    self->receipts = ferry_receipts_ref(receipts);
    self->identity = g_strdup(identity);
    self->generation = generation;
    self->tag = tag;
    return self;
}

FerryReceipt *
ferry_receipt_ref(FerryReceipt *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
receipt_clear(gpointer data)
{
    FerryReceipt *self = data;

    ferry_receipts_unref(self->receipts);
    g_free(self->identity);
}

void
ferry_receipt_unref(FerryReceipt *self)
{
    g_atomic_rc_box_release_full(self, receipt_clear);
}

void
ferry_receipt_settle(FerryReceipt *self)
{
    FerryReceipts *receipts = self->receipts;

    if (!g_atomic_int_compare_and_exchange(&self->settled, 0, 1))
        return;
    g_mutex_lock(&receipts->lock);
    if (!receipts->closed)
        g_queue_push_tail(&receipts->settled, ferry_receipt_ref(self));
    g_mutex_unlock(&receipts->lock);
    ferry_wakeup_signal(receipts->wakeup);
}

bool
ferry_receipt_is_settled(const FerryReceipt *self)
{
    return g_atomic_int_get(&self->settled) != 0;
}
