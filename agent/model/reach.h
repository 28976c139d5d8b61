/* reach.h: what came of trying to get to a port of another host. Tried by checks/port-probe.h.
 * Pure, any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_REACH_SILENT,   /* no answer in time: filtered, or the host is off */
    FERRY_REACH_OPEN,     /* and with a token: the one who was meant answers */
    FERRY_REACH_OTHER,    /* somebody answers who does not know the token's other half */
    FERRY_REACH_CLOSED,   /* refused: the host was reached, nobody listens */
    FERRY_REACH_NO_ROUTE, /* the network says that it cannot be reached */
    FERRY_REACH_NO_NAME,  /* the host's name means no address here */
} FerryReach;

typedef struct {
    const char *host; /* name or address; IPv6 without brackets */
    guint16 port;
    const char *token; /* NULL, or what the listener is known by (checks/port-listener.h) */
    guint limit_ms;
    FerryReach reach; /* the answer */
} FerryProbe;

/** Returns: true when the host answered, be it with a refusal. */
bool ferry_reach_answered(FerryReach reach);

/** Returns: what a person calls it: "open", "no answer" ... */
const char *ferry_reach_word(FerryReach reach);
