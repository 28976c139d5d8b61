#include "config.h"

#include "model/convergence.h"

json_t *
ferry_stall_to_json(const FerryStall *stall)
{
    if (!stall->of)
        return json_null();
    return json_pack("{s:s,s:I,s:I,s:s?,s:s?,s:I}", "of", stall->of, "writes_bytes_s",
                     (json_int_t)MIN(stall->writes_bytes_s, G_MAXINT64), "link_bytes_s",
                     (json_int_t)MIN(stall->link_bytes_s, G_MAXINT64), "doing", stall->doing,
                     "action", stall->action, "action_in_ms",
                     (json_int_t)MIN(stall->action_in_ms, G_MAXINT64));
}
