/* interrupt.h: asks what to do when somebody presses Ctrl-C while a migration is followed. Main
 * thread, in the default main context. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_INTERRUPT_ASKING,   /* the question is on the terminal: draw nothing over it */
    FERRY_INTERRUPT_CONTINUE, /* go on following */
    FERRY_INTERRUPT_ABORT,    /* abort the migration, and see it end */
    FERRY_INTERRUPT_DETACH,   /* stop following; the migration goes on */
    FERRY_INTERRUPT_LEAVE,    /* the same, after a signal where nobody can be asked */
} FerryInterruptEvent;

typedef void (*FerryInterruptFunc)(FerryInterruptEvent event, gpointer user_data);

typedef struct FerryInterrupt FerryInterrupt;

/** Handles SIGINT, SIGTERM and SIGHUP until it is freed. SIGINT asks on the terminal, if @may_ask
 * and there is one; a second SIGINT during the question detaches. Everything else leaves. */
FerryInterrupt *ferry_interrupt_new(bool may_ask, FerryInterruptFunc func, gpointer user_data);
void ferry_interrupt_free(FerryInterrupt *interrupt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryInterrupt, ferry_interrupt_free)

/** Returns: true and the meaning of a typed @answer: a, d, c, or their words, in either case. */
bool ferry_interrupt_understand(const char *answer, FerryInterruptEvent *ret_event);
