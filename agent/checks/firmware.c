#include "config.h"

#include "checks/firmware.h"

#include "checks/look.h"
#include "files/firmware-digest.h"
#include "model/paths.h"
#include "runtime/package.h"
#include "storage/leftover.h"
#include "storage/nvram-path.h"
#include "virt/host.h"

#include <string.h>

/* Where distributions put firmware. */
static const char *const firmware_folders[] = {
    "/usr/share/OVMF",
    "/usr/share/ovmf",
    "/usr/share/AAVMF",
    "/usr/share/edk2",
    "/usr/share/edk2-ovmf",
    "/usr/share/qemu",
    "/usr/share/qemu-efi",
    "/usr/share/qemu-kvm",
    "/usr/share/seabios",
    "/usr/local/share/qemu",
    "/usr/share/qemu-efi-aarch64",
    NULL,
};

/* Which package has a file, by the beginning of its path: Debian's names, and where they differ,
 * those of Fedora and its kin. */
static const struct {
    const char *prefix;
    const char *debian;
    const char *fedora;
} packages[] = {
    {"/usr/share/OVMF/", "ovmf", "edk2-ovmf"},
    {"/usr/share/ovmf/", "ovmf", "edk2-ovmf"},
    {"/usr/share/edk2", "ovmf", "edk2-ovmf"},
    {"/usr/share/AAVMF/", "qemu-efi-aarch64", "edk2-aarch64"},
    {"/usr/share/qemu-efi-aarch64/", "qemu-efi-aarch64", "edk2-aarch64"},
    {"/usr/share/seabios/", "seabios", "seabios-bin"},
    {"/usr/share/qemu/", "qemu-system-data", "qemu-common"},
};

/* Debian 13's ovmf has no builds of 2 MiB any more. Returns: (transfer full) (nullable): the one of
 * 4 MiB that is here in the place of @loader. */
static char *
find_larger_build(const char *loader)
{
    g_autofree char *stem = g_strndup(loader, strlen(loader) - MIN(strlen(loader), strlen(".fd")));
    g_autofree char *larger = g_strconcat(stem, "_4M.fd", NULL);

    return g_str_has_suffix(loader, ".fd") && ferry_path_presence(larger) == FERRY_PATH_THERE
               ? g_steal_pointer(&larger)
               : NULL;
}

char *
ferry_firmware_hint(const char *loader)
{
    g_autofree char *larger = find_larger_build(loader);

    if (larger)
        return g_strdup_printf(
            "This release has '%s' in its place, which needs variables of its own: "
            "shut the instance off, give it that build on the source, and move "
            "it then",
            larger);
    for (gsize i = 0; i < G_N_ELEMENTS(packages); i++) {
        if (g_str_has_prefix(loader, packages[i].prefix))
            return ferry_package_command(packages[i].debian, packages[i].fedora);
    }
    return g_strdup("Bring the file here from the source, to the same path");
}

/* It goes on with what it was started with, until it is switched off and on again. */
static void
check_build(const FerryCheckScene *scene, const char *loader)
{
    g_autofree char *digest = scene->instance->loader_digest ? ferry_firmware_digest(loader) : NULL;

    if (digest && g_strcmp0(digest, scene->instance->loader_digest) != 0)
        ferry_checks_add(scene->checks, "firmware", FERRY_CHECK_WARN,
                         "Try with a copy whether the guest boots by it, Secure Boot above all, or "
                         "have the same release of the firmware on both hosts",
                         "The firmware '%s' here is another build than on the source: the next "
                         "cold boot is by this one",
                         loader);
}

static void
check_loader(const FerryCheckScene *scene, const char *loader)
{
    FerryPathSeen seen = ferry_check_look(scene, loader, firmware_folders);

    if (seen == FERRY_PATH_HIDDEN) {
        ferry_checks_add(scene->checks, "firmware", FERRY_CHECK_WARN,
                         "See that both hosts have the same file; only the folders of firmware and "
                         "[storage] allowed_paths are looked into",
                         "Whether the firmware '%s' is on this host was not looked at", loader);
        return;
    }

    bool absent = seen == FERRY_PATH_ABSENT;
    g_autofree char *hint = absent ? ferry_firmware_hint(loader) : NULL;
    ferry_checks_add(scene->checks, "firmware", absent ? FERRY_CHECK_FAIL : FERRY_CHECK_PASS, hint,
                     absent ? "The firmware '%s' is not on this host" : "The firmware '%s' is here",
                     loader);
    if (!absent)
        check_build(scene, loader);
}

static void
check_nvram_there(const FerryCheckScene *scene, const char *path)
{
    bool ours =
        ferry_leftover_may_replace(scene->agent, scene->connection, path, scene->instance->uuid);

    ferry_checks_add(scene->checks, "nvram", ours ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     ours ? NULL : "Look whose variables they are and move the file away",
                     ours ? "'%s' is what the instance left behind here; it is written anew"
                          : "The file of the firmware's variables '%s' is there already",
                     path);
}

/* libvirt makes the file, but no folder for it. */
static void
check_nvram_folder(const FerryCheckScene *scene, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    bool absent = ferry_path_presence(folder) == FERRY_PATH_ABSENT;

    ferry_checks_add(scene->checks, "nvram", absent ? FERRY_CHECK_FAIL : FERRY_CHECK_PASS,
                     absent ? "Make the folder there, for libvirt's own user" : NULL,
                     absent ? "The firmware's variables have no place: the folder '%s' is missing"
                            : "The firmware's variables get a file in '%s'",
                     folder);
}

static void
check_nvram(const FerryCheckScene *scene, const char *path)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_nvram_path_check(scene->agent, path, &error)) {
        ferry_checks_add_error(scene->checks, "nvram", error);
        return;
    }
    switch (ferry_path_presence(path)) {
    case FERRY_PATH_ABSENT:
        check_nvram_folder(scene, path);
        break;
    case FERRY_PATH_THERE:
        check_nvram_there(scene, path);
        break;
    case FERRY_PATH_HIDDEN:
        ferry_checks_add(scene->checks, "nvram", FERRY_CHECK_WARN,
                         "A file of that name would be written anew; look there as root",
                         "The agent's user may not see whether '%s' is there", path);
        break;
    }
}

static void
check_tpm(const FerryCheckScene *scene)
{
    bool able = ferry_virt_host_has_tpm(scene->connection, scene->instance);
    g_autofree char *hint =
        able ? NULL : ferry_package_command("swtpm swtpm-tools", "swtpm swtpm-tools");

    ferry_checks_add(scene->checks, "tpm", able ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL, hint,
                     able ? "TPMs can be emulated here" : "TPMs cannot be emulated here");
}

void
ferry_firmware_check(const FerryCheckScene *scene)
{
    const FerryInstance *instance = scene->instance;

    if (instance->loader)
        check_loader(scene, instance->loader);
    if (instance->nvram)
        check_nvram(scene, instance->nvram);
    if (instance->tpm)
        check_tpm(scene);
}
