#include "config.h"

#include "receipt.h"

struct FerryReceipts {
    FerryWakeup *wakeup;
    GMutex lock;
    GQueue settled; /* guarded by lock */
    bool closed;    /* guarded by lock */
};

FerryReceipts *
ferry_receipts_new(FerryWakeup *wakeup)
{
    FerryReceipts *receipts = g_atomic_rc_box_new0(FerryReceipts);
    receipts->wakeup = ferry_wakeup_ref(wakeup);
    g_mutex_init(&receipts->lock);
    return receipts;
}

FerryReceipts *
ferry_receipts_ref(FerryReceipts *receipts)
{
    return g_atomic_rc_box_acquire(receipts);
}

static void
receipts_clear(gpointer data)
{
    FerryReceipts *receipts = data;
    ferry_wakeup_unref(receipts->wakeup);
    g_mutex_clear(&receipts->lock);
}

void
ferry_receipts_unref(FerryReceipts *receipts)
{
    g_atomic_rc_box_release_full(receipts, receipts_clear);
}

void
ferry_receipts_close(FerryReceipts *receipts)
{
    g_mutex_lock(&receipts->lock);
    receipts->closed = true;
    GQueue rest = receipts->settled;
    g_queue_init(&receipts->settled);
    g_mutex_unlock(&receipts->lock);
    g_queue_clear_full(&rest, (GDestroyNotify)ferry_receipt_unref);
}

FerryReceipt *
ferry_receipts_take(FerryReceipts *receipts)
{
    g_mutex_lock(&receipts->lock);
    FerryReceipt *receipt = g_queue_pop_head(&receipts->settled);
    g_mutex_unlock(&receipts->lock);
    return receipt;
}

FerryReceipt *
ferry_receipt_new(FerryReceipts *receipts, const char *identity, guint generation, guint64 tag)
{
    FerryReceipt *receipt = g_atomic_rc_box_new0(FerryReceipt);
    receipt->receipts = ferry_receipts_ref(receipts);
    receipt->identity = g_strdup(identity);
    receipt->generation = generation;
    receipt->tag = tag;
    return receipt;
}

FerryReceipt *
ferry_receipt_ref(FerryReceipt *receipt)
{
    return g_atomic_rc_box_acquire(receipt);
}

static void
receipt_clear(gpointer data)
{
    FerryReceipt *receipt = data;
    ferry_receipts_unref(receipt->receipts);
    g_free(receipt->identity);
}

void
ferry_receipt_unref(FerryReceipt *receipt)
{
    g_atomic_rc_box_release_full(receipt, receipt_clear);
}

void
ferry_receipt_settle(FerryReceipt *receipt)
{
    FerryReceipts *receipts = receipt->receipts;
    if (!g_atomic_int_compare_and_exchange(&receipt->settled, 0, 1))
        return;
    g_mutex_lock(&receipts->lock);
    if (!receipts->closed)
        g_queue_push_tail(&receipts->settled, ferry_receipt_ref(receipt));
    g_mutex_unlock(&receipts->lock);
    ferry_wakeup_signal(receipts->wakeup);
}

bool
ferry_receipt_is_settled(const FerryReceipt *receipt)
{
    return g_atomic_int_get(&receipt->settled) != 0;
}
