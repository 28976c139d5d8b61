#include "config.h"

#include "reply-oslo.h"

#include "unique-id.h"

#include <glib.h>

#include <stdbool.h>

/* @result, @failure: (transfer full). */
static json_t *
reply(const char *msg_id, json_t *result, json_t *failure, bool ending)
{
    g_autofree char *unique_id = ferry_unique_id_new();

    return json_pack("{s:o, s:o, s:b, s:s?, s:s}", "result", result, "failure", failure, "ending",
                     ending, "_msg_id", msg_id, "_unique_id", unique_id);
}

json_t *
ferry_reply_oslo_result(const char *msg_id, json_t *result)
{
    return reply(msg_id, result ? result : json_null(), json_null(), true);
}

json_t *
ferry_reply_oslo_failure(const char *msg_id, const FerryFailure *failure)
{
    return reply(msg_id, json_null(), ferry_failure_to_oslo(failure), true);
}

json_t *
ferry_reply_oslo_heartbeat(const char *msg_id)
{
    return reply(msg_id, json_null(), json_null(), false);
}
