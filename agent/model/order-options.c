#include "config.h"

#include "model/order-options.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/instance.h"
#include "model/json-field.h"

#include <string.h>

#define MAX_DISKS 256
#define MAX_TARGET_BYTES 31
#define MAX_TEXT_BYTES 1024
/* libvirt puts it into names of files. */
#define MAX_NAME_BYTES 200
/* libvirt turns MiB/s into bytes in a signed 64-bit number. */
#define MAX_BANDWIDTH_MIBPS (G_GUINT64_CONSTANT(0x7fffffffffffffff) / (1024 * 1024))
#define MAX_CONNECTIONS 255
/* Over a single one QEMU may crash when GnuTLS makes new keys (model/memory-way.h). */
#define TLS_CONNECTIONS 2
#define EXPECTED_POLICY                                                                            \
    "\"minimal-downtime\", \"suspend-if-needed\", \"post-copy\", \"very-large\", \"fixed\", "      \
    "\"nova\" or a section [policy NAME] of virt-ferryd.conf on '%s'"
#define MIN_PROGRESS_INTERVAL_S 0.1
#define MAX_PROGRESS_INTERVAL_S 3600.0

/* What an order said, before defaults that depend on several options are settled. */
typedef struct {
    FerryOrderOptions *options;
    FerryOption auto_converge;
    FerryOption post_copy;
    bool downtime_given;
    bool max_pause_given;
    bool policy_given;
    const FerryConfig *config;
} Draft;

typedef bool (*ReadFunc)(const FerryFieldScope *scope,
                         const char *key,
                         Draft *draft,
                         GError **error);

static bool
refuse_value(const FerryFieldScope *scope, const char *key, const char *expected, GError **error)
{
    return ferry_field_refuse(scope, key, json_object_get(scope->object, key), expected, error);
}

static bool
read_option(const FerryFieldScope *scope, const char *key, FerryOption *value, GError **error)
{
    bool yes = *value == FERRY_OPTION_YES;
    bool given = json_is_boolean(json_object_get(scope->object, key));
    if (!ferry_field_bool(scope, key, &yes, error))
        return false;
    if (given)
        *value = yes ? FERRY_OPTION_YES : FERRY_OPTION_NO;
    return true;
}

static bool
read_disks(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_texts(scope, key, MAX_DISKS, MAX_TARGET_BYTES, &draft->options->disks,
                             error);
}

static bool
read_attached_disks(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_texts(scope, key, MAX_DISKS, MAX_TARGET_BYTES,
                             &draft->options->attached_disks, error);
}

static bool
read_bandwidth(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_uint64(scope, key, 0, MAX_BANDWIDTH_MIBPS, &draft->options->bandwidth_mibps,
                              error);
}

static bool
read_downtime(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    draft->downtime_given = json_is_integer(json_object_get(scope->object, key));
    return ferry_field_uint(scope, key, 1, FERRY_DOWNTIME_MAX_MS, &draft->options->downtime_ms,
                            error);
}

static bool
read_max_pause(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    draft->max_pause_given = json_is_integer(json_object_get(scope->object, key));
    return ferry_field_uint(scope, key, 1, FERRY_DOWNTIME_MAX_MS, &draft->options->max_pause_ms,
                            error);
}

static bool
read_policy(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    g_autofree char *name = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_NAME_BYTES, &name, error))
        return false;
    if (!name)
        return true;
    const FerryTransferPolicy *policy = ferry_config_policy(draft->config, name);
    if (!policy) {
        g_autofree char *expected = g_strdup_printf(EXPECTED_POLICY, draft->config->host);
        return refuse_value(scope, key, expected, error);
    }
    draft->options->policy = policy;
    draft->policy_given = true;
    return true;
}

static bool
read_disk_writes(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, &text, error))
        return false;
    if (text && !ferry_disk_writes_from_string(text, &draft->options->disk_writes))
        return refuse_value(scope, key, "\"auto\", \"background\" or \"synchronous\"", error);
    return true;
}

