/* outgoing.h: one message that is to be published, and what to call when that is decided. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef enum {
    FERRY_OUTGOING_ANSWER,       /* published again for a while if its queue is missing */
    FERRY_OUTGOING_HEARTBEAT,    /* tells a waiting caller that the method runs; never repeated */
    FERRY_OUTGOING_CALL,         /* to a server's queue; returned when there is none */
    FERRY_OUTGOING_SURVEY,       /* to all servers */
    FERRY_OUTGOING_NOTIFICATION, /* kept until the broker confirms it, however long */
    FERRY_OUTGOING_PROBE,        /* returned when no queue takes it; for nobody's work */
    FERRY_OUTGOING_SAMPLE,       /* replaced by a later one of its replace_key; never repeated */
} FerryOutgoingKind;

typedef enum {
    FERRY_PUBLISH_CONFIRMED, /* the broker has it */
    FERRY_PUBLISH_RETURNED,  /* the broker has no queue for it */
    FERRY_PUBLISH_DROPPED,   /* its deadline passed, or it cannot be published */
} FerryPublishResult;

typedef struct FerryOutgoing FerryOutgoing;

/** Called once, in the publisher's thread; not at all if the publisher is stopped first. */
typedef void (*FerryOutgoingFunc)(FerryPublishResult result, gpointer user_data);

struct FerryOutgoing {
    FerryOutgoingKind kind;
    char *exchange;
    char *routing_key;
    json_t *document;
    bool enveloped;
    char *correlation_id; /* nullable */
    char *reply_to;       /* nullable */
    char *replace_key;    /* samples */
    guint64 heartbeat_id; /* heartbeats, and the answer that ends them; 0: none */
    gint64 deadline_us;   /* calls, surveys, probes: g_get_monotonic_time() */
    FerryOutgoingFunc done;
    gpointer user_data;
    GDestroyNotify destroy; /* of user_data, nullable; any thread */

    /* Publisher's thread only. */
    char *body; /* as last published */
    guint64 tag;
    bool returned;
    gint64 retry_us;
    gint64 give_up_us;
    bool suspect;    /* in flight when a connection ended: is published with no other in flight */
    guint losses;    /* connections in a row that ended while it alone was in flight */
    guint set_aside; /* how often it was; only a notification is */
};

/* The longest body that is published; every version of the agent and of the command reads it. */
#define FERRY_OUTGOING_MAX_BYTES (4 * 1024 * 1024)

/** @document: (transfer full). Returns: (transfer full): enveloped. */
FerryOutgoing *ferry_outgoing_new(FerryOutgoingKind kind,
                                  const char *exchange,
                                  const char *routing_key,
                                  json_t *document);
void ferry_outgoing_free(FerryOutgoing *outgoing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryOutgoing, ferry_outgoing_free)

/** Makes the body. Every time a notification is encoded it gets a new _unique_id: stock listeners
 * never acknowledge a second copy with an id they know. Returns: false when it is no valid JSON.
 * An answer that is longer than FERRY_OUTGOING_MAX_BYTES becomes an error that says so. */
bool ferry_outgoing_encode(FerryOutgoing *outgoing);

/** Returns: (nullable): why @outgoing, which is encoded, can never be published, in a few words. */
const char *ferry_outgoing_flaw(const FerryOutgoing *outgoing);
