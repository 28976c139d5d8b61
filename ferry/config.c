#include "config.h"

#include "ferry/config.h"

#include "config-sections.h"
#include "expansion.h"
#include "ferry/error.h"
#include "ferry/text.h"
#include "ini.h"
#include "policy-section.h"

#include <string.h>

/* Where a value stands, and the last of its files wins. */
typedef struct {
    char *section;
    char *key;
    char *origin; /* "file:line" */
    char *value;  /* as it is written */
} Entry;

typedef struct {
    GHashTable *entries; /* "section.key" -> Entry, of every section, ours or not */
    GHashTable *warned;  /* "section.key", or "section" */
    GPtrArray *mistakes; /* of GError */
} Loader;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->section);
    g_free(entry->key);
    g_free(entry->origin);
    g_free(entry->value);
    g_free(entry);
}

static gpointer
base_of(const FerryConfigSection *section, FerryConfig *config)
{
    return section->messaging ? (gpointer)config->messaging : (gpointer)config;
}

/* --- mistakes in names ------------------------------------------------------------------------ */

static bool
warn_first(Loader *loader, const char *section, const char *key)
{
    return g_hash_table_add(loader->warned, g_strconcat(section, ".", key, NULL));
}

/* Returns: (transfer container): the names of all sections, or of all keys of @section. */
static GPtrArray *
names_of(const char *section)
{
    GPtrArray *names = g_ptr_array_new();

    for (const FerryConfigSection *row = ferry_config_sections; row->name; row++) {
        if (!section) {
            g_ptr_array_add(names, (gpointer)row->name);
            continue;
        }
        for (const FerrySetting *setting = row->settings; setting->name; setting++) {
            if (g_str_equal(row->name, section))
                g_ptr_array_add(names, (gpointer)setting->name);
        }
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static const char *
nearest(const char *name, const char *section)
{
    g_autoptr(GPtrArray) names = names_of(section);

    return ferry_text_nearest(name, (const char *const *)names->pdata);
}

/* Other services have sections and keys of their own in a file that we share with them, so only
 * what looks like a slip is one. */
static void
warn_section(Loader *loader, const FerryIniEntry *entry)
{
    const char *meant = nearest(entry->section, /* section= */ NULL);

    if (meant && warn_first(loader, entry->section, ""))
        g_warning("%s:%u: Unknown section [%s] is ignored. Did you mean [%s]?", entry->file,
                  entry->line, entry->section, meant);
}

static void
warn_key(Loader *loader, const FerryIniEntry *entry, bool own)
{
    const char *meant = nearest(entry->key, entry->section);

    if ((own || meant) && warn_first(loader, entry->section, entry->key))
        g_warning("%s:%u: Unknown key '%s' in section [%s] is ignored%s%s%s", entry->file,
                  entry->line, entry->key, entry->section, meant ? ". Did you mean '" : "",
                  meant ? meant : "", meant ? "'?" : "");
}

static void
look_at_names(Loader *loader, const FerryIniEntry *entry)
{
    bool known = false;
    bool own = false;

    if (ferry_policy_section_name(entry->section))
        return;
    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++) {
        if (!g_str_equal(section->name, entry->section))
            continue;
        if (ferry_setting_find(section->settings, entry->key))
            return;
        known = true;
        own = section->own;
    }
    if (known)
        warn_key(loader, entry, own);
    else
        warn_section(loader, entry);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool
take_entry(const FerryIniEntry *entry, gpointer user_data, GError **error)
{
    Loader *loader = user_data;
    Entry *copy = g_new0(Entry, 1);
    const char *policy = ferry_policy_section_name(entry->section);

    copy->section = policy ? g_strstrip(g_strconcat(FERRY_POLICY_SECTION " ", policy, NULL))
                           : g_strdup(entry->section);
    copy->key = g_strdup(entry->key);
    copy->origin = g_strdup_printf("%s:%u", entry->file, entry->line);
    copy->value = g_strdup(entry->value);
    g_hash_table_replace(loader->entries, g_strconcat(copy->section, ".", entry->key, NULL), copy);
    look_at_names(loader, entry);
    return true;
}

static const Entry *
find_entry(const Loader *loader, const char *section, const char *key)
{
    g_autofree char *name = g_strconcat(section, ".", key, NULL);

    return g_hash_table_lookup(loader->entries, name);
}

/* What a value may name: what a file has, or a default of ours. */
static const char *
look_up(const char *section, const char *key, gpointer user_data)
{
    const Entry *entry = find_entry(user_data, section, key);

    if (entry)
        return entry->value;
    for (const FerryConfigSection *row = ferry_config_sections; row->name; row++) {
        const FerrySetting *setting = ferry_setting_find(row->settings, key);

        if (setting && g_str_equal(row->name, section))
            return g_str_equal(key, "host") ? g_get_host_name() : setting->fallback;
    }
    return NULL;
}

/* @mistake: (transfer full). */
static void
add_mistake(Loader *loader, const Entry *entry, GError *mistake)
{
    g_prefix_error(&mistake, "%s: [%s] ", entry->origin, entry->section);
    g_ptr_array_add(loader->mistakes, mistake);
}

static void
apply_entry(Loader *loader,
            FerryConfig *config,
            const FerryConfigSection *section,
            const FerrySetting *setting)
{
    const Entry *entry = find_entry(loader, section->name, setting->name);
    GError *mistake = NULL;

    if (!entry)
        return;
    g_autofree char *value = ferry_expansion_apply(entry->value, section->name, look_up, loader);
    if (ferry_setting_parse(setting, value, base_of(section, config), &mistake)) {
        g_hash_table_insert(config->origins, g_strconcat(section->name, ".", setting->name, NULL),
                            g_strdup(entry->origin));
        return;
    }
    add_mistake(loader, entry, mistake);
}

/* Only what is left after all files is looked at: a value that a later file replaces need not be
 * one that we take. */
static void
apply_entries(Loader *loader, FerryConfig *config)
{
    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++) {
        for (const FerrySetting *setting = section->settings; setting->name; setting++)
            apply_entry(loader, config, section, setting);
    }
}

/* --- pauses and policies ---------------------------------------------------------------------- */

/* Of the two, what a file says wins over what is a default; two that are said must fit. */
static void
settle_pauses(Loader *loader, FerryConfig *config)
{
    const Entry *downtime = find_entry(loader, "libvirt", "live_migration_downtime");

    if (config->live_migration_downtime_ms <= config->max_pause_ms)
        return;
    if (!find_entry(loader, "migration", "max_pause"))
        config->max_pause_ms = config->live_migration_downtime_ms;
    else if (!downtime)
        config->live_migration_downtime_ms = config->max_pause_ms;
    else
        add_mistake(loader, downtime,
                    ferry_error_new(FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                                    "live_migration_downtime = '%u': expected at most max_pause "
                                    "of [migration], %u",
                                    config->live_migration_downtime_ms, config->max_pause_ms));
}

static int
compare_entries(gconstpointer a, gconstpointer b)
{
    const Entry *const *first = a;
    const Entry *const *second = b;
    int order = strcmp((*first)->section, (*second)->section);

    return order != 0 ? order : strcmp((*first)->key, (*second)->key);
}

/* Returns: (transfer container): the entries of all policies, those of one together. */
static GPtrArray *
policy_entries(const Loader *loader)
{
    GPtrArray *found = g_ptr_array_new();
    GHashTableIter iter;
    gpointer entry = NULL;

    g_hash_table_iter_init(&iter, loader->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        if (ferry_policy_section_name(((Entry *)entry)->section))
            g_ptr_array_add(found, entry);
    g_ptr_array_sort(found, compare_entries);
    return found;
}

/* A rule that is half understood is none, so that here an unknown key is a mistake. */
static bool
take_policy_entry(Loader *loader, const Entry *entry, FerryPolicySection *section)
{
    const FerrySetting *setting = ferry_setting_find(ferry_policy_settings, entry->key);
    g_autofree char *value = ferry_expansion_apply(entry->value, entry->section, look_up, loader);
    GError *mistake = NULL;

    if (!setting)
        mistake = ferry_error_new(FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                                  "unknown key '%s': expected start, steps or at_end", entry->key);
    else if (ferry_setting_parse(setting, value, section, &mistake))
        return true;
    /* The steps are looked at all the same, and not measured by a default. */
    if (g_str_equal(entry->key, "start"))
        section->start_ms = 0;
    add_mistake(loader, entry, mistake);
    return false;
}

static guint
longest_of(const FerryTransferPolicy *policy)
{
    guint longest = policy->start_ms == FERRY_POLICY_WHOLE ? 0 : policy->start_ms;

    for (guint i = 0; i < FERRY_POLICY_MAX_STEPS; i++)
        longest = MAX(longest, policy->steps[i].downtime_ms);
    return longest;
}

/* A step above the downtime is allowed to orders only that have a longer one. */
static void
warn_of_cut(const FerryConfig *config, const Entry *entry, const FerryTransferPolicy *policy)
{
    guint longest = longest_of(policy);

    if (longest > config->live_migration_downtime_ms)
        g_warning("%s: [%s] %s: policy '%s' goes to %u ms, and live_migration_downtime allows no "
                  "more than %u. Raise that, too, or order a longer downtime_ms",
                  entry->origin, entry->section, entry->key, policy->name, longest,
                  config->live_migration_downtime_ms);
}

static void
add_policy_mistake(Loader *loader, const Entry *first, const char *key, GError *mistake)
{
    const Entry *wrong = find_entry(loader, first->section, key);

    if (mistake)
        add_mistake(loader, wrong ? wrong : first, mistake);
}

/* @whole: every entry could be read. @first: of the section's entries. */
static void
add_policy(Loader *loader,
           FerryConfig *config,
           const FerryPolicySection *section,
           const Entry *first,
           bool whole)
{
    GError *start = NULL;
    GError *steps = NULL;
    g_autofree FerryTransferPolicy *policy =
        ferry_policy_section_to_policy(section, config->max_pause_ms, &start, &steps);

    add_policy_mistake(loader, first, "start", start);
    add_policy_mistake(loader, first, "steps", steps);
    if (!policy || !whole)
        return;
    policy->name = g_intern_string(ferry_policy_section_name(first->section));
    const Entry *last = find_entry(loader, first->section, "steps");
    warn_of_cut(config, last ? last : first, policy);
    g_ptr_array_add(config->policies, g_steal_pointer(&policy));
}

static bool
may_be_named(Loader *loader, const Entry *entry)
{
    if (ferry_policy_section_may_be_named(ferry_policy_section_name(entry->section)))
        return true;
    add_mistake(loader, entry,
                ferry_error_new(FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                                "expected [policy NAME]: at most 64 letters, digits, '-' and '_', "
                                "and no built-in policy's name"));
    return false;
}

/* @first: the first of the section's entries. Returns: the first of the next one's. */
static guint
take_policy(Loader *loader, FerryConfig *config, GPtrArray *entries, guint first)
{
    const Entry *head = g_ptr_array_index(entries, first);
    g_autoptr(FerryPolicySection) section = ferry_policy_section_new();
    bool whole = may_be_named(loader, head);
    guint i = first;

    for (; i < entries->len; i++) {
        const Entry *entry = g_ptr_array_index(entries, i);

        if (!g_str_equal(entry->section, head->section))
            break;
        whole = take_policy_entry(loader, entry, section) && whole;
    }
    add_policy(loader, config, section, head, whole);
    return i;
}

static void
take_policies(Loader *loader, FerryConfig *config)
{
    g_autoptr(GPtrArray) entries = policy_entries(loader);

    for (guint i = 0; i < entries->len;)
        i = take_policy(loader, config, entries, i);
}

/* A section of that name is there, right or not. */
static bool
is_written(const Loader *loader, const char *policy)
{
    g_autoptr(GPtrArray) entries = policy_entries(loader);

    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = g_ptr_array_index(entries, i);

        if (g_str_equal(ferry_policy_section_name(entry->section), policy))
            return true;
    }
    return false;
}

/* Returns: (transfer full) (nullable): what is wrong with the policy that orders have by
 * default. */
static GError *
fault_of_default(const Loader *loader, const FerryConfig *config)
{
    const FerryTransferPolicy *policy = ferry_config_policy(config, config->policy);

    /* What is wrong with a section was told of. */
    if (!policy && is_written(loader, config->policy))
        return NULL;
    if (!policy)
        return ferry_error_new(FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                               "policy = '%s': expected a built-in policy or a section [policy %s]",
                               config->policy, config->policy);
    if (policy->at_end == FERRY_POLICY_POST_COPY && !config->live_migration_permit_post_copy)
        return ferry_error_new(FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                               "policy = '%s': expected live_migration_permit_post_copy of "
                               "[libvirt] to be true with it",
                               config->policy);
    return NULL;
}

static void
settle_policies(Loader *loader, FerryConfig *config)
{
    const Entry *entry = find_entry(loader, "migration", "policy");

    take_policies(loader, config);
    GError *fault = entry ? fault_of_default(loader, config) : NULL;
    if (fault)
        add_mistake(loader, entry, fault);
    if (!entry || find_entry(loader, "libvirt", "live_migration_downtime"))
        return;
    const FerryTransferPolicy *policy = ferry_transfer_policy_find_built_in(config->policy);
    if (policy)
        warn_of_cut(config, entry, policy);
}

const FerryTransferPolicy *
ferry_config_policy(const FerryConfig *config, const char *name)
{
    for (guint i = 0; i < config->policies->len; i++) {
        const FerryTransferPolicy *policy = g_ptr_array_index(config->policies, i);

        if (g_strcmp0(policy->name, name) == 0)
            return policy;
    }
    return ferry_transfer_policy_find_built_in(name);
}

const char *
ferry_config_origin(const FerryConfig *config, const char *section, const char *key)
{
    g_autofree char *name = g_strconcat(section, ".", key, NULL);

    return g_hash_table_lookup(config->origins, name);
}

/* As the library of OpenStack's logs has it. */
static void
place_log_file(Loader *loader, FerryConfig *config)
{
    if (!config->log_file || g_path_is_absolute(config->log_file))
        return;
    g_autofree char *name = g_steal_pointer(&config->log_file);
    if (config->log_dir)
        config->log_file = g_build_filename(config->log_dir, name, NULL);
    else
        g_ptr_array_add(
            loader->mistakes,
            ferry_error_new(
                FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)",
                "%s: [DEFAULT] log_file = '%s': expected an absolute path, or a log_dir",
                ferry_config_origin(config, "DEFAULT", "log_file"), name));
}

