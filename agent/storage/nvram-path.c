#include "config.h"

#include "storage/nvram-path.h"

#include "model/paths.h"

#define LIBVIRT_NVRAM "/var/lib/libvirt/qemu/nvram"

GStrv
ferry_nvram_folders(const FerryAgent *agent)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    g_strv_builder_addv(builder, (const char **)agent->config->allowed_paths);
    g_strv_builder_add(builder, LIBVIRT_NVRAM);
    return g_strv_builder_end(builder);
}

bool
ferry_nvram_path_check(const FerryAgent *agent, const char *path, GError **error)
{
    g_auto(GStrv) allowed = ferry_nvram_folders(agent);

    return ferry_path_check(path, (const char *const *)allowed, NULL, error);
}
