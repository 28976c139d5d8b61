#include "config.h"

#include "reply-bare.h"

json_t *
ferry_reply_bare_result(json_t *result)
{
    return json_pack("{s:o}", "result", result ? result : json_null());
}

json_t *
ferry_reply_bare_error(const FerryFailure *failure)
{
    return json_pack("{s:O}", "error", failure->bare_error);
}
