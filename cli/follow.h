/* follow.h: ordering a migration and following it to its end, or until somebody has enough.
 * Main thread; it runs the default main context while it works. */
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
    json_t *options;  /* an object */
    bool detach;      /* leave once the order is accepted */
    bool json;        /* one document a line instead of text */
    guint patience_s; /* without a word from the source for so long we give up */
} FerryFollowSettings;

/** Prints all the way. @session: not connected yet, so that no event is missed.
 * Returns: how it ended. */
FerryExit ferry_follow(FerrySession *session, const FerryFollowSettings *settings);
