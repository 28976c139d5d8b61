/* outbox.h: journaled events on their way to the broker, in order, at least once.
 *
 * Threads: main only, but for ferry_outbox_wake().
 */
#pragma once

#include <glib.h>

#include "runtime/agent.h"

typedef struct FerryOutbox FerryOutbox;

/** @context: main's. Events that an earlier life left go out first. */
FerryOutbox *ferry_outbox_new(const FerryAgent *agent, GMainContext *context);
void ferry_outbox_free(FerryOutbox *outbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryOutbox, ferry_outbox_free)

/** Any thread: the journal has a new event. */
void ferry_outbox_wake(gpointer outbox);
