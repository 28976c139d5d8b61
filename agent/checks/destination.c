#include "config.h"

#include "checks/destination.h"

#include "checks/attached.h"
#include "checks/devices.h"
#include "checks/files.h"
#include "checks/firmware.h"
#include "checks/host.h"
#include "checks/network.h"
#include "checks/scene.h"
#include "checks/storage.h"
#include "journal/journal.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"

static void
check_uuid(const FerryCheckScene *scene)
{
    const FerryInstance *instance = scene->instance;
    FerryObservedState observed = ferry_virt_domain_observe(scene->connection, instance->uuid);

    if (observed == FERRY_OBSERVED_ABSENT)
        ferry_checks_add(scene->checks, "uuid", FERRY_CHECK_PASS, NULL, "'%s' is free",
                         instance->uuid);
    else if (observed == FERRY_OBSERVED_MIGRATED && !ferry_instance_is_shut_off(instance))
        ferry_checks_add(scene->checks, "uuid", FERRY_CHECK_PASS, NULL,
                         "'%s' is the definition that the instance left here when it moved away",
                         instance->uuid);
    else
        ferry_checks_add(scene->checks, "uuid", FERRY_CHECK_FAIL,
                         "Look which of the two is the right one and undefine the other",
                         "An instance with the UUID '%s' is on this host already, as '%s'",
                         instance->uuid, ferry_observed_state_to_string(observed));
}

static void
check_name(const FerryCheckScene *scene)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    const char *name = scene->instance->name;
    g_autoptr(virDomain) domain = virDomainLookupByName(scene->connection, name);

    if (domain)
        virDomainGetUUIDString(domain, uuid);
    if (!domain || g_ascii_strcasecmp(uuid, scene->instance->uuid) == 0)
        ferry_checks_add(scene->checks, "name", FERRY_CHECK_PASS, NULL, "'%s' is free", name);
    else
        ferry_checks_add(scene->checks, "name", FERRY_CHECK_FAIL, "Rename one of the two",
                         "Another instance with the name '%s' is on this host (UUID %s)", name,
                         uuid);
}

static void
check_not_arriving(const FerryCheckScene *scene)
{
    FerryJournalFilter filter = {.open_only = true, .instance = scene->instance->uuid};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) open = ferry_journal_list(scene->agent->journal, &filter, &error);

    if (!open)
        ferry_checks_add_error(scene->checks, "already-migrating", error);
    else if (open->len == 0)
        ferry_checks_add(scene->checks, "already-migrating", FERRY_CHECK_PASS, NULL,
                         "No other migration of the instance is open here");
    else
        ferry_checks_add(scene->checks, "already-migrating", FERRY_CHECK_FAIL,
                         "Wait for it, or roll it back",
                         "The migration '%s' of the instance is open on this host",
                         ((FerryRecord *)g_ptr_array_index(open, 0))->migration_id);
}

/* What placement.h found that cannot be done as ordered. */
static void
check_placement(const FerryCheckScene *scene)
{
    for (guint i = 0; i < scene->instance->obstacles->len; i++) {
        const FerryObstacle *obstacle = g_ptr_array_index(scene->instance->obstacles, i);

        ferry_checks_add(scene->checks, obstacle->name, FERRY_CHECK_FAIL, obstacle->hint, "%s",
                         obstacle->message);
    }
}

FerryChecks *
ferry_destination_check_run(const FerryAgent *agent,
                            virConnectPtr connection,
                            const FerryInstance *instance,
                            const FerryOrderOptions *options)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryGuestNeeds) needs = ferry_guest_needs_parse(instance->domain_xml, &error);
    FerryCheckScene scene = {agent, connection, instance, needs, options, checks};

    check_uuid(&scene);
    check_name(&scene);
    check_not_arriving(&scene);
    ferry_check_host(&scene);
    ferry_firmware_check(&scene);
    check_placement(&scene);
    ferry_check_storage(&scene);
    ferry_check_files(&scene);
    ferry_check_attached(&scene);
    if (needs) {
        ferry_check_network(&scene);
        ferry_check_devices(&scene);
    } else {
        ferry_checks_add_error(checks, "domain-xml", error);
    }
    return g_steal_pointer(&checks);
}
