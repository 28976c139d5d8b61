#include "config.h"

#include "ferry/messaging-options.h"

#include "config-sections.h"

FerryMessagingOptions *
ferry_messaging_options_new(void)
{
    FerryMessagingOptions *options = g_new0(FerryMessagingOptions, 1);

    ferry_setting_apply_defaults(ferry_transport_settings, options);
    ferry_setting_apply_defaults(ferry_rabbit_settings, options);
    return options;
}

FerryMessagingOptions *
ferry_messaging_options_copy(const FerryMessagingOptions *options)
{
    FerryMessagingOptions *copy = g_memdup2(options, sizeof *options);

    ferry_setting_own_all(ferry_transport_settings, copy);
    ferry_setting_own_all(ferry_rabbit_settings, copy);
    return copy;
}

void
ferry_messaging_options_free(FerryMessagingOptions *options)
{
    if (!options)
        return;
    ferry_setting_clear_all(ferry_transport_settings, options);
    ferry_setting_clear_all(ferry_rabbit_settings, options);
    g_free(options);
}

bool
ferry_messaging_options_set(FerryMessagingOptions *options,
                            const char *name,
                            const char *value,
                            bool *ret_known,
                            GError **error)
{
    const FerrySetting *setting = ferry_setting_find(ferry_rabbit_settings, name);

    if (ret_known)
        *ret_known = setting != NULL;
    return !setting || ferry_setting_parse(setting, value, options, error);
}
