/* follow.h: orders a migration and follows it until it ends or somebody stops following. Main
 * thread; it runs the default main context. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "command.h"
#include "session.h"

typedef struct {
    const char *migration_id;
    const char *instance;
    const char *from;
    const char *to;
    json_t *options; /* an object */
    bool detach;     /* leave once the order is accepted */
    bool json;       /* print one document a line instead of text */
    guint timeout_s; /* give up after so long without a word from the source */
} FerryFollowSettings;

/** Prints progress and the outcome. @session: not connected yet, so that no event is missed.
 * Returns: the exit status. */
FerryExit ferry_follow(FerrySession *session, const FerryFollowSettings *settings);
