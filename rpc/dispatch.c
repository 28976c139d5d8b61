#include "config.h"

#include "dispatch.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define DISPATCHER_MODULE "oslo_messaging.rpc.dispatcher"
#define BUILTINS "builtins"

typedef struct {
    guint64 major;
    guint64 minor;
    guint64 revision;
} Version;

static const FerryMethod stock_ping = {.name = FERRY_STOCK_PING,
                                       .flags = FERRY_METHOD_SHARED | FERRY_METHOD_AT_ONCE};

static bool
parse_version(const char *text, Version *ret_version)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    guint count = g_strv_length(parts);
    guint64 numbers[3] = {0, 0, 0};

    if (count < 2 || count > G_N_ELEMENTS(numbers))
        return false;
    for (guint i = 0; i < count; i++) {
        if (!g_ascii_string_to_unsigned(parts[i], 10, 0, G_MAXUINT32, &numbers[i], NULL))
            return false;
    }
    *ret_version = (Version){numbers[0], numbers[1], numbers[2]};
    return true;
}

static bool
is_compatible(Version implemented, Version requested)
{
    if (requested.major != implemented.major || requested.minor > implemented.minor)
        return false;
    return requested.minor < implemented.minor || requested.revision <= implemented.revision;
}

static FerryFailure *
unsupported(const char *version, const char *method)
{
    return ferry_failure_stock(
        DISPATCHER_MODULE, "UnsupportedVersion",
        "Endpoint does not support RPC version %.64s. Attempted method: %.64s", version, method);
}

/* Returns: NULL when namespace and version are served. To an unknown namespace the answer is that
 * the version is not supported, as with stock servers. */
static FerryFailure *
check_interface(const json_t *message, const char *method)
{
    const json_t *namespace = json_object_get(message, "namespace");
    const json_t *asked = json_object_get(message, "version");
    const char *text = !asked ? FERRY_API_VERSION : json_string_value(asked);
    Version implemented = {0, 0, 0};
    Version requested = {0, 0, 0};
    bool ours = parse_version(FERRY_API_VERSION, &implemented);

    g_assert(ours);
    if (json_is_null(asked))
        return unsupported("None", method);
    if (!text || !parse_version(text, &requested))
        return ferry_failure_stock(BUILTINS, "ValueError", "version is not of the form M.m");
    if ((namespace && !json_is_null(namespace)) || !is_compatible(implemented, requested))
        return unsupported(text, method);
    return NULL;
}

const FerryMethod *
ferry_dispatch_find(const FerryMethod *methods, const char *name)
{
    if (g_str_equal(name, stock_ping.name))
        return &stock_ping;
    if (name[0] == '_')
        return NULL;
    for (const FerryMethod *method = methods; method->name; method++) {
        if (g_str_equal(method->name, name))
            return method;
    }
    return NULL;
}

static bool
takes(const FerryMethod *method, const char *argument)
{
    return (method->required && g_strv_contains(method->required, argument)) ||
           (method->optional && g_strv_contains(method->optional, argument));
}

static FerryFailure *
check_arguments(const FerryMethod *method, json_t *args)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (args && !json_is_null(args) && !json_is_object(args))
        return ferry_failure_stock(BUILTINS, "TypeError", "args is not an object");
    for (guint i = 0; method->required && method->required[i]; i++) {
        if (!json_object_get(args, method->required[i]))
            return ferry_failure_stock(BUILTINS, "TypeError", "%s() misses the argument '%s'",
                                       method->name, method->required[i]);
    }
    json_object_foreach(args, name, value) {
        if (method != &stock_ping && !takes(method, name))
            return ferry_failure_stock(BUILTINS, "TypeError",
                                       "%s() got an unexpected keyword argument '%.64s'",
                                       method->name, name);
    }
    return NULL;
}

static FerryFailure *
check_addressing(const FerryMethod *method, FerryAddressing addressing)
{
    if (addressing == FERRY_ADDRESSED_TO_SERVER || (method->flags & FERRY_METHOD_SHARED) != 0)
        return NULL;
    g_autoptr(GError) error = ferry_error_new(
        FERRY_ERROR_INVALID_REQUEST, "Send it to the queue " FERRY_TOPIC ".HOST of one agent",
        "A request for %s must name a server", method->name);
    return ferry_failure_from_error(error);
}

static FerryFailure *
choose(const FerryMethod *methods,
       const json_t *message,
       FerryAddressing addressing,
       const FerryMethod **ret_method)
{
    const char *name = ferry_json_get_string(message, "method");

    if (!name)
        return ferry_failure_stock(BUILTINS, "TypeError", "method is not a string");
    FerryFailure *failure = check_interface(message, name);
    if (failure)
        return failure;
    const FerryMethod *method = ferry_dispatch_find(methods, name);
    if (!method)
        return ferry_failure_stock(DISPATCHER_MODULE, "NoSuchMethod",
                                   "Endpoint does not support RPC method %.64s", name);
    failure = check_addressing(method, addressing);
    if (!failure)
        failure = check_arguments(method, json_object_get(message, "args"));
    *ret_method = method;
    return failure;
}

bool
ferry_dispatch(const FerryMethod *methods,
               const json_t *message,
               FerryAddressing addressing,
               const FerryMethod **ret_method,
               FerryFailure **ret_failure)
{
    const FerryMethod *method = NULL;
    FerryFailure *failure = choose(methods, message, addressing, &method);

    if (failure) {
        *ret_failure = failure;
        return false;
    }
    *ret_method = method;
    return true;
}
