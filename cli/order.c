#include "config.h"

#include "order.h"

#include "ferry/json.h"

#include <math.h>
#include <string.h>

typedef enum {
    KIND_YES, /* the option alone says true */
    KIND_NO,
    KIND_NUMBER,
    KIND_SECONDS, /* with a fraction */
    KIND_TEXT,
    KIND_LIST,
    KIND_PAIR, /* FROM=TO, an entry of an object; may come several times */
    KIND_ANY,  /* KEY=JSON */
} Kind;

typedef struct {
    const char *name; /* without the dashes */
    char letter;
    Kind kind;
    const char *key; /* NULL for KIND_ANY, whose value begins with it */
    const char *argument;
    const char *description;
} Option;

static const Option table[] = {
    {"disks", 0, KIND_LIST, "disks", "TARGETS", "Copy these disks only, e.g. vda,vdb"},
    {"attached-disks", 0, KIND_LIST, "attached_disks", "TARGETS",
     "Disks that both hosts reach: they are not copied"},
    {"bandwidth", 0, KIND_NUMBER, "bandwidth_mib_s", "MIB/S", "Limit of the transfer; 0: none"},
    {"downtime", 0, KIND_NUMBER, "downtime_ms", "MS", "Longest pause at the switchover"},
    {"policy", 0, KIND_TEXT, "policy", "NAME",
     "How the allowed pause grows: minimal-downtime, post-copy, ..."},
    {"max-pause", 0, KIND_NUMBER, "max_pause_ms", "MS",
     "Longest pause that a policy or a deadline may cause"},
    {"disk-writes", 0, KIND_TEXT, "disk_writes", "HOW",
     "Writes of the guest: auto, background, synchronous"},
    {"priority", 0, KIND_TEXT, "priority", "WHICH",
     "Place in the queue of the source: low, normal, high"},
    {"auto-converge", 0, KIND_YES, "auto_converge", NULL,
     "Slow the instance until memory converges (on where permitted)"},
    {"post-copy", 0, KIND_YES, "post_copy", NULL,
     "Switch over before all memory is there (on where permitted)"},
    {"parallel-connections", 0, KIND_NUMBER, "parallel_connections", "N", "Connections for memory"},
    {"tls", 0, KIND_YES, "tls", NULL, "Encrypt QEMU's own connections"},
    {"disk-stall-timeout", 0, KIND_NUMBER, "disk_stall_timeout_s", "S",
     "Longest time without a byte of disks"},
    {"memory-timeout", 0, KIND_NUMBER, "memory_timeout_s", "S", "Longest time of the memory phase"},
    {"completion-timeout", 0, KIND_NUMBER, "completion_timeout_s", "S", "Longest transfer"},
    {"timeout-action", 0, KIND_TEXT, "timeout_action", "ACTION",
     "When --completion-timeout is over: abort, force_complete"},
    {"persistent", 0, KIND_YES, "persistent", NULL, "Define the instance on the destination"},
    {"transient", 0, KIND_NO, "persistent", NULL, "Do not define the instance on the destination"},
    {"undefine-source", 0, KIND_YES, "undefine_source", NULL,
     "Undefine the instance on the source (default)"},
    {"no-undefine-source", 0, KIND_NO, "undefine_source", NULL,
     "Leave the instance defined on the source"},
    {"source-disks", 0, KIND_TEXT, "source_disks", "WHAT",
     "Old disks after the move: keep, delete, quarantine"},
    {"storage-strategy", 0, KIND_TEXT, "storage_strategy", "HOW",
     "How disks go: auto, mirror, seeded"},
    {"pool-map", 0, KIND_PAIR, "pool_map", "FROM=TO",
     "Put images of this pool or folder into that one there"},
    {"disk-format", 0, KIND_PAIR, "disk_formats", "TARGET=FORMAT",
     "Make the image of a disk raw or qcow2 at the destination"},
    {"flatten", 0, KIND_YES, "flatten", NULL, "Do without backing files at the destination"},
    {"sparsify", 0, KIND_YES, "sparsify", NULL, "Turn zeroes into holes on the way"},
    {"fstrim", 0, KIND_YES, "fstrim", NULL, "Have the agent in the guest trim first"},
    {"dest-name", 0, KIND_TEXT, "dest_name", "NAME", "Name of the instance on the destination"},
    {"listen-address", 0, KIND_TEXT, "listen_address", "ADDRESS",
     "Where displays and ports listen on the destination"},
    {"paused", 0, KIND_YES, "paused", NULL, "Leave the instance paused on the destination"},
    {"progress-interval", 0, KIND_SECONDS, "progress_interval_s", "S",
     "Time between progress events"},
    {"option", 'o', KIND_ANY, NULL, "KEY=JSON", "Any other option of the protocol"},
};

static const Option *
find_option(const char *name)
{
    if (strcmp(name, "-o") == 0)
        name = "--option";
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_str_has_prefix(name, "--") && strcmp(table[i].name, name + 2) == 0)
            return &table[i];
    }
    return NULL;
}

static json_t *
number_from_text(const char *text)
{
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL))
        return NULL;
    return json_integer((json_int_t)number);
}

