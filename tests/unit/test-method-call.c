/* A method answers once. The request is a stand-in: what the bus would send is counted. */
#include "config.h"

#include "methods/call.h"

#include "ferry/json.h"

static guint sent;

json_t *
ferry_request_args(const FerryRequest *request)
{
    return (json_t *)request;
}

void
ferry_request_reply(FerryRequest *request, json_t *result)
{
    sent++;
    json_decref(result);
}

static void
test_once(void)
{
    g_autoptr(FerryJson) args = json_pack("{s:s}", "instance", "web01");
    FerryMethodContext context = {0};
    FerryMethodCall call = ferry_method_call_of(&context, (FerryRequest *)args);

    sent = 0;
    g_assert_cmpstr(ferry_field_name(&call.args, "instance", NULL), ==, "web01");
    g_assert_false(call.answered);
    g_assert_true(ferry_method_answer(&call, json_true()));
    g_assert_true(call.answered);
    g_assert_cmpuint(sent, ==, 1);
}

/* What should have made the answer has failed. */
static void
test_none(void)
{
    FerryMethodContext context = {0};
    FerryMethodCall call = ferry_method_call_of(&context, NULL);

    sent = 0;
    g_assert_false(ferry_method_answer(&call, NULL));
    g_assert_false(call.answered);
    g_assert_cmpuint(sent, ==, 0);
}

static void
test_twice(void)
{
    FerryMethodContext context = {0};
    FerryMethodCall call = ferry_method_call_of(&context, NULL);

    if (g_test_subprocess()) {
        ferry_method_answer(&call, json_true());
        ferry_method_answer(&call, json_true());
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*call->answered*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/method-call/once", test_once);
    g_test_add_func("/method-call/none", test_none);
    g_test_add_func("/method-call/twice", test_twice);
    return g_test_run();
}
