#include "config.h"

#include "methods/call.h"

FerryMethodCall
ferry_method_call_of(const FerryMethodContext *context, FerryRequest *request)
{
    return (FerryMethodCall){
        .context = context,
        .request = request,
        .args = {ferry_request_args(request), "args"},
    };
}

bool
ferry_method_answer(FerryMethodCall *call, json_t *answer)
{
    if (!answer)
        return false;
    g_assert(!call->answered);
    call->answered = true;
    ferry_request_reply(call->request, answer);
    return true;
}
