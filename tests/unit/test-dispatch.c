#include "config.h"

#include "ferry/json.h"
#include "rpc/dispatch.h"

static const char *const one[] = {"x", NULL};
static const char *const two[] = {"y", "z", NULL};

static const FerryMethod methods[] = {
    {"shared", FERRY_METHOD_SHARED, NULL, two},
    {"own", FERRY_METHOD_ORDER, one, two},
    {"_hidden", FERRY_METHOD_SHARED, NULL, NULL},
    {NULL, FERRY_METHOD_NONE, NULL, NULL},
};

typedef struct {
    const char *message;
    FerryAddressing addressing;
    const char *outcome; /* the method, or the failure's class */
    const char *text;    /* NULL, or what the failure must say */
} Case;

#define NO_METHOD "Endpoint does not support RPC method "
#define NO_VERSION "Endpoint does not support RPC version "

static const Case cases[] = {
    {"{\"method\": \"own\", \"args\": {\"x\": 1}}", FERRY_ADDRESSED_TO_SERVER, "own", NULL},
    {"{\"method\": \"own\", \"args\": {\"x\": 1, \"z\": 2}}", FERRY_ADDRESSED_TO_SERVER, "own",
     NULL},
    {"{\"method\": \"own\", \"args\": {\"x\": null}}", FERRY_ADDRESSED_TO_SERVER, "own", NULL},
    {"{\"method\": \"shared\"}", FERRY_ADDRESSED_TO_ANY, "shared", NULL},
    {"{\"method\": \"shared\", \"args\": null}", FERRY_ADDRESSED_TO_ALL, "shared", NULL},
    {"{\"method\": \"shared\", \"version\": \"1.0\", \"namespace\": null}", FERRY_ADDRESSED_TO_ANY,
     "shared", NULL},
    {"{\"method\": \"shared\", \"version\": \"1.0.0\"}", FERRY_ADDRESSED_TO_ANY, "shared", NULL},
    {"{\"method\": \"oslo_rpc_server_ping\", \"args\": {\"any\": 1}}", FERRY_ADDRESSED_TO_ALL,
     "oslo_rpc_server_ping", NULL},
    /* Versions and namespaces. */
    {"{\"method\": \"m\", \"version\": \"1.1\"}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "1.1. Attempted method: m"},
    {"{\"method\": \"m\", \"version\": \"2.0\"}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "2.0. Attempted method: m"},
    {"{\"method\": \"m\", \"version\": \"0.9\"}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "0.9. Attempted method: m"},
    {"{\"method\": \"m\", \"version\": \"1.0.1\"}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "1.0.1. Attempted method: m"},
    {"{\"method\": \"m\", \"version\": null}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "None. Attempted method: m"},
    {"{\"method\": \"m\", \"namespace\": \"nope\"}", FERRY_ADDRESSED_TO_SERVER,
     "UnsupportedVersion", NO_VERSION "1.0. Attempted method: m"},
    {"{\"method\": \"m\", \"namespace\": \"\"}", FERRY_ADDRESSED_TO_SERVER, "UnsupportedVersion",
     NO_VERSION "1.0. Attempted method: m"},
    {"{\"method\": \"m\", \"version\": \"1\"}", FERRY_ADDRESSED_TO_SERVER, "ValueError", NULL},
    {"{\"method\": \"m\", \"version\": \"1.0.0.0\"}", FERRY_ADDRESSED_TO_SERVER, "ValueError",
     NULL},
    {"{\"method\": \"m\", \"version\": \"1.-0\"}", FERRY_ADDRESSED_TO_SERVER, "ValueError", NULL},
    {"{\"method\": \"m\", \"version\": 1.0}", FERRY_ADDRESSED_TO_SERVER, "ValueError", NULL},
    /* Methods. */
    {"{\"method\": \"nosuch\"}", FERRY_ADDRESSED_TO_SERVER, "NoSuchMethod", NO_METHOD "nosuch"},
    {"{\"method\": \"Own\"}", FERRY_ADDRESSED_TO_SERVER, "NoSuchMethod", NO_METHOD "Own"},
    {"{\"method\": \"_hidden\"}", FERRY_ADDRESSED_TO_SERVER, "NoSuchMethod", NO_METHOD "_hidden"},
    {"{\"method\": \"nosuch\"}", FERRY_ADDRESSED_TO_ANY, "NoSuchMethod", NO_METHOD "nosuch"},
    {"{}", FERRY_ADDRESSED_TO_SERVER, "TypeError", NULL},
    {"{\"method\": 5}", FERRY_ADDRESSED_TO_SERVER, "TypeError", NULL},
    /* Arguments. */
    {"{\"method\": \"own\"}", FERRY_ADDRESSED_TO_SERVER, "TypeError",
     "own() misses the argument 'x'"},
    {"{\"method\": \"own\", \"args\": {\"x\": 1, \"q\": 2}}", FERRY_ADDRESSED_TO_SERVER,
     "TypeError", "own() got an unexpected keyword argument 'q'"},
    {"{\"method\": \"own\", \"args\": [1]}", FERRY_ADDRESSED_TO_SERVER, "TypeError", NULL},
    {"{\"method\": \"shared\", \"args\": \"y\"}", FERRY_ADDRESSED_TO_SERVER, "TypeError", NULL},
    /* Addressing. */
    {"{\"method\": \"own\", \"args\": {\"x\": 1}}", FERRY_ADDRESSED_TO_ANY, "InvalidRequest",
     "A request for own must name a server"},
    {"{\"method\": \"own\", \"args\": {\"x\": 1}}", FERRY_ADDRESSED_TO_ALL, "InvalidRequest",
     "A request for own must name a server"},
};

static void
test_rules(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FerryJson) message = json_loads(cases[i].message, 0, NULL);
        g_autoptr(FerryFailure) failure = NULL;
        const FerryMethod *method = NULL;

        g_test_message("%s", cases[i].message);
        bool chosen = ferry_dispatch(methods, message, cases[i].addressing, &method, &failure);
        g_assert_cmpstr(chosen ? method->name : failure->class_name, ==, cases[i].outcome);
        if (cases[i].text)
            g_assert_cmpstr(failure->message, ==, cases[i].text);
    }
}

static void
test_modules(void)
{
    const struct {
        const char *message;
        const char *module;
    } failures[] = {
        {"{\"method\": \"nosuch\"}", "oslo_messaging.rpc.dispatcher"},
        {"{\"method\": \"m\", \"version\": \"9.0\"}", "oslo_messaging.rpc.dispatcher"},
        {"{\"method\": \"own\"}", "virt_ferry.exception"},
        {"{\"method\": \"shared\", \"args\": 1}", "builtins"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(FerryJson) message = json_loads(failures[i].message, 0, NULL);
        g_autoptr(FerryFailure) failure = NULL;
        const FerryMethod *method = NULL;

        g_assert_false(ferry_dispatch(methods, message, FERRY_ADDRESSED_TO_ANY, &method, &failure));
        g_assert_cmpstr(failure->module, ==, failures[i].module);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dispatch/rules", test_rules);
    g_test_add_func("/dispatch/modules", test_modules);
    return g_test_run();
}
