#include "config.h"

#include "model/machine-hint.h"

#include "model/host-versions.h"

#include <string.h>

/* Returns: the version at the end of "pc-q35-7.2"; NULL of a type without one. */
static const char *
version_of(const char *machine)
{
    const char *dash = machine ? strrchr(machine, '-') : NULL;

    return dash && g_ascii_isdigit(dash[1]) ? dash + 1 : NULL;
}

/* Finds the oldest and the newest type of the family, the part before the version. */
static void
find_range(const char *machine,
           const char *const *known,
           const char **ret_oldest,
           const char **ret_newest)
{
    gsize family = (gsize)(version_of(machine) - machine);

    for (gsize i = 0; known && known[i]; i++) {
        const char *version = version_of(known[i]);

        if (!version || (gsize)(version - known[i]) != family ||
            strncmp(known[i], machine, family) != 0)
            continue;
        if (!*ret_oldest || ferry_version_compare(version, version_of(*ret_oldest)) < 0)
            *ret_oldest = known[i];
        if (!*ret_newest || ferry_version_compare(version, version_of(*ret_newest)) > 0)
            *ret_newest = known[i];
    }
}

char *
ferry_machine_hint(const char *machine, const char *const *known, const char *qemu_version)
{
    const char *version = version_of(machine);
    const char *oldest = NULL;
    const char *newest = NULL;
    const char *qemu = qemu_version ? qemu_version : "there";

    if (version)
        find_range(machine, known, &oldest, &newest);
    if (!oldest)
        return g_strdup("Choose a host whose QEMU has it, or install the emulator that has it");
    if (ferry_version_compare(version, version_of(newest)) > 0)
        return g_strdup_printf(
            "Update QEMU there: %s has '%s' to '%s'; or give the instance one of "
            "these (virsh edit), and move it after its next cold boot",
            qemu, oldest, newest);
    return g_strdup_printf("QEMU %s does not have it any more, but '%s' to '%s': give the instance "
                           "one of these (virsh edit), and move it after its next cold boot",
                           qemu, oldest, newest);
}
