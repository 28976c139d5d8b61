#include "config.h"

#include "checks/files.h"

#include "ferry/error.h"
#include "files/rights.h"
#include "model/carried-file.h"
#include "model/chain.h"
#include "model/paths.h"

#include <errno.h>
#include <sys/stat.h>
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

/* Images are made by libvirt; these are made, verified and named by the agent itself. */
static void
check_rights(const FerryCheckScene *scene, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR) || access(folder, W_OK | X_OK) == 0)
        return;
    int code = errno;
    g_autofree char *hint = ferry_rights_hint(folder, code, "rwx");
    ferry_checks_add(scene->checks, "folder-rights", FERRY_CHECK_FAIL, hint,
                     "'%s' is brought here, but the agent may not write to '%s': %s", path, folder,
                     g_strerror(code));
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
}
