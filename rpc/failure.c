#include "config.h"

#include "failure.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define FAILURE_MAX_BYTES (256 * 1024)

FerryFailure *
ferry_failure_from_error(const GError *error)
{
    FerryErrorCode code = FERRY_ERROR_INTERNAL;

    (void)ferry_error_code_from_name(ferry_error_name(error), &code);

    FerryFailure *failure = g_new0(FerryFailure, 1);

    failure->bare_error = ferry_error_to_json(error);
    failure->module = g_strdup(ferry_error_code_module(code));
    failure->class_name = g_strdup(ferry_error_name(error));
    failure->message = g_strdup(ferry_json_get_string(failure->bare_error, "message"));
    /* Python passes the message as positional argument. */
    failure->kwargs = json_copy(failure->bare_error);
    json_object_del(failure->kwargs, "message");
    return failure;
}

FerryFailure *
ferry_failure_stock(const char *module, const char *class_name, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_autofree char *text = g_strdup_vprintf(format, values);
    va_end(values);

    FerryFailure *failure = g_new0(FerryFailure, 1);

    failure->module = g_strdup(module);
    failure->class_name = g_strdup(class_name);
    failure->message = g_utf8_make_valid(text, -1);
    failure->kwargs = json_object();
    g_autoptr(GError) error =
        ferry_error_new(FERRY_ERROR_INVALID_REQUEST, NULL, "%s", failure->message);
    failure->bare_error = ferry_error_to_json(error);
    return failure;
}

void
ferry_failure_free(FerryFailure *failure)
{
    if (!failure)
        return;
    g_free(failure->module);
    g_free(failure->class_name);
    g_free(failure->message);
    json_decref(failure->kwargs);
    json_decref(failure->bare_error);
    g_free(failure);
}

json_t *
ferry_failure_to_oslo(const FerryFailure *failure)
{
    g_autofree char *last =
        g_strdup_printf("%s.%s: %s\n", failure->module, failure->class_name, failure->message);
    g_autoptr(FerryJson) object = json_pack(
        "{s:s, s:s, s:s, s:[s, s], s:[s], s:O}", "class", failure->class_name, "module",
        failure->module, "message", failure->message, "tb", "Traceback (most recent call last):\n",
        last, "args", failure->message, "kwargs", failure->kwargs);
    g_autofree char *text = json_dumps(object, JSON_ENSURE_ASCII);

    return json_string(text);
}

GError *
ferry_failure_to_error(const char *text)
{
    /* An honest one is short. */
    g_autoptr(FerryJson) failure =
        strlen(text) <= FAILURE_MAX_BYTES ? json_loads(text, 0, NULL) : NULL;
    const json_t *kwargs = json_object_get(failure, "kwargs");
    g_autoptr(FerryJson) object = json_object();
    const char *class_name = ferry_json_get_string(failure, "class");
    const char *message = ferry_json_get_string(failure, "message");

    json_object_set_new(object, "code", ferry_json_text(class_name ? class_name : "RemoteError"));
    json_object_set_new(object, "message",
                        ferry_json_text(message ? message : "The far side failed without a word"));
    json_object_set(object, "hint", json_object_get(kwargs, "hint"));
    json_object_set(object, "details", json_object_get(kwargs, "details"));
    return ferry_error_from_json(object);
}
