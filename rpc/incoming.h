/* incoming.h: a delivery as the broker hands it over, and the request that it holds.
 *
 * Pure; plain values.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What came off the wire; every text may be NULL. */
typedef struct {
    char *consumer_tag;
    guint64 tag;
    bool redelivered;
    char *content_type;
    char *compression; /* the header of that name */
    char *reply_to;
    char *correlation_id;
    char *message_id;
    guint64 body_size;
    GBytes *body; /* NULL when body_size was over FERRY_ENVELOPE_MAX_BYTES */
} FerryDelivery;

void ferry_delivery_clear(FerryDelivery *delivery);

typedef enum {
    FERRY_DIALECT_OSLO,
    FERRY_DIALECT_BARE,
} FerryDialect;

/* What an answer needs, and what names the request. */
typedef struct {
    FerryDialect dialect;
    json_t *message;      /* an object; NULL when it could not be read, see @broken */
    char *broken;         /* why it could not be read, else NULL */
    char *msg_id;         /* oslo: correlation of the answer; NULL for a cast */
    char *reply_queue;    /* NULL: nowhere to answer to */
    char *correlation_id; /* bare */
    char *identity;       /* NULL where the sender gave none */
    char *log_id;         /* fit for a log */
    guint heartbeat_ms;   /* the period of the heartbeats that the caller wants; 0: none */
} FerryIncoming;

/**
 * ferry_incoming_parse:
 * @error: FERRY_ERROR_INVALID_REQUEST: neither a request nor anything that could be answered
 * Returns: (transfer full): the request, or with @broken set what is left of one.
 */
FerryIncoming *ferry_incoming_parse(const FerryDelivery *delivery,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_incoming_free(FerryIncoming *incoming);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryIncoming, ferry_incoming_free)

/** Returns: true when somebody waits for an answer. */
bool ferry_incoming_is_call(const FerryIncoming *incoming);

/** ferry_delivery_open: the document of @delivery: type, size, compression and envelope checked. */
json_t *ferry_delivery_open(const FerryDelivery *delivery,
                            bool *ret_enveloped,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
