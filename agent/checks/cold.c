#include "config.h"

#include "checks/cold.h"

#include "model/block-volume.h"
#include "model/paths.h"

/* They are read and sent by the agent, so no domain may make it read any other file. */
static void
check_images(const FerryAgent *agent, FerryChecks *checks, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autoptr(GError) error = NULL;

        if (disk->migrate && !ferry_disk_is_block(disk) &&
            !ferry_path_check(disk->source, (const char *const *)agent->config->allowed_paths, NULL,
                              &error))
            ferry_checks_add_error(checks, "path", error);
    }
}

void
ferry_cold_check(const FerryAgent *agent,
                 FerryChecks *checks,
                 const FerryInstance *instance,
                 const FerryOrderOptions *options)
{
    check_images(agent, checks, instance);
    if (options->persistent == FERRY_OPTION_NO)
        ferry_checks_add(checks, "persistent", FERRY_CHECK_FAIL,
                         "Leave \"persistent\" out, or start the instance first",
                         "Instance '%s' is shut off and cannot arrive without being defined",
                         instance->name);
    if (options->source_disks == FERRY_SOURCE_DISKS_DELETE)
        ferry_checks_add(
            checks, "source-disks", FERRY_CHECK_FAIL,
            "Order \"quarantine\", which deletes once the instance was seen running, or "
            "\"keep\"",
            "Instance '%s' is shut off: source disks are deleted only after it was seen "
            "running with those at the destination",
            instance->name);
    if (options->pool_map || options->disk_formats || options->sparsify || options->flatten)
        ferry_checks_add(checks, "options", FERRY_CHECK_FAIL, "Leave them out, or start it first",
                         "Files of instance '%s', which is shut off, arrive as they are: pool_map, "
                         "disk_formats, sparsify and flatten are for one that runs",
                         instance->name);
}
