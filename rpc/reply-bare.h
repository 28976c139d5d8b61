/* reply-bare.h: answers of the bare JSON dialect: {"result"} or {"error"}. Pure. */
#pragma once

#include <jansson.h>

#include "failure.h"

/** @result: (transfer full): NULL is JSON null. Returns: (transfer full). */
json_t *ferry_reply_bare_result(json_t *result);

/** @failure: (transfer none). Returns: (transfer full). */
json_t *ferry_reply_bare_error(const FerryFailure *failure);
