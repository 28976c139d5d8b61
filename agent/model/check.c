#include "config.h"

#include "model/check.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/json-field.h"

#define MAX_CHECKS 4096
#define MAX_TEXT_BYTES (64 * 1024)

struct FerryChecks {
    GPtrArray *list; /* FerryCheck */
};

static const char *const result_names[] = {
    [FERRY_CHECK_PASS] = "pass",
    [FERRY_CHECK_WARN] = "warn",
    [FERRY_CHECK_FAIL] = "fail",
};

/* The code of a failure that has no name of its own in the protocol. */
#define COMMON_CODE FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR

/* Every check that there is, obstacles of an instance among them, and the code of its failure. What
 * each means: docs/protocol.md, part 6. A test compares the table with that and with checks/, where
 * the names stand as they are emitted. */
static const struct {
    const char *name;
    FerryErrorCode code;
} table[] = {
    {"address", COMMON_CODE},
    {"already-migrating", FERRY_ERROR_INSTANCE_ALREADY_MIGRATING},
    {"attached-disk", COMMON_CODE},
    {"backing-chain", COMMON_CODE},
    {"block-job", COMMON_CODE},
    {"block-volume", COMMON_CODE},
    {"checkpoints", COMMON_CODE},
    {"client-key", COMMON_CODE},
    {"clock", COMMON_CODE},
    {"cpu", FERRY_ERROR_INVALID_CPU_INFO},
    {"data-file", COMMON_CODE},
    {"destination", COMMON_CODE},
    {"destination-agent", COMMON_CODE},
    {"destination-libvirt", COMMON_CODE},
    {"devices", COMMON_CODE},
    {"disk-encryption", COMMON_CODE},
    {"disk-exists", FERRY_ERROR_DESTINATION_DISK_EXISTS},
    {"disk-format", COMMON_CODE},
    {"disk-formats", COMMON_CODE},
    {"disk-left-out", COMMON_CODE},
    {"disk-path", COMMON_CODE},
    {"disk-type", COMMON_CODE},
    {"domain-xml", COMMON_CODE},
    {"duplicate-file", COMMON_CODE},
    {"file-exists", COMMON_CODE},
    {"filesystem", COMMON_CODE},
    {"firmware", COMMON_CODE},
    {"folder", COMMON_CODE},
    {"folder-rights", COMMON_CODE},
    {"graphics", COMMON_CODE},
    {"host-device", COMMON_CODE},
    {"huge-pages", COMMON_CODE},
    {"image-header", COMMON_CODE},
    {"image-owner", COMMON_CODE},
    {"image-size", COMMON_CODE},
    {"incoming-slots", COMMON_CODE},
    {"internal-snapshots", COMMON_CODE},
    {"job", COMMON_CODE},
    {"kvm", COMMON_CODE},
    {"launch-security", COMMON_CODE},
    {"layout", COMMON_CODE},
    {"libvirt", COMMON_CODE},
    {"libvirt-certificate", COMMON_CODE},
    {"machine", COMMON_CODE},
    {"managed-save", COMMON_CODE},
    {"medium", COMMON_CODE},
    {"memory", COMMON_CODE},
    {"memory-file", COMMON_CODE},
    {"migration-blockers", COMMON_CODE},
    {"migration-ports", COMMON_CODE},
    {"name", COMMON_CODE},
    {"network", COMMON_CODE},
    {"nvram", COMMON_CODE},
    {"options", COMMON_CODE},
    {"path", FERRY_ERROR_PATH_NOT_ALLOWED},
    {"persistent", COMMON_CODE},
    {"persistent-definition", COMMON_CODE},
    {"pool", COMMON_CODE},
    {"pool-map", COMMON_CODE},
    {"post-copy", COMMON_CODE},
    {"quarantine", COMMON_CODE},
    {"secret", COMMON_CODE},
    {"serial-port", COMMON_CODE},
    {"shareable-disk", COMMON_CODE},
    {"shared-memory", COMMON_CODE},
    {"snapshots", COMMON_CODE},
    {"source-disks", COMMON_CODE},
    {"space", COMMON_CODE},
    {"state", FERRY_ERROR_INSTANCE_INVALID_STATE},
    {"storage-strategy", COMMON_CODE},
    {"tls", COMMON_CODE},
    {"tpm", COMMON_CODE},
    {"transient-disk", COMMON_CODE},
    {"uuid", COMMON_CODE},
    {"versions", COMMON_CODE},
    {"vhost-user", COMMON_CODE},
    {"virtqueues", COMMON_CODE},
};

