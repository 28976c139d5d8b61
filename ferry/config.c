#include "config.h"

#include "ferry/config.h"

#include "config-sections.h"
#include "ini.h"

typedef struct {
    FerryConfig *config;
    GHashTable *warned; /* "section.key" */
} Loader;

static gpointer
base_of(const FerryConfigSection *section, FerryConfig *config)
{
    return section->messaging ? (gpointer)config->messaging : (gpointer)config;
}

static void
warn_unknown(Loader *loader, const FerryIniEntry *entry)
{
    g_autofree char *name = g_strdup_printf("%s.%s", entry->section, entry->key);

    if (g_hash_table_add(loader->warned, g_steal_pointer(&name)))
        g_warning("%s:%u: Unknown key '%s' in section [%s] is ignored", entry->file, entry->line,
                  entry->key, entry->section);
}

static bool
take_entry(const FerryIniEntry *entry, gpointer user_data, GError **error)
{
    Loader *loader = user_data;
    bool own = false;

    for (const FerryConfigSection *section = ferry_config_sections; section->name; section++) {
        if (g_strcmp0(section->name, entry->section) != 0)
            continue;
        own = section->own;
        const FerrySetting *setting = ferry_setting_find(section->settings, entry->key);
        if (!setting)
            continue;
        if (ferry_setting_parse(setting, entry->value, base_of(section, loader->config), error))
            return true;
        g_prefix_error(error, "%s:%u: [%s] ", entry->file, entry->line, entry->section);
        return false;
    }
    if (own)
        warn_unknown(loader, entry);
    return true;
}

static FerryConfig *
config_new(void)
{
    FerryConfig *config = g_new0(FerryConfig, 1);

    config->messaging = ferry_messaging_options_new();
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
ferry_config_load(const char *const *files, GError **error)
{
    g_autoptr(FerryConfig) config = config_new();
    g_autoptr(GHashTable) warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Loader loader = {.config = config, .warned = warned};

    for (const char *const *file = files; file && *file; file++) {
        if (!ferry_ini_read_file(*file, take_entry, &loader, error))
            return NULL;
    }
    fill_in_host(config);
    return g_steal_pointer(&config);
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
