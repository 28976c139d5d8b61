#include "config.h"

#include "storage/leftover.h"

#include "journal/journal.h"
#include "virt/domain.h"
#include "virt/volume.h"

bool
ferry_leftover_may_replace(const FerryAgent *agent,
                           virConnectPtr connection,
                           const char *path,
                           const char *instance_uuid)
{
    g_autofree char *user = NULL;
    g_auto(FerryImage) image = {0};
    g_autofree char *fingerprint =
        ferry_journal_leftover_find(agent->journal, path, instance_uuid, NULL);

    return fingerprint && ferry_virt_image_info(connection, path, "raw", &image, NULL) &&
           g_strcmp0(fingerprint, image.fingerprint) == 0 &&
           !ferry_virt_path_is_used(connection, path, instance_uuid, &user);
}
