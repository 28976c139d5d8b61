#include "config.h"

#include "name-claim.h"

#include "ferry/bus.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "topology.h"
#include "unique-id.h"

/* How long the holder of the name has for its answer, which needs nothing but its main loop. */
#define ANSWER_US (3 * (gint64)G_USEC_PER_SEC)
/* Between two tries to get what somebody else has. */
#define RETRY_US (10 * (gint64)G_USEC_PER_SEC)

struct FerryNameClaim {
    FerryPublisher *publisher;
    char *server;
    char *queue;        /* the claim */
    char *server_queue; /* where an agent that claims nothing consumes */
    char *answer_queue; /* of this connection */
    char *question_id;  /* NULL: no answer is awaited */
    bool held;
    bool forbidden; /* nothing can be claimed, nor asked */
    bool was_held;  /* on this connection or on an earlier one */
    bool taken;     /* another agent has answered, and has not let go since */
    bool open;
    gint64 due_us;
};

FerryNameClaim *
ferry_name_claim_new(const char *server, FerryPublisher *publisher)
{
    FerryNameClaim *self = g_new0(FerryNameClaim, 1);

    self->publisher = ferry_publisher_ref(publisher);
    self->server = g_strdup(server);
    self->queue = g_strconcat(FERRY_TOPIC "_claim_", server, NULL);
    self->server_queue = g_strconcat(FERRY_TOPIC ".", server, NULL);
    self->due_us = G_MAXINT64;
    return self;
}

void
ferry_name_claim_free(FerryNameClaim *self)
{
    if (!self)
        return;
    ferry_publisher_unref(self->publisher);
    g_free(self->server);
    g_free(self->queue);
    g_free(self->server_queue);
    g_free(self->answer_queue);
    g_free(self->question_id);
    g_free(self);
}

/* By the publisher: a broker under alarm stops reading from connections that publish, and this one
 * must go on hearing it. */
static void
ask(FerryNameClaim *self, const char *queue)
{
    FerryOutgoing *question =
        ferry_outgoing_new(FERRY_OUTGOING_PROBE, /* exchange= */ "", queue,
                           json_pack("{s:s, s:{}}", "method", "ping", "args"));

    g_free(self->question_id);
    self->question_id = ferry_unique_id_new();
    question->enveloped = false;
    question->reply_to = g_strdup(self->answer_queue);
    question->correlation_id = g_strdup(self->question_id);
    question->deadline_us = g_get_monotonic_time() + ANSWER_US;
    ferry_publisher_push(self->publisher, question);
    self->due_us = question->deadline_us;
}

/* What is there to serve is served from now on. */
static void
settle(FerryNameClaim *self)
{
    if (self->taken)
        g_message("The name '%s' is free again: this agent serves it", self->server);
    self->taken = self->open = false;
    g_clear_pointer(&self->question_id, g_free);
    self->due_us = self->held || self->forbidden ? G_MAXINT64 : g_get_monotonic_time() + RETRY_US;
}

static bool
claim(FerryNameClaim *self, FerryAmqpConnection *connection, GError **error)
{
    FerryClaim answer = FERRY_CLAIM_HELD;

    if (!ferry_topology_claim(connection, self->queue, &answer, error))
        return false;
    self->held = answer == FERRY_CLAIM_HELD;
    self->forbidden = answer == FERRY_CLAIM_FORBIDDEN;
    self->was_held = self->was_held || self->held;
    return !self->held || ferry_topology_consume_claim(connection, self->queue, error);
}

bool
ferry_name_claim_begin(FerryNameClaim *self,
                       FerryAmqpConnection *connection,
                       guint consumers,
                       GError **error)
{
    /* A claim of ours that is still held is that of our last connection, and what consumes there
     * is that connection: nothing of ours waits for its end. */
    const bool trusted = self->was_held && !self->taken;

    if (!claim(self, connection, error))
        return false;
    self->open = !self->forbidden && !trusted && (!self->held || consumers > 0);
    g_clear_pointer(&self->answer_queue, g_free);
    if (self->forbidden || (self->held && !self->open)) {
        settle(self);
        return true;
    }
    g_autofree char *id = ferry_unique_id_new();
    self->answer_queue = g_strconcat(FERRY_TOPIC "_claim_answer_", id, NULL);
    if (!ferry_topology_await_rival(connection, self->answer_queue, error))
        return false;
    ask(self, self->held ? self->server_queue : self->queue);
    return true;
}

bool
ferry_name_claim_is_open(const FerryNameClaim *self)
{
    return self->open;
}

bool
ferry_name_claim_tend(FerryNameClaim *self, FerryAmqpConnection *connection, GError **error)
{
    if (g_get_monotonic_time() < self->due_us)
        return true;
    /* Silence: nobody is there. An answer after this is no news of another agent: once we consume
     * from the server's queue it may be our own. */
    if (self->question_id) {
        settle(self);
        return true;
    }
    if (self->held) {
        ask(self, self->server_queue);
        return true;
    }
    if (!claim(self, connection, error))
        return false;
    if (self->held)
        settle(self);
    else
        ask(self, self->queue);
    return true;
}

gint64
ferry_name_claim_due_us(const FerryNameClaim *self)
{
    return self->due_us;
}

static GError *
rival_error(const FerryNameClaim *self, const FerryDelivery *delivery)
{
    bool enveloped = false;
    g_autoptr(FerryJson) answer = ferry_delivery_open(delivery, &enveloped, NULL);
    const json_t *result = json_object_get(answer, "result");
    const char *machine = ferry_json_get_string(result, "machine");
    const char *version = ferry_json_get_string(result, "version");
    const char *started_at = ferry_json_get_string(result, "started_at");

    return ferry_error_new(
        FERRY_ERROR_CONFIG,
        "Give each agent a name of its own (host in [DEFAULT]), or stop the other one",
        "Another agent serves '%s' at this broker: version %.32s on %.64s, started at %.32s",
        self->server, version ? version : "unknown", machine ? machine : "an unknown machine",
        started_at ? started_at : "an unknown time");
}

GError *
ferry_name_claim_take(FerryNameClaim *self, const FerryDelivery *delivery, bool *ret_first)
{
    const bool told = self->taken;

    if (!self->question_id || g_strcmp0(delivery->correlation_id, self->question_id) != 0)
        return NULL;
    g_clear_pointer(&self->question_id, g_free);
    self->taken = self->open = true;
    self->due_us = g_get_monotonic_time() + RETRY_US;
    *ret_first = self->held || !self->was_held;
    return told ? NULL : rival_error(self, delivery);
}

bool
ferry_name_claim_end(FerryNameClaim *self, FerryAmqpConnection *connection, GError **error)
{
    if (!self->held)
        return true;
    self->held = false;
    return ferry_topology_end_claim(connection, self->queue, error);
}