static json_t *
seconds_from_text(const char *text)
{
    char *end = NULL;
    double seconds = g_ascii_strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0)
        return NULL;
    return json_real(seconds);
}

static json_t *
list_from_text(const char *text)
{
    g_auto(GStrv) items = g_strsplit(text, ",", /* max_tokens= */ -1);
    g_autoptr(FerryJson) list = json_array();

    for (char **item = items; *item; item++) {
        if (*g_strstrip(*item) == '\0')
            return NULL;
        json_array_append_new(list, ferry_json_text(*item));
    }
    return json_array_size(list) > 0 ? g_steal_pointer(&list) : NULL;
}

/* Moves *@value behind "KEY=". Returns: (transfer full) (nullable): KEY. */
static char *
split_key(const char **value)
{
    const char *equal = strchr(*value, '=');

    if (!equal || equal == *value)
        return NULL;
    char *key = g_strndup(*value, (size_t)(equal - *value));
    *value = equal + 1;
    return key;
}

static json_t *
pair_from_text(const char *text)
{
    g_autofree char *from = split_key(&text);

    if (!from || *text == '\0')
        return NULL;
    json_t *pair = json_object();
    json_object_set_new(pair, from, ferry_json_text(text));
    return pair;
}

/* Returns: (transfer full): the value; NULL with @ret_expected set when @text is wrong. */
static json_t *
read_value(Kind kind, const char *text, const char **ret_expected)
{
    switch (kind) {
    case KIND_YES:
        return json_true();
    case KIND_NO:
        return json_false();
    case KIND_NUMBER:
        *ret_expected = "a whole number";
        return number_from_text(text);
    case KIND_SECONDS:
        *ret_expected = "seconds";
        return seconds_from_text(text);
    case KIND_TEXT:
        *ret_expected = "a word";
        return *text != '\0' ? ferry_json_text(text) : NULL;
    case KIND_LIST:
        *ret_expected = "names separated by commas";
        return list_from_text(text);
    case KIND_PAIR:
        *ret_expected = "two names with = between them";
        return pair_from_text(text);
    case KIND_ANY:
        *ret_expected = "JSON; a text needs its own quotes, as in -o 'dest_name=\"web2\"'";
        return json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    }
    g_return_val_if_reached(NULL);
}

static bool
refuse(const char *option, const char *value, const char *why, GError **error)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s%s%s: %s", option,
                value ? " " : "", value ? value : "", why);
    return false;
}

static bool
add(json_t *options, const char *key, json_t *value)
{
    const json_t *former = json_object_get(options, key);

    return former ? json_equal(former, value) : json_object_set(options, key, value) == 0;
}

/* @pair: an object with one entry. */
static bool
add_pair(json_t *options, const char *key, json_t *pair)
{
    void *entry = json_object_iter(pair);

    if (!json_object_get(options, key))
        json_object_set_new(options, key, json_object());
    return add(json_object_get(options, key), json_object_iter_key(entry),
               json_object_iter_value(entry));
}

bool
ferry_order_set(json_t *options, const char *name, const char *value, GError **error)
{
    const Option *option = find_option(name);
    const char *text = value;
    const char *expected = NULL;
    g_autofree char *key = option->kind == KIND_ANY ? split_key(&text) : g_strdup(option->key);

    if (!key)
        return refuse(name, value, "expected KEY=JSON", error);
    g_autoptr(FerryJson) parsed = read_value(option->kind, text, &expected);
    if (!parsed) {
        g_autofree char *why = g_strdup_printf("expected %s", expected);

        return refuse(name, value, why, error);
    }
    if (option->kind == KIND_PAIR ? add_pair(options, key, parsed) : add(options, key, parsed))
        return true;
    return refuse(name, value, "contradicts an option before it", error);
}

static gboolean
take_option(const char *name, const char *value, gpointer data, GError **error)
{
    return ferry_order_set(data, name, value, error);
}

static bool
is_tunable(const Option *option)
{
    static const char *const tunable[] = {"bandwidth", "downtime", "policy", "max-pause", NULL};

    return g_strv_contains(tunable, option->name);
}

static GOptionGroup *
group_new(json_t *options, bool tunable_only)
{
    GOptionGroup *group = g_option_group_new("order", "", "", options, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (tunable_only && !is_tunable(&table[i]))
            continue;

        const GOptionEntry entries[] = {
            {.long_name = table[i].name,
             .short_name = table[i].letter,
             .flags = table[i].argument ? 0 : G_OPTION_FLAG_NO_ARG,
             .arg = G_OPTION_ARG_CALLBACK,
             .arg_data = (gpointer)take_option,
             .description = table[i].description,
             .arg_description = table[i].argument},
            {.long_name = NULL},
        };

        g_option_group_add_entries(group, entries);
    }
    return group;
}

GOptionGroup *
ferry_order_group_new(json_t *options)
{
    return group_new(options, /* tunable_only= */ false);
}

GOptionGroup *
ferry_order_tuning_group_new(json_t *options)
{
    return group_new(options, /* tunable_only= */ true);
}

const char *
ferry_order_option(guint index, const char **ret_key)
{
    if (index >= G_N_ELEMENTS(table))
        return NULL;
    *ret_key = table[index].key;
    return table[index].name;
}
