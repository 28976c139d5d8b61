/* outgoing.h: one message on its way to the broker. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef enum {
    FERRY_OUTGOING_ANSWER,       /* waits for its queue if that is away for a while */
    FERRY_OUTGOING_HEARTBEAT,    /* tells a waiting caller that the method runs; never repeated */
    FERRY_OUTGOING_CALL,         /* to a server's queue; returned when there is none */
    FERRY_OUTGOING_SURVEY,       /* to all servers */
    FERRY_OUTGOING_NOTIFICATION, /* waits for the broker as long as it takes */
    FERRY_OUTGOING_SAMPLE,       /* the latest of its replace_key wins; never repeated */
} FerryOutgoingKind;

typedef enum {
    FERRY_PUBLISH_CONFIRMED, /* the broker has it */
    FERRY_PUBLISH_RETURNED,  /* the broker has no queue for it */
    FERRY_PUBLISH_DROPPED,   /* too late, or it cannot be sent */
} FerryPublishResult;

typedef struct FerryOutgoing FerryOutgoing;

/** Runs in the publisher's thread, once, unless the publisher is stopped before. */
typedef void (*FerryOutgoingFunc)(FerryPublishResult result, gpointer user_data);

struct FerryOutgoing {
    FerryOutgoingKind kind;
    char *exchange;
    char *routing_key;
    json_t *document;
    bool enveloped;
    char *correlation_id; /* nullable */
    char *replace_key;    /* samples */
    guint64 heartbeat_id; /* heartbeats, and the answer that ends them; 0: none */
    gint64 deadline_us;   /* calls and surveys: g_get_monotonic_time() */
    FerryOutgoingFunc done;
    gpointer user_data;
    GDestroyNotify destroy; /* of user_data, nullable; any thread */

    /* Publisher's thread only. */
    char *body; /* as it was published last */
    guint64 tag;
    bool returned;
    gint64 retry_us;
    gint64 give_up_us;
};

/** @document: (transfer full). Returns: (transfer full): enveloped. */
FerryOutgoing *ferry_outgoing_new(FerryOutgoingKind kind,
                                  const char *exchange,
                                  const char *routing_key,
                                  json_t *document);
void ferry_outgoing_free(FerryOutgoing *outgoing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryOutgoing, ferry_outgoing_free)

/** Makes the body. A notification gets a fresh _unique_id each time: stock listeners leave a
 * second copy under a known one unacknowledged for ever. Returns: false when it has no text. */
bool ferry_outgoing_encode(FerryOutgoing *outgoing);