const char *
ferry_check_name(guint index)
{
    return index < G_N_ELEMENTS(table) ? table[index].name : NULL;
}

bool
ferry_check_is_name(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(table[i].name, name) == 0)
            return true;
    return false;
}

static FerryErrorCode
code_of_check(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(table[i].name, name) == 0)
            return table[i].code;
    /* A peer that is newer has checks of which this one has not heard. */
    return COMMON_CODE;
}

static void
check_free(FerryCheck *check)
{
    g_free(check->name);
    g_free(check->message);
    g_free(check->hint);
    g_free(check);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryCheck, check_free)

static void
destroy_check(gpointer data)
{
    check_free(data);
}

FerryChecks *
ferry_checks_new(void)
{
    FerryChecks *checks = g_new0(FerryChecks, 1);
    checks->list = g_ptr_array_new_with_free_func(destroy_check);
    return checks;
}

void
ferry_checks_free(FerryChecks *checks)
{
    if (!checks)
        return;
    g_ptr_array_unref(checks->list);
    g_free(checks);
}

/* @message: (transfer full). */
static void
add(FerryChecks *checks, const char *name, FerryCheckResult result, const char *hint, char *message)
{
    FerryCheck *check = g_new0(FerryCheck, 1);

    check->name = g_strdup(name);
    check->result = result;
    check->message = message;
    check->hint = g_strdup(hint);
    g_ptr_array_add(checks->list, check);
}

