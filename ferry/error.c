#include "config.h"

#include "ferry/error.h"

#include "ferry/json.h"
#include "ferry/text.h"

#define MODULE_NOVA "nova.exception"
#define MODULE_OURS "virt_ferry.exception"

/* Of the far side's details; longer ones are left out. */
#define DETAILS_MAX_BYTES 65536

typedef struct {
    char *hint;
    json_t *details; /* immutable: copies of the error share it */
} FerryErrorPrivate;

static const struct {
    const char *name;
    const char *module;
} codes[] = {
    [FERRY_ERROR_INSTANCE_NOT_FOUND] = {"InstanceNotFound", MODULE_NOVA},
    [FERRY_ERROR_INSTANCE_INVALID_STATE] = {"InstanceInvalidState", MODULE_NOVA},
    [FERRY_ERROR_MIGRATION_NOT_FOUND] = {"MigrationNotFound", MODULE_NOVA},
    [FERRY_ERROR_INVALID_MIGRATION_STATE] = {"InvalidMigrationState", MODULE_NOVA},
    [FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR] = {"MigrationPreCheckError", MODULE_NOVA},
    [FERRY_ERROR_MIGRATION_ERROR] = {"MigrationError", MODULE_NOVA},
    [FERRY_ERROR_DESTINATION_DISK_EXISTS] = {"DestinationDiskExists", MODULE_NOVA},
    [FERRY_ERROR_HYPERVISOR_UNAVAILABLE] = {"HypervisorUnavailable", MODULE_NOVA},
    [FERRY_ERROR_INVALID_CPU_INFO] = {"InvalidCPUInfo", MODULE_NOVA},
    [FERRY_ERROR_INVALID_REQUEST] = {"InvalidRequest", MODULE_OURS},
    [FERRY_ERROR_INSTANCE_ALREADY_MIGRATING] = {"InstanceAlreadyMigrating", MODULE_OURS},
    [FERRY_ERROR_DESTINATION_UNREACHABLE] = {"DestinationUnreachable", MODULE_OURS},
    [FERRY_ERROR_DESTINATION_NOT_ALLOWED] = {"DestinationNotAllowed", MODULE_OURS},
    [FERRY_ERROR_PATH_NOT_ALLOWED] = {"PathNotAllowed", MODULE_OURS},
    [FERRY_ERROR_INSUFFICIENT_STORAGE] = {"InsufficientStorage", MODULE_OURS},
    [FERRY_ERROR_MIGRATION_TIMEOUT] = {"MigrationTimeout", MODULE_OURS},
    [FERRY_ERROR_JOURNAL_UNAVAILABLE] = {"JournalUnavailable", MODULE_OURS},
    [FERRY_ERROR_OUTCOME_UNKNOWN] = {"OutcomeUnknown", MODULE_OURS},
    [FERRY_ERROR_CANCELLED] = {"Cancelled", MODULE_OURS},
    [FERRY_ERROR_INTERNAL] = {"InternalError", MODULE_OURS},
    [FERRY_ERROR_CONFIG] = {"ConfigError", MODULE_OURS},
    [FERRY_ERROR_REMOTE] = {"RemoteError", MODULE_OURS},
};

static void
ferry_error_private_init(FerryErrorPrivate *priv)
{
    priv->hint = NULL;
    priv->details = NULL;
}

static void
ferry_error_private_copy(const FerryErrorPrivate *src, FerryErrorPrivate *dest)
{
    dest->hint = g_strdup(src->hint);
    dest->details = json_incref(src->details);
}

static void
ferry_error_private_clear(FerryErrorPrivate *priv)
{
    g_clear_pointer(&priv->hint, g_free);
    g_clear_pointer(&priv->details, json_decref);
}

G_DEFINE_EXTENDED_ERROR(FerryError, ferry_error)

/* Unlike GLib's accessor, takes a const error and returns NULL for another domain. */
static FerryErrorPrivate *
private_of(const GError *error)
{
    if (!error || error->domain != FERRY_ERROR)
        return NULL;
    return ferry_error_get_private((GError *)error);
}

