/* reply-oslo.h: answers as clients of oslo.messaging read them: objects of five keys. Pure. */
#pragma once

#include <jansson.h>

#include "failure.h"

/** @result: (transfer full): NULL is JSON null. Returns: (transfer full). */
json_t *ferry_reply_oslo_result(const char *msg_id, json_t *result);

/** @failure: (transfer none). Returns: (transfer full). */
json_t *ferry_reply_oslo_failure(const char *msg_id, const FerryFailure *failure);

/** A heartbeat: the method still runs. Returns: (transfer full). */
json_t *ferry_reply_oslo_heartbeat(const char *msg_id);
