/* incoming.h: a delivery as it comes from the broker, and the request that it carries.
 *
 * Pure; plain values.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* A delivered message with its properties; every text may be NULL. */
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

/** Returns: the memory that the request in @delivery may take, before it is looked at. */
gsize ferry_delivery_weight(const FerryDelivery *delivery);

typedef enum {
    FERRY_DIALECT_OSLO,
    FERRY_DIALECT_BARE,
} FerryDialect;

/* The request, what an answer to it needs, and what identifies it. */
typedef struct {
    FerryDialect dialect;
    json_t *message;      /* an object; NULL when it could not be parsed, see @broken */
    char *broken;         /* why it could not be parsed, else NULL */
    char *msg_id;         /* oslo dialect: names the call in its answer; NULL for a cast */
    char *reply_queue;    /* where the answer goes; NULL: nowhere */
    char *correlation_id; /* bare dialect */
    char *identity;       /* short; NULL where the sender gave none */
    char *log_id;         /* the request's id for logs, printable; never NULL */
    gsize weight_bytes;   /* the memory that it may take, body and values; an estimate */
    guint heartbeat_ms;   /* the period of the heartbeats that the caller wants; 0: none */
} FerryIncoming;

/**
 * ferry_incoming_parse:
 * @error: FERRY_ERROR_INVALID_REQUEST: this is no request, and it names nobody to answer to; or
 *   what it names is too long for an address
 * Returns: (transfer full): the request; one that could not be parsed but can be answered has
 * @broken set.
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