static bool
read_priority(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, &text, error))
        return false;
    if (text && !ferry_priority_from_string(text, &draft->options->priority))
        return refuse_value(scope, key, "\"low\", \"normal\" or \"high\"", error);
    return true;
}

static bool
read_disk_stall(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_uint(scope, key, 0, G_MAXINT32, &draft->options->disk_stall_timeout_s,
                            error);
}

static bool
read_memory_timeout(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_uint(scope, key, 0, G_MAXINT32, &draft->options->memory_timeout_s, error);
}

static bool
read_auto_converge(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return read_option(scope, key, &draft->auto_converge, error);
}

static bool
read_post_copy(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return read_option(scope, key, &draft->post_copy, error);
}

static bool
read_connections(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    if (!ferry_field_uint(scope, key, 1, MAX_CONNECTIONS, &draft->options->parallel_connections,
                          error))
        return false;
    if (json_is_integer(json_object_get(scope->object, key)))
        draft->options->connections_said = true;
    return true;
}

static bool
read_tls(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->tls, error);
}

static bool
read_timeout(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    FerryOrderOptions *options = draft->options;
    if (!ferry_field_uint(scope, key, 0, G_MAXINT32, &options->completion_timeout_s, error))
        return false;
    options->has_completion_timeout = json_is_integer(json_object_get(scope->object, key));
    return true;
}

static bool
read_timeout_action(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, &text, error))
        return false;
    if (text && !ferry_timeout_action_from_string(text, &draft->options->timeout_action))
        return refuse_value(scope, key, "\"abort\" or \"force_complete\"", error);
    return true;
}

static bool
read_persistent(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return read_option(scope, key, &draft->options->persistent, error);
}

static bool
read_undefine(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->undefine_source, error);
}

static bool
read_source_disks(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, &text, error))
        return false;
    if (text && !ferry_source_disks_from_string(text, &draft->options->source_disks))
        return refuse_value(scope, key, "\"keep\", \"delete\" or \"quarantine\"", error);
    return true;
}

static bool
read_paused(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->paused, error);
}

static bool
read_interval(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    const json_t *value = json_object_get(scope->object, key);
    if (json_is_null(value))
        return true;
    double seconds = json_number_value(value);
    if (!json_is_number(value) || seconds < MIN_PROGRESS_INTERVAL_S ||
        seconds > MAX_PROGRESS_INTERVAL_S)
        return refuse_value(scope, key, "a number of seconds from 0.1 to 3600", error);
    draft->options->progress_interval_ms = (guint)(seconds * 1000.0 + 0.5);
    return true;
}

static bool
read_strategy(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    static const char *const words[] = {
        [FERRY_STORAGE_AUTO] = "auto",
        [FERRY_STORAGE_MIRROR] = "mirror",
        [FERRY_STORAGE_SEEDED] = "seeded",
    };
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, &text, error))
        return false;
    for (guint i = 0; text && i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        draft->options->storage_strategy = (FerryStorageStrategy)i;
        return true;
    }
    return !text || refuse_value(scope, key, "\"auto\", \"mirror\" or \"seeded\"", error);
}

static bool
read_flatten(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->flatten, error);
}

static bool
read_sparsify(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->sparsify, error);
}

static bool
read_fstrim(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    return ferry_field_bool(scope, key, &draft->options->fstrim, error);
}

/* A pool's name or an absolute folder. */
static bool
is_place(const char *text)
{
    return g_path_is_absolute(text) || !strchr(text, '/');
}

static bool
read_pool_map(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    const char *from = NULL;
    json_t *to = NULL;
    if (!ferry_field_map(scope, key, MAX_DISKS, MAX_TEXT_BYTES, &draft->options->pool_map, error))
        return false;
    json_object_foreach(draft->options->pool_map, from, to) {
        const FerryFieldScope map = {draft->options->pool_map, "options.pool_map"};
        if (!is_place(from) || !is_place(json_string_value(to)))
            return refuse_value(&map, from, "names of pools, or absolute folders", error);
    }
    return true;
}

