/* interrupt.h: Ctrl-C while a migration is followed, and what the person wants then. Main thread, in
 * the default main context. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_INTERRUPT_ASKING,   /* the question is on the terminal: draw nothing over it */
    FERRY_INTERRUPT_CONTINUE, /* go on as if nothing had been */
    FERRY_INTERRUPT_ABORT,    /* abort the migration, and see it end */
    FERRY_INTERRUPT_DETACH,   /* a person chose to leave it to itself */
    FERRY_INTERRUPT_LEAVE,    /* a signal where nobody can be asked */
} FerryInterruptEvent;

typedef void (*FerryInterruptFunc)(FerryInterruptEvent event, gpointer user_data);

typedef struct FerryInterrupt FerryInterrupt;

/** Takes SIGINT, SIGTERM and SIGHUP over. SIGINT asks on the terminal where @may_ask and there is
 * one, a second one while the question stands detaches; everything else leaves. */
FerryInterrupt *ferry_interrupt_new(bool may_ask, FerryInterruptFunc func, gpointer user_data);
void ferry_interrupt_free(FerryInterrupt *interrupt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryInterrupt, ferry_interrupt_free)

/** Returns: true and the meaning of a typed @answer: a, d, c, or their words, in either case. */
bool ferry_interrupt_understand(const char *answer, FerryInterruptEvent *ret_event);
