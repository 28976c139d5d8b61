#include "config.h"

#include "destination/console-file.h"

#include "files/own-file.h"
#include "model/file-owner.h"
#include "model/paths.h"
#include "virt/domain.h"
#include "xml/domain-logs.h"

#include <sys/stat.h>
#include <unistd.h>

static bool
note(const FerryPreparation *preparation, const char *path, GError **error)
{
    gint64 id = 0;
    const FerryIntention intention = {.kind = FERRY_CREATION_CONSOLE, .pool = "", .path = path};

    return ferry_preparation_find(preparation, FERRY_CREATION_CONSOLE, path) ||
           ferry_path_presence(path) != FERRY_PATH_ABSENT ||
           ferry_preparation_intend(preparation, &intention, &id, error);
}

bool
ferry_console_files_note(const FerryPreparation *preparation, GError **error)
{
    const FerryConfig *config = preparation->agent->config;
    g_auto(GStrv) files = ferry_domxml_log_files(preparation->instance->domain_xml);

    for (char **file = files; file && *file; file++) {
        g_autofree char *path = NULL;

        if (ferry_path_check(*file, (const char *const *)config->allowed_paths, &path, NULL) &&
            !note(preparation, path, error))
            return false;
    }
    return true;
}

bool
ferry_console_file_is_of(const FerryCreation *creation, const FerryInstance *instance)
{
    g_auto(GStrv) files = ferry_domxml_log_files(instance->domain_xml);

    for (char **file = files; file && *file; file++)
        if (ferry_path_is_same(*file, creation->path))
            return true;
    return false;
}

/* libvirt makes it as root, and may have given it to QEMU's user. */
static bool
is_of_libvirt(const char *path)
{
    static const char *const users[] = {"root", "libvirt-qemu", "qemu", NULL};
    FerryFileOwner owner = ferry_file_owner_of(path);

    return owner.known && (owner.uid == geteuid() || g_strv_contains(users, owner.user));
}

/* Made since it was journaled that it would be, by an attempt that failed before libvirt told of
 * the arrival. */
static bool
is_empty(const FerryOwnFile *file, const FerryCreation *creation)
{
    struct stat st;

    return creation->state != FERRY_CREATION_MADE && lstat(file->path, &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 1 &&
           is_of_libvirt(file->path) &&
           ferry_own_file_is_born(file, creation->at_us - FERRY_PREPARATION_CLOCK_US, G_MAXINT64);
}

bool
ferry_console_file_undo(const FerryAgent *agent,
                        virConnectPtr connection,
                        const FerryCreation *creation,
                        GError **error)
{
    const FerryOwnFile file = {
        .agent = agent, .migration_id = creation->migration_id, .path = creation->path};
    FerryOwnFileSeen seen = ferry_own_file_look(&file, /* why= */ NULL);

    if (seen == FERRY_OWN_FILE_GONE)
        return true;
    if (!ferry_virt_path_check_unused(connection, creation->path, error) ||
        (seen == FERRY_OWN_FILE_UNKNOWN && is_empty(&file, creation) &&
         !ferry_own_file_note(&file, error)))
        return false;
    return ferry_own_file_delete(&file, connection, error);
}