void
ferry_checks_add(FerryChecks *checks,
                 const char *name,
                 FerryCheckResult result,
                 const char *hint,
                 const char *format,
                 ...)
{
    va_list arguments;

    /* Added all the same: a failure must not get lost for want of a name. */
    if (!ferry_check_is_name(name))
        g_critical("The check '%s' is not in the table of checks", name);
    va_start(arguments, format);
    add(checks, name, result, hint, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
ferry_checks_add_error(FerryChecks *checks, const char *name, const GError *error)
{
    ferry_checks_add(checks, name, FERRY_CHECK_FAIL, ferry_error_hint(error), "%s", error->message);
}

void
ferry_checks_append(FerryChecks *checks, const FerryChecks *other)
{
    for (guint i = 0; i < other->list->len; i++) {
        const FerryCheck *check = ferry_checks_get(other, i);

        add(checks, check->name, check->result, check->hint, g_strdup(check->message));
    }
}

guint
ferry_checks_count(const FerryChecks *checks)
{
    return checks->list->len;
}

const FerryCheck *
ferry_checks_get(const FerryChecks *checks, guint index)
{
    g_return_val_if_fail(index < checks->list->len, NULL);
    return g_ptr_array_index(checks->list, index);
}

bool
ferry_checks_warn_of(const FerryChecks *checks, const char *name)
{
    for (guint i = 0; i < ferry_checks_count(checks); i++) {
        const FerryCheck *check = ferry_checks_get(checks, i);

        if (check->result == FERRY_CHECK_WARN && g_strcmp0(check->name, name) == 0)
            return true;
    }
    return false;
}

bool
ferry_checks_compatible(const FerryChecks *checks)
{
    for (guint i = 0; i < checks->list->len; i++) {
        if (ferry_checks_get(checks, i)->result == FERRY_CHECK_FAIL)
            return false;
    }
    return true;
}

static json_t *
list_to_json(const FerryChecks *checks)
{
    json_t *list = json_array();
    for (guint i = 0; i < checks->list->len; i++) {
        const FerryCheck *check = ferry_checks_get(checks, i);
        json_t *object = json_object();
        json_object_set_new(object, "name", ferry_json_text(check->name));
        json_object_set_new(object, "result", json_string(result_names[check->result]));
        json_object_set_new(object, "message", ferry_json_text(check->message));
        json_object_set_new(object, "hint", ferry_json_text(check->hint));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *
ferry_checks_to_json(const FerryChecks *checks)
{
    json_t *object = json_object();
    json_object_set_new(object, "compatible", json_boolean(ferry_checks_compatible(checks)));
    json_object_set_new(object, "checks", list_to_json(checks));
    return object;
}

static FerryCheck *
read_check(const FerryFieldScope *scope, GError **error)
{
    g_autoptr(FerryCheck) check = g_new0(FerryCheck, 1);
    g_autofree char *result = NULL;
    if (!ferry_field_check_object(scope, error) ||
        !ferry_field_text(scope, "name", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &check->name, error) ||
        !ferry_field_text(scope, "result", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &result, error) ||
        !ferry_field_text(scope, "message", FERRY_FIELD_LINES, MAX_TEXT_BYTES, &check->message,
                          error) ||
        !ferry_field_text(scope, "hint", FERRY_FIELD_LINES, MAX_TEXT_BYTES, &check->hint, error))
        return NULL;
    if (!check->name) {
        (void)ferry_field_refuse(scope, "name", NULL, "a string", error);
        return NULL;
    }
    if (!ferry_check_result_from_string(result, &check->result)) {
        (void)ferry_field_refuse(scope, "result", json_object_get(scope->object, "result"),
                                 "\"pass\", \"warn\" or \"fail\"", error);
        return NULL;
    }
    if (!check->message)
        check->message = g_strdup("");
    return g_steal_pointer(&check);
}

FerryChecks *
ferry_checks_from_json(const json_t *object, GError **error)
{
    const FerryFieldScope scope = {object, "result"};
    const json_t *list = NULL;
    if (!ferry_field_check_object(&scope, error) ||
        !ferry_field_list(&scope, "checks", MAX_CHECKS, &list, error))
        return NULL;
    if (!list) {
        (void)ferry_field_refuse(&scope, "checks", NULL, "a list", error);
        return NULL;
    }
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("result.checks[%zu]", i);
        const FerryFieldScope item = {json_array_get(list, i), path};
        FerryCheck *check = read_check(&item, error);
        if (!check)
            return NULL;
        g_ptr_array_add(checks->list, check);
    }
    return g_steal_pointer(&checks);
}

GError *
ferry_checks_error(const FerryChecks *checks)
{
    g_autoptr(GString) failures = g_string_new(NULL);
    const char *hint = NULL;
    FerryErrorCode code = FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR;
    guint count = 0;
    for (guint i = 0; i < checks->list->len; i++) {
        const FerryCheck *check = ferry_checks_get(checks, i);
        if (check->result != FERRY_CHECK_FAIL)
            continue;
        g_string_append_printf(failures, "%s%s: %s", count > 0 ? "; " : "", check->name,
                               check->message);
        hint = hint ? hint : check->hint;
        if (count == 0)
            code = code_of_check(check->name);
        else if (code != code_of_check(check->name))
            code = FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR;
        count++;
    }
    if (count == 0)
        return NULL;
    GError *error = ferry_error_new(code, hint, "%u check%s failed: %s", count,
                                    count == 1 ? "" : "s", failures->str);
    ferry_error_set_detail(error, "checks", list_to_json(checks));
    return error;
}

const char *
ferry_check_result_to_string(FerryCheckResult result)
{
    g_return_val_if_fail((guint)result < G_N_ELEMENTS(result_names), "fail");
    return result_names[result];
}

bool
ferry_check_result_from_string(const char *text, FerryCheckResult *ret_result)
{
    for (guint i = 0; i < G_N_ELEMENTS(result_names); i++) {
        if (g_strcmp0(text, result_names[i]) != 0)
            continue;
        *ret_result = (FerryCheckResult)i;
        return true;
    }
    return false;
}
