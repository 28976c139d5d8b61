/* pending-ack.h: the acknowledgement that a request owes the broker, and the way to give it.
 *
 * A tag is worth something on the connection that it came by only. When the same message comes
 * again on a later one, its receipt moves there, so the broker is told of what was done and not of
 * what was delivered last.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "wakeup.h"

/* Receipts that were settled and wait for the consumer's thread. Any thread. */
typedef struct FerryReceipts FerryReceipts;

typedef struct {
    FerryReceipts *receipts;
    char *identity; /* nullable */
    gint settled;   /* atomic */
    /* Consumer's thread only. */
    guint generation; /* of connections */
    guint64 tag;
} FerryReceipt;

FerryReceipts *ferry_receipts_new(FerryWakeup *wakeup);
FerryReceipts *ferry_receipts_ref(FerryReceipts *receipts);
void ferry_receipts_unref(FerryReceipts *receipts);

/** The consumer's thread has ended: nothing is told to the broker any more. */
void ferry_receipts_close(FerryReceipts *receipts);

/** Returns: (transfer full) (nullable): the next to be told to the broker. */
FerryReceipt *ferry_receipts_take(FerryReceipts *receipts);

FerryReceipt *
ferry_receipt_new(FerryReceipts *receipts, const char *identity, guint generation, guint64 tag);
FerryReceipt *ferry_receipt_ref(FerryReceipt *receipt);
void ferry_receipt_unref(FerryReceipt *receipt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryReceipt, ferry_receipt_unref)

/** Any thread; the first call counts. */
void ferry_receipt_settle(FerryReceipt *receipt);
bool ferry_receipt_is_settled(const FerryReceipt *receipt);
