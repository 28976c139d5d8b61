#include "config.h"

#include "checks/files.h"

#include "ferry/error.h"
#include "files/rights.h"
#include "model/block-volume.h"
#include "model/carried-file.h"
#include "model/chain.h"
#include "model/paths.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The source has looked, too; but its word is a stranger's here. */
static void
check_chains(const FerryCheckScene *scene)
{
    for (guint i = 0; i < scene->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(scene->instance->disks, i);
        g_autofree char *fault = disk->migrate || disk->carry ? ferry_chain_fault(disk) : NULL;

        if (fault)
            ferry_checks_add(scene->checks, "backing-chain", FERRY_CHECK_FAIL,
                             "Look at each image with qemu-img info on the source",
                             "Disk \"%s\" %s", disk->target, fault);
        else if (disk->migrate && disk->layers->len > 0)
            ferry_checks_add(scene->checks, "backing-chain", FERRY_CHECK_PASS, NULL,
                             "Disk \"%s\" keeps its %u backing files", disk->target,
                             disk->layers->len);
    }
}

/* Equal or not is found out by content, which takes longer than a check may. */
static void
check_present(const FerryCheckScene *scene, const FerryCarriedFile *file, const struct stat *status)
{
    bool same = S_ISREG(status->st_mode) && (guint64)status->st_size == file->file_bytes;

    ferry_checks_add(scene->checks, "file-exists", same ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     same ? NULL
                          : "Compare the two files; move the one here away, or give the instance "
                            "the same",
                     same ? "'%s' is here with the same length; the contents are compared before "
                            "the transfer"
                          : "The file '%s' is there already and is another one",
                     file->path);
}

/* --- files that are made, verified and named by the agent itself, not by libvirt -------------- */

/* errno of what keeps the agent out of a folder that libvirt makes below @above, or 0: libvirt,
 * which is root, makes it for the agent's group to write to; the unit's sandbox is the agent's
 * own. */
static int
way_is_barred(const char *above)
{
    struct statvfs space;

    if (access(above, X_OK) != 0 || statvfs(above, &space) != 0)
        return errno;
    return (space.f_flag & ST_RDONLY) != 0 ? EROFS : 0;
}

static void
check_new_folder(const FerryCheckScene *scene, const char *path, const char *folder)
{
    g_autofree char *above = g_strdup(folder);

    while (ferry_path_presence(above) == FERRY_PATH_ABSENT) {
        char *parent = g_path_get_dirname(above);

        g_free(above);
        above = parent;
    }

    int code = way_is_barred(above);
    g_autofree char *hint = ferry_rights_hint(above, code, "x");

    if (code != 0)
        ferry_checks_add(scene->checks, "folder-rights", FERRY_CHECK_FAIL, hint,
                         "'%s' is made here by the agent, which could not write to the folder that "
                         "libvirt makes for it below '%s': %s",
                         path, above, g_strerror(code));
}

static void
check_rights(const FerryCheckScene *scene, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *hint = NULL;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        check_new_folder(scene, path, folder);
        return;
    }
    if (access(folder, W_OK | X_OK) == 0)
        return;
    int code = errno;

    hint = ferry_rights_hint(folder, code, "rwx");
    ferry_checks_add(scene->checks, "folder-rights", FERRY_CHECK_FAIL, hint,
                     "'%s' is made here by the agent, which may not write to '%s': %s", path,
                     folder, g_strerror(code));
}

/* Where libvirt does not lend QEMU's user the image, its owner counts. */
static void
check_owner(const FerryCheckScene *scene, const FerryDisk *disk, const char *path)
{
    const FerryFileOwner *owner = &disk->owner;
    g_autofree char *hint = NULL;
    uid_t uid = 0;
    gid_t gid = 0;

    if (ferry_file_owner_can_be_given(owner))
        return;
    ferry_file_owner_here(owner, &uid, &gid);
    hint = g_strdup_printf("When it has come: chown %u:%u %s. It is needed before the instance "
                           "starts only where qemu.conf has dynamic_ownership = 0",
                           uid, gid, path);
    ferry_checks_add(scene->checks, "image-owner", FERRY_CHECK_WARN, hint,
                     "Disk '%s': '%s' is made here by the agent, which may not give it to %u:%u, "
                     "as it is on the source",
                     disk->target, path, uid, gid);
}

/* libvirt, which makes the folder, gives it no such bits; the agent does, where it may. */
static void
check_folder_bits(const FerryCheckScene *scene, const FerryDisk *disk)
{
    const FerryFileOwner *owner = &disk->folder_owner;
    g_autofree char *path = NULL;

    if (!disk->migrate || owner->special == 0 || ferry_file_owner_can_be_given(owner) ||
        !ferry_path_check(disk->source, (const char *const *)scene->agent->config->allowed_paths,
                          &path, NULL))
        return;

    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *hint =
        g_strdup_printf("When it has come: chmod %04o %s", owner->special | owner->mode, folder);

    if (ferry_path_presence(folder) == FERRY_PATH_ABSENT)
        ferry_checks_add(scene->checks, "image-owner", FERRY_CHECK_WARN, hint,
                         "Disk '%s': the folder '%s' is made here without the %s that it has on "
                         "the source, which the agent may not give it",
                         disk->target, folder,
                         (owner->special & S_ISGID) != 0 ? "setgid bit" : "sticky bit");
}

/* An image that is carried, or that libvirt cannot be asked for: of a seed the overlay, which lies
 * on what is no qcow2 image yet. */
static bool
is_made_by_agent(const FerryInstance *instance, const FerryDisk *disk)
{
    if (!disk->migrate || ferry_disk_is_block(disk))
        return false;
    if (disk->seeded)
        return g_strcmp0(disk->format, "qcow2") == 0;
    return ferry_instance_is_shut_off(instance) || disk->layers->len > 0 ||
           (!disk->secret_uuid && disk->qcow2.known &&
            !ferry_qcow2_is_plain(&disk->qcow2, disk->capacity_bytes));
}

static void
check_image(const FerryCheckScene *scene, const FerryDisk *disk)
{
    g_autofree char *path = NULL;

    /* Another check tells of a path that may not be used. */
    if (!is_made_by_agent(scene->instance, disk) ||
        !ferry_path_check(disk->source, (const char *const *)scene->agent->config->allowed_paths,
                          &path, NULL))
        return;
    check_rights(scene, path);
    check_owner(scene, disk, path);
}

static void
check_file(const FerryCheckScene *scene, const FerryCarriedFile *file)
{
    struct stat status;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    if (!ferry_path_check(file->path, (const char *const *)scene->agent->config->allowed_paths,
                          &path, &error))
        ferry_checks_add_error(scene->checks, "path", error);
    else if (lstat(path, &status) == 0)
        check_present(scene, file, &status);
    else
        check_rights(scene, path);
}

void
ferry_check_files(const FerryCheckScene *scene)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(scene->instance);

    check_chains(scene);
    for (guint i = 0; i < files->len; i++)
        check_file(scene, g_ptr_array_index(files, i));
    for (guint i = 0; i < scene->instance->disks->len; i++) {
        check_image(scene, g_ptr_array_index(scene->instance->disks, i));
        check_folder_bits(scene, g_ptr_array_index(scene->instance->disks, i));
    }
}