static bool
read_disk_formats(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    const char *target = NULL;
    json_t *format = NULL;
    if (!ferry_field_map(scope, key, MAX_DISKS, MAX_TARGET_BYTES, &draft->options->disk_formats,
                         error))
        return false;
    json_object_foreach(draft->options->disk_formats, target, format) {
        const FerryFieldScope map = {draft->options->disk_formats, "options.disk_formats"};
        const char *word = json_string_value(format);
        if (strcmp(word, "raw") != 0 && strcmp(word, "qcow2") != 0)
            return refuse_value(&map, target, "\"raw\" or \"qcow2\"", error);
    }
    return true;
}

static bool
read_dest_name(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    char **name = &draft->options->dest_name;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_NAME_BYTES, name, error))
        return false;
    return !*name || ferry_instance_is_name(*name) ||
           refuse_value(scope, key, "a name that libvirt takes", error);
}

static bool
read_listen_address(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    char **address = &draft->options->listen_address;

    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_NAME_BYTES, address, error))
        return false;
    return !*address || g_hostname_is_ip_address(*address) ||
           refuse_value(scope, key, "an IP address of the destination", error);
}

static const struct {
    const char *name;
    ReadFunc read;
} readers[] = {
    {"disks", read_disks},
    {"attached_disks", read_attached_disks},
    {"bandwidth_mib_s", read_bandwidth},
    {"downtime_ms", read_downtime},
    {"max_pause_ms", read_max_pause},
    {"policy", read_policy},
    {"disk_writes", read_disk_writes},
    {"auto_converge", read_auto_converge},
    {"post_copy", read_post_copy},
    {"parallel_connections", read_connections},
    {"tls", read_tls},
    {"disk_stall_timeout_s", read_disk_stall},
    {"memory_timeout_s", read_memory_timeout},
    {"completion_timeout_s", read_timeout},
    {"timeout_action", read_timeout_action},
    {"persistent", read_persistent},
    {"undefine_source", read_undefine},
    {"source_disks", read_source_disks},
    {"storage_strategy", read_strategy},
    {"flatten", read_flatten},
    {"sparsify", read_sparsify},
    {"fstrim", read_fstrim},
    {"pool_map", read_pool_map},
    {"disk_formats", read_disk_formats},
    {"dest_name", read_dest_name},
    {"listen_address", read_listen_address},
    {"paused", read_paused},
    {"priority", read_priority},
    {"progress_interval_s", read_interval},
};

/* The destination has no part in them. */
static const char *const source_only[] = {"max_pause_ms",         "policy",           "disk_writes",
                                          "disk_stall_timeout_s", "memory_timeout_s", "priority"};

/* The one thing in a policy that the destination must permit, too. It does not know the source's
 * own policies, nor which one the source has by default. */
static bool
says_post_copy(const json_t *options, const FerryOrderOptions *settled)
{
    if (settled)
        return settled->post_copy && settled->post_copy_said;
    return g_strcmp0(ferry_json_get_string(options, "policy"), "post-copy") == 0;
}

json_t *
ferry_order_options_for_destination(const json_t *options, const FerryOrderOptions *settled)
{
    json_t *rest = json_copy((json_t *)options);

    if (says_post_copy(options, settled)) {
        if (!json_is_object(rest)) {
            json_decref(rest);
            rest = json_object();
        }
        json_object_set_new(rest, "post_copy", json_true());
    }
    for (gsize i = 0; i < G_N_ELEMENTS(source_only); i++)
        json_object_del(rest, source_only[i]);
    return rest;
}

const char *
ferry_order_option_name(guint index)
{
    return index < G_N_ELEMENTS(readers) ? readers[index].name : NULL;
}

static bool
refuse_unknown(const char *key, GError **error)
{
    g_autoptr(GString) hint = g_string_new("Known options:");
    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++)
        g_string_append_printf(hint, "%s %s", i > 0 ? "," : "", readers[i].name);
    g_autofree char *shown = g_strescape(key, NULL);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint->str, "Unknown option \"%.60s\"",
                    shown);
    return false;
}

