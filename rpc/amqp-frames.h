/* amqp-frames.h: makes events out of the frames of one connection with one channel, and lets only
 * those pass that the protocol allows there. A broker, or who stands between, may send anything:
 * what the library's decoder takes can still be of another class or channel, or out of order.
 *
 * Pure. Threads: its owner's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"
#include "incoming.h"

#define FERRY_AMQP_CHANNEL 1

typedef struct FerryAmqpFrames FerryAmqpFrames;

typedef enum {
    FERRY_AMQP_NOTHING,   /* no complete message or method is there */
    FERRY_AMQP_DELIVERY,  /* sets: delivery */
    FERRY_AMQP_RETURNED,  /* sets: exchange, routing_key, delivery.body */
    FERRY_AMQP_CONFIRMED, /* sets: tag, multiple */
    FERRY_AMQP_REFUSED,   /* sets: tag, multiple; the broker did not take it (basic.nack) */
    FERRY_AMQP_CONSUMING, /* what ferry_topology_await_replies() asked for is done */
    FERRY_AMQP_BLOCKED,   /* the broker is under alarm and reads nothing that we publish */
    FERRY_AMQP_UNBLOCKED,
} FerryAmqpEventKind;

/* Owned by the receiver. */
typedef struct {
    FerryAmqpEventKind kind;
    guint64 tag;
    bool multiple;
    char *exchange;
    char *routing_key;
    FerryDelivery delivery;
} FerryAmqpEvent;

void ferry_amqp_event_clear(FerryAmqpEvent *event);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryAmqpEvent, ferry_amqp_event_clear)

FerryAmqpFrames *ferry_amqp_frames_new(void);
void ferry_amqp_frames_free(FerryAmqpFrames *frames);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAmqpFrames, ferry_amqp_frames_free)

/**
 * ferry_amqp_frames_take:
 * @frame: the next one, as the library decoded it; copied
 * @ret_event: FERRY_AMQP_NOTHING until @frame completes something
 * @error: the broker closed connection or channel, cancelled a consumer, or broke the protocol
 * Returns: false when the connection is of no use any more.
 */
bool ferry_amqp_frames_take(FerryAmqpFrames *frames,
                            const amqp_frame_t *frame,
                            FerryAmqpEvent *ret_event,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The broker broke the protocol: sets @error. @format: how, a clause. Returns: false. */
bool ferry_amqp_set_breach(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
