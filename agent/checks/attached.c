#include "config.h"

#include "checks/attached.h"

#include "checks/look.h"

static const char not_looked_at[] = "See that it is; only [storage] allowed_paths is looked into";

static void
check_file(const FerryCheckScene *scene, const FerryDisk *disk)
{
    switch (ferry_check_look(scene, disk->source, NULL)) {
    case FERRY_PATH_THERE:
        ferry_checks_add(scene->checks, "attached-disk", FERRY_CHECK_PASS, NULL,
                         "'%s' of disk '%s' is here, as the order says", disk->source,
                         disk->target);
        break;
    case FERRY_PATH_ABSENT:
        ferry_checks_add(scene->checks, "attached-disk", FERRY_CHECK_FAIL,
                         "Mount its storage here, or leave the disk out of \"attached_disks\"",
                         "'%s' of disk '%s' is not here, though the order says that both hosts "
                         "reach it",
                         disk->source, disk->target);
        break;
    case FERRY_PATH_HIDDEN:
        ferry_checks_add(scene->checks, "attached-disk", FERRY_CHECK_WARN, not_looked_at,
                         "Whether '%s' of disk '%s' is here was not looked at", disk->source,
                         disk->target);
        break;
    }
}

static void
check_disk(const FerryCheckScene *scene, const FerryDisk *disk)
{
    if (g_strcmp0(disk->type, "file") == 0 && disk->source)
        check_file(scene, disk);
    else
        ferry_checks_add(scene->checks, "attached-disk", FERRY_CHECK_PASS, NULL,
                         "Disk '%s' (%s) is reached from both hosts, says the order", disk->target,
                         disk->type);
}

static void
check_folder(const FerryCheckScene *scene, const FerryFolderNeed *folder)
{
    const char *tag = folder->tag ? folder->tag : "without a tag";

    switch (ferry_check_look(scene, folder->path, NULL)) {
    case FERRY_PATH_THERE:
        ferry_checks_add(scene->checks, "filesystem", FERRY_CHECK_WARN,
                         "See that the guest can do with what is in it here",
                         "The folder '%s' (9p, %s) is here; its content is not brought along",
                         folder->path, tag);
        break;
    case FERRY_PATH_ABSENT:
        ferry_checks_add(scene->checks, "filesystem", FERRY_CHECK_FAIL,
                         "Make it here, or detach the <filesystem> first",
                         "The folder '%s' (9p, %s) is not here", folder->path, tag);
        break;
    case FERRY_PATH_HIDDEN:
        ferry_checks_add(scene->checks, "filesystem", FERRY_CHECK_WARN, not_looked_at,
                         "Whether the folder '%s' (9p, %s) is here was not looked at; its content "
                         "is not brought along",
                         folder->path, tag);
        break;
    }
}

void
ferry_check_attached(const FerryCheckScene *scene)
{
    for (guint i = 0; i < scene->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(scene->instance->disks, i);

        if (disk->attached)
            check_disk(scene, disk);
    }
    for (guint i = 0; scene->needs && i < scene->needs->folders->len; i++)
        check_folder(scene, g_ptr_array_index(scene->needs->folders, i));
}