static bool
read_one(const FerryFieldScope *scope, const char *key, Draft *draft, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (strcmp(key, readers[i].name) == 0)
            return readers[i].read(scope, key, draft, error);
    }
    return refuse_unknown(key, error);
}

bool
ferry_order_options_read(FerryOrderOptions *options,
                         const FerryFieldScope *scope,
                         const char *key,
                         const FerryConfig *config,
                         GError **error)
{
    Draft draft = {.options = options, .config = config};

    return read_one(scope, key, &draft, error);
}

static bool
refuse_conflict(const char *hint, const char *message, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint, "%s", message);
    return false;
}

/* The source passes it on, and a policy may have asked for it: it has to say which host. */
static bool
refuse_unpermitted(const char *option, const FerryConfig *config, GError **error)
{
    g_autofree char *hint = g_strdup_printf(
        "Order without it, or set [libvirt] live_migration_permit_%s = true in "
        "virt-ferryd.conf on both hosts, then 'systemctl restart virt-ferryd' there",
        option);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint,
                    "Option \"%s\", or a policy that uses it, is not permitted on '%s'", option,
                    config->host);
    return false;
}

/* A guest is slowed down unasked only where nothing else is to be done for its memory. */
static bool
policy_is_without_means(const FerryTransferPolicy *policy)
{
    return policy->at_end == FERRY_POLICY_FAIL || policy->at_end == FERRY_POLICY_WAIT;
}

/* Where the order says nothing, what is permitted is used as long as it fits the rest; post-copy
 * before auto-converge, as with nova. */
static void
settle_defaults(Draft *draft, const FerryConfig *config)
{
    FerryOrderOptions *options = draft->options;
    bool named = options->policy->at_end == FERRY_POLICY_POST_COPY &&
                 (draft->policy_given || !options->paused);
    options->post_copy_said = named || draft->post_copy != FERRY_OPTION_DEFAULT;
    if (draft->post_copy != FERRY_OPTION_DEFAULT)
        options->post_copy = draft->post_copy == FERRY_OPTION_YES;
    else
        options->post_copy = named || (config->live_migration_permit_post_copy && !options->paused);
    if (options->tls && !options->connections_said)
        options->parallel_connections = MAX(options->parallel_connections, TLS_CONNECTIONS);
    /* No default takes both: what the order does not speak of gives way. */
    if (options->post_copy && options->parallel_connections > 1 && !options->post_copy_said)
        options->post_copy = false;
    else if (options->post_copy && !options->connections_said)
        options->parallel_connections = 1;
    options->auto_converge_else = draft->auto_converge == FERRY_OPTION_DEFAULT &&
                                  config->live_migration_permit_auto_converge &&
                                  policy_is_without_means(options->policy);
    options->auto_converge = draft->auto_converge == FERRY_OPTION_YES ||
                             (options->auto_converge_else && !options->post_copy);
    if (!draft->max_pause_given)
        options->max_pause_ms = MAX(options->max_pause_ms, options->downtime_ms);
    else if (!draft->downtime_given)
        options->downtime_ms = MIN(options->max_pause_ms, options->downtime_ms);
}

static bool
check_together(const Draft *draft, const FerryConfig *config, GError **error)
{
    const FerryOrderOptions *options = draft->options;
    if (draft->policy_given && options->policy->at_end == FERRY_POLICY_POST_COPY &&
        !options->post_copy)
        return refuse_conflict("Choose one of the two",
                               "Option \"policy\" ends in post-copy, and \"post_copy\" is false",
                               error);
    if (options->auto_converge && !config->live_migration_permit_auto_converge)
        return refuse_unpermitted("auto_converge", config, error);
    if (options->post_copy && !config->live_migration_permit_post_copy)
        return refuse_unpermitted("post_copy", config, error);
    if (options->downtime_ms > options->max_pause_ms)
        return refuse_conflict("Give a longer max_pause_ms or a shorter downtime_ms",
                               "Option \"downtime_ms\" is above \"max_pause_ms\"", error);
    if (options->flatten && options->storage_strategy == FERRY_STORAGE_SEEDED)
        return refuse_conflict(
            "Choose one of the two",
            "Option \"flatten\" does not go with \"storage_strategy\" \"seeded\"", error);
    if (options->post_copy && options->paused)
        return refuse_conflict("Choose one of the two",
                               "Option \"post_copy\" does not go with \"paused\": a guest that"
                               " does not run fetches no memory",
                               error);
    return true;
}