G_GNUC_PRINTF(3, 0)
static GError *
new_valist(FerryErrorCode code, const char *hint, const char *format, va_list args)
{
    g_autofree char *message = g_strdup_vprintf(format, args);
    g_autofree char *clipped = ferry_text_clip(message, FERRY_TEXT_MAX_BYTES);
    GError *error = g_error_new_literal(FERRY_ERROR, (int)code, clipped);

    private_of(error)->hint = ferry_text_clip(hint, FERRY_TEXT_MAX_BYTES);
    return error;
}

GError *
ferry_error_new(FerryErrorCode code, const char *hint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    GError *error = new_valist(code, hint, format, args);
    va_end(args);
    return error;
}

void
ferry_set_error(GError **error, FerryErrorCode code, const char *hint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, new_valist(code, hint, format, args));
    va_end(args);
}

const char *
ferry_error_hint(const GError *error)
{
    const FerryErrorPrivate *priv = private_of(error);

    return priv ? priv->hint : NULL;
}

json_t *
ferry_error_details(const GError *error)
{
    const FerryErrorPrivate *priv = private_of(error);

    return priv ? priv->details : NULL;
}

void
ferry_error_set_detail(GError *error, const char *key, json_t *value)
{
    g_autoptr(FerryJson) owned = value;
    FerryErrorPrivate *priv = private_of(error);

    g_return_if_fail(priv);
    g_autoptr(FerryJson) details = priv->details ? json_copy(priv->details) : json_object();
    json_object_set(details, key, owned);
    json_decref(priv->details);
    priv->details = g_steal_pointer(&details);
}

void
ferry_error_set_hint(GError *error, const char *hint)
{
    FerryErrorPrivate *priv = private_of(error);

    g_return_if_fail(priv);
    char *copy = ferry_text_clip(hint, FERRY_TEXT_MAX_BYTES); /* first: @hint may be the old one */
    g_free(priv->hint);
    priv->hint = copy;
}

const char *
ferry_error_code_name(FerryErrorCode code)
{
    return codes[(unsigned)code < G_N_ELEMENTS(codes) ? code : FERRY_ERROR_INTERNAL].name;
}

const char *
ferry_error_code_module(FerryErrorCode code)
{
    return codes[(unsigned)code < G_N_ELEMENTS(codes) ? code : FERRY_ERROR_INTERNAL].module;
}

bool
ferry_error_code_from_name(const char *name, FerryErrorCode *ret_code)
{
    for (unsigned code = 0; code < G_N_ELEMENTS(codes); code++) {
        if (g_strcmp0(name, codes[code].name) == 0) {
            *ret_code = (FerryErrorCode)code;
            return true;
        }
    }
    return false;
}

const char *
ferry_error_name(const GError *error)
{
    if (error->domain != FERRY_ERROR)
        return ferry_error_code_name(FERRY_ERROR_INTERNAL);
    return ferry_error_code_name((FerryErrorCode)error->code);
}

json_t *
ferry_error_to_json(const GError *error)
{
    json_t *details = ferry_error_details(error);
    json_t *object = json_object();
    /* Prefixes may have made it longer since. */
    g_autofree char *message = ferry_text_clip(error->message, FERRY_TEXT_MAX_BYTES);

    json_object_set_new(object, "code", json_string(ferry_error_name(error)));
    json_object_set_new(object, "message", ferry_json_text(message));
    json_object_set_new(object, "hint", ferry_json_text(ferry_error_hint(error)));
    json_object_set_new(object, "details", details ? json_incref(details) : json_object());
    return object;
}

GError *
ferry_error_from_json(const json_t *object)
{
    const char *name = ferry_json_get_string(object, "code");
    const char *message = ferry_json_get_string(object, "message");
    const json_t *details = json_object_get(object, "details");
    FerryErrorCode code = FERRY_ERROR_REMOTE;
    bool known = ferry_error_code_from_name(name, &code);

    GError *error = ferry_error_new(code, ferry_json_get_string(object, "hint"), "%s",
                                    message ? message : "The far side gave no reason");
    /* Copied: the owner of @object may still change it. */
    if (json_is_object(details) && json_object_size(details) > 0 &&
        json_dumpb(details, NULL, 0, JSON_COMPACT) <= DETAILS_MAX_BYTES)
        private_of(error)->details = json_deep_copy(details);
    if (!known)
        ferry_error_set_detail(error, "class", ferry_json_text(name));
    return error;
}