static FerryConfig *
config_new(void)
{
    FerryConfig *config = g_new0(FerryConfig, 1);

    config->messaging = ferry_messaging_options_new();
    config->policies = g_ptr_array_new_with_free_func(g_free);
    config->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++) {
        if (!section->messaging)
            ferry_setting_apply_defaults(section->settings, config);
    }
    return config;
}

/* The defaults that depend on this host. */
static void
fill_in_host(FerryConfig *config)
{
    if (!config->host)
        config->host = g_strdup(g_get_host_name());
    if (!config->live_migration_inbound_addr)
        config->live_migration_inbound_addr = g_strdup(config->host);
}

FerryConfig *
ferry_config_read(const char *const *files, GPtrArray *mistakes)
{
    GError *unread = NULL;
    g_autoptr(FerryConfig) config = config_new();
    g_autoptr(GHashTable) warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    Loader loader = {.entries = entries, .warned = warned, .mistakes = mistakes};

    for (const char *const *file = files; file && *file; file++) {
        if (!ferry_ini_read_file(*file, take_entry, &loader, &unread)) {
            g_ptr_array_add(mistakes, unread);
            return NULL;
        }
    }
    apply_entries(&loader, config);
    settle_pauses(&loader, config);
    settle_policies(&loader, config);
    place_log_file(&loader, config);
    fill_in_host(config);
    return g_steal_pointer(&config);
}