static FerryOrderOptions *
new_from_config(const FerryConfig *config)
{
    FerryOrderOptions *options = g_new0(FerryOrderOptions, 1);
    options->bandwidth_mibps = config->live_migration_bandwidth_mibps;
    options->downtime_ms = config->live_migration_downtime_ms;
    options->max_pause_ms = config->max_pause_ms;
    options->policy = ferry_config_policy(config, config->policy);
    options->disk_writes = config->disk_writes;
    options->priority = config->priority;
    options->disk_stall_timeout_s = config->disk_stall_timeout_s;
    options->memory_timeout_s = config->memory_timeout_s;
    options->parallel_connections = MAX(config->live_migration_parallel_connections, 1);
    options->connections_said =
        ferry_config_origin(config, "libvirt", "live_migration_parallel_connections");
    options->tls = config->live_migration_with_native_tls;
    options->timeout_action = config->live_migration_timeout_action;
    options->persistent = FERRY_OPTION_DEFAULT;
    options->undefine_source = true;
    options->source_disks = config->source_disks;
    options->progress_interval_ms = config->progress_interval_ms;
    return options;
}

FerryOrderOptions *
ferry_order_options_parse(const json_t *object, const FerryConfig *config, GError **error)
{
    const FerryFieldScope scope = {object, "options"};
    g_autoptr(FerryOrderOptions) options = new_from_config(config);
    Draft draft = {.options = options,
                   .auto_converge = FERRY_OPTION_DEFAULT,
                   .post_copy = FERRY_OPTION_DEFAULT,
                   .config = config};
    if (object && !json_is_null(object)) {
        if (!ferry_field_check_object(&scope, error))
            return NULL;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)object, key, value) {
            if (!read_one(&scope, key, &draft, error))
                return NULL;
        }
    }
    settle_defaults(&draft, config);
    if (!check_together(&draft, config, error))
        return NULL;
    return g_steal_pointer(&options);
}

FerryOrderOptions *
ferry_order_options_recall(const json_t *order, const FerryConfig *config)
{
    const json_t *args = json_object_get(order, "args");
    const FerryFieldScope scope = {json_object_get(args, "options"), "options"};
    FerryOrderOptions *options = new_from_config(config);
    Draft draft = {.options = options,
                   .auto_converge = FERRY_OPTION_DEFAULT,
                   .post_copy = FERRY_OPTION_DEFAULT,
                   .config = config};
    bool whole = json_is_object(args);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)scope.object, key, value) {
        g_autoptr(GError) why = NULL;

        if (read_one(&scope, key, &draft, &why))
            continue;
        whole = false;
        g_warning("Of an order that was accepted before, an option is not followed: %s",
                  why->message);
    }
    settle_defaults(&draft, config);
    options->max_pause_ms = MAX(options->max_pause_ms, options->downtime_ms);
    options->post_copy =
        options->post_copy && !options->paused && config->live_migration_permit_post_copy;
    options->auto_converge_else =
        options->auto_converge_else && config->live_migration_permit_auto_converge;
    options->auto_converge = options->auto_converge && config->live_migration_permit_auto_converge;
    /* It may have said so: nothing is deleted on a guess. */
    if (!whole && !ferry_source_disks_from_string(
                      ferry_json_get_string(scope.object, "source_disks"), &options->source_disks))
        options->source_disks = FERRY_SOURCE_DISKS_KEEP;
    return options;
}

void
ferry_order_options_free(FerryOrderOptions *options)
{
    if (!options)
        return;
    g_strfreev(options->disks);
    g_strfreev(options->attached_disks);
    json_decref(options->pool_map);
    json_decref(options->disk_formats);
    g_free(options->dest_name);
    g_free(options->listen_address);
    g_free(options);
}
