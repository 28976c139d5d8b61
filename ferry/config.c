#include "config.h"

#include "ferry/config.h"

#include "config-sections.h"
#include "expansion.h"
#include "ferry/error.h"
#include "ferry/text.h"
#include "ini.h"

/* Where a value stands, and the last of its files wins. */
typedef struct {
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

    copy->origin = g_strdup_printf("%s:%u", entry->file, entry->line);
    copy->value = g_strdup(entry->value);
    g_hash_table_replace(loader->entries, g_strconcat(entry->section, ".", entry->key, NULL), copy);
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
    g_prefix_error(&mistake, "%s: [%s] ", entry->origin, section->name);
    g_ptr_array_add(loader->mistakes, mistake);
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
    g_free(config);
}

bool
ferry_timeout_action_from_string(const char *text, FerryTimeoutAction *ret_action)
{
    if (g_strcmp0(text, "abort") == 0)
        *ret_action = FERRY_TIMEOUT_ACTION_ABORT;
    else if (g_strcmp0(text, "force_complete") == 0)
        *ret_action = FERRY_TIMEOUT_ACTION_FORCE_COMPLETE;
    else
        return false;
    return true;
}

static const char *const source_disks_names[] = {
    [FERRY_SOURCE_DISKS_KEEP] = "keep",
    [FERRY_SOURCE_DISKS_DELETE] = "delete",
    [FERRY_SOURCE_DISKS_QUARANTINE] = "quarantine",
};

bool
ferry_source_disks_from_string(const char *text, FerrySourceDisks *ret_disks)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(source_disks_names); i++) {
        if (g_strcmp0(text, source_disks_names[i]) == 0) {
            *ret_disks = (FerrySourceDisks)i;
            return true;
        }
    }
    return false;
}

const char *
ferry_source_disks_to_string(FerrySourceDisks disks)
{
    return source_disks_names[disks];
}