FerryConfig *
ferry_config_load(const char *const *files, GError **error)
{
    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);

    if (mistakes->len == 0)
        return g_steal_pointer(&config);
    g_propagate_error(error, g_error_copy(g_ptr_array_index(mistakes, 0)));
    return NULL;
}

void
ferry_config_free(FerryConfig *config)
{
    if (!config)
        return;
    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++) {
        if (!section->messaging)
            ferry_setting_clear_all(section->settings, config);
    }
    ferry_messaging_options_free(config->messaging);
    g_hash_table_unref(config->origins);
    g_ptr_array_unref(config->policies);
    g_free(config);
}

/* @words: ends with NULL. */
static bool
find_word(const char *const *words, const char *text, guint *ret_index)
{
    for (guint i = 0; text && words[i]; i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

bool
ferry_timeout_action_from_string(const char *text, FerryTimeoutAction *ret_action)
{
    return find_word(ferry_timeout_action_names, text, ret_action);
}

bool
ferry_source_disks_from_string(const char *text, FerrySourceDisks *ret_disks)
{
    return find_word(ferry_source_disks_names, text, ret_disks);
}

const char *
ferry_source_disks_to_string(FerrySourceDisks disks)
{
    return ferry_source_disks_names[disks];
}

bool
ferry_priority_from_string(const char *text, FerryPriority *ret_priority)
{
    return find_word(ferry_priority_names, text, ret_priority);
}

bool
ferry_disk_writes_from_string(const char *text, FerryDiskWrites *ret_writes)
{
    return find_word(ferry_disk_writes_names, text, ret_writes);
}

const char *
ferry_disk_writes_to_string(FerryDiskWrites writes)
{
    return ferry_disk_writes_names[writes];
}
