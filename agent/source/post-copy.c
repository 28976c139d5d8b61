#include "config.h"

#include "source/post-copy.h"

#include "source/transfer.h"

/* Before the next try, where libvirt refused at once. */
#define PAUSE_MS 2000

bool
ferry_post_copy_can_be_resumed(const FerryConfirmation *seen)
{
    return seen->source == FERRY_OBSERVED_POSTCOPY_FAILED &&
           seen->destination == FERRY_OBSERVED_POSTCOPY_FAILED;
}

void
ferry_post_copy_resume(FerryMigration *migration)
{
    g_auto(FerryTransferResult) result = {0};
    g_autoptr(GError) error = NULL;

    g_message("Migration '%s': its post-copy broke off; resuming it",
              ferry_migration_id(migration));
    if (ferry_transfer_run(migration, FERRY_TRANSFER_RESUME, &result, &error) && !result.error)
        return;
    g_warning("Migration '%s': the post-copy is not resumed: %s", ferry_migration_id(migration),
              error ? error->message : result.error->message);
    ferry_agent_pause(ferry_migration_agent(migration), PAUSE_MS, NULL);
}
