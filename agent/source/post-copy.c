#include "config.h"

#include "source/post-copy.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/libvirt-fault.h"
#include "source/lost-calls.h"
#include "source/transfer.h"

/* Before the next try, where libvirt refused at once. */
#define PAUSE_MS 2000

bool
ferry_post_copy_can_be_resumed(const FerryConfirmation *seen)
{
    return seen->source == FERRY_OBSERVED_POSTCOPY_FAILED &&
           seen->destination == FERRY_OBSERVED_POSTCOPY_FAILED;
}

/* --- what it did before ----------------------------------------------------------------------- */

/* Of the report, so that the next life of the agent, and the resolver, know it, too. */
#define DEATHS_KEY "resume_deaths"

/* Returns: how often it ended this very libvirt: an updated one has another chance. */
static int
deaths_so_far(const FerryMigration *migration, const FerryFarLibvirt *libvirt)
{
    const json_t *noted = json_object_get(ferry_migration_record(migration)->report, DEATHS_KEY);
    const char *version = ferry_json_get_string(noted, "libvirt_version");

    return g_strcmp0(version, libvirt->version) == 0
               ? (int)CLAMP(json_integer_value(json_object_get(noted, "count")), 0, G_MAXINT16)
               : 0;
}

static void
note_death(FerryMigration *migration, const FerryFarLibvirt *libvirt)
{
    ferry_migration_add_report(migration, json_pack("{s:{s:o, s:i}}", DEATHS_KEY, "libvirt_version",
                                                    ferry_json_text(libvirt->version), "count",
                                                    deaths_so_far(migration, libvirt) + 1));
    ferry_migration_save(migration);
}

static void
look(FerryMigration *migration, FerryFarLibvirt *ret)
{
    const FerryMigrateData *told = ferry_migration_migrate_data(migration);

    ferry_far_libvirt_ask(ferry_migration_agent(migration),
                          ferry_migration_record(migration)->destination, NULL, ret);
    if (!ret->version && told)
        ret->version = g_strdup(told->libvirt_version);
}

static bool
may_try(FerryMigration *migration, const FerryFarLibvirt *libvirt, GError **error)
{
    const char *host = ferry_migration_record(migration)->destination;

    if (ferry_libvirt_fault_resume(libvirt->version)) {
        ferry_set_error(error, FERRY_ERROR_OUTCOME_UNKNOWN,
                        "Update libvirt there to 11.4 or newer, then order resolve_migration; "
                        "until then both halves of the instance wait",
                        "The post-copy of '%s' broke off; it is not taken up, which libvirt %s on "
                        "'%s' does not survive",
                        ferry_migration_record(migration)->instance_name, libvirt->version, host);
        return false;
    }
    if (deaths_so_far(migration, libvirt) < FERRY_LOST_CALLS_MAX)
        return true;
    g_propagate_error(error, ferry_lost_calls_error(libvirt, host, "taking up a post-copy"));
    return false;
}

static void
resume(FerryMigration *migration)
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

bool
ferry_post_copy_resume(FerryMigration *migration, GError **error)
{
    g_auto(FerryFarLibvirt) before = {0};
    g_auto(FerryFarLibvirt) after = {0};

    look(migration, &before);
    if (!may_try(migration, &before, error))
        return false;
    resume(migration);
    look(migration, &after);
    if (ferry_far_libvirt_has_gone(&before, &after))
        note_death(migration, &before);
    return true;
}
