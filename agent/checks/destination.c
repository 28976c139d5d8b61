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
#include "xml/domain.h"

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

/* --- definitions ------------------------------------------------------------------------------ */

/* What one definition asks of this host, whenever it starts here. */
static void
check_definition(const FerryCheckScene *scene)
{
    ferry_check_machine(scene);
    ferry_firmware_check(scene);
    ferry_check_network(scene);
    ferry_check_devices(scene);
    ferry_check_attached(scene);
    /* What is in the way has its name already; libvirt would tell the first of it again. */
    if (ferry_checks_compatible(scene->checks))
        ferry_check_definition(scene);
}

/* Returns: (transfer full): the results for @instance: what arrives, or what starts later. */
static FerryChecks *
look_at_definition(const FerryCheckScene *arrival, const FerryInstance *instance)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryGuestNeeds) needs = ferry_guest_needs_parse(instance->domain_xml, &error);
    g_autoptr(FerryDeviceNeeds) parts =
        needs ? ferry_device_needs_parse(instance->domain_xml, &error) : NULL;
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    FerryCheckScene scene = *arrival;

    scene.instance = instance;
    scene.needs = needs;
    scene.parts = parts;
    scene.checks = checks;
    if (parts)
        check_definition(&scene);
    else
        ferry_checks_add_error(checks, "domain-xml", error);
    return g_steal_pointer(&checks);
}

static bool
is_told(const FerryChecks *checks, const FerryCheck *check)
{
    for (guint i = 0; i < ferry_checks_count(checks); i++) {
        const FerryCheck *told = ferry_checks_get(checks, i);

        if (g_strcmp0(told->name, check->name) == 0 &&
            g_strcmp0(told->message, check->message) == 0)
            return true;
    }
    return false;
}

/* What the next start wants in vain, unless the arrival does, too. */
static void
tell_of_persistent(const FerryCheckScene *arrival, const FerryChecks *live, const FerryChecks *next)
{
    for (guint i = 0; i < ferry_checks_count(next); i++) {
        const FerryCheck *check = ferry_checks_get(next, i);

        if (check->result != FERRY_CHECK_PASS && !is_told(live, check))
            ferry_checks_add(arrival->checks, check->name, check->result, check->hint,
                             "Persistent definition: %s", check->message);
    }
}

static void
check_persistent(const FerryCheckScene *arrival, const FerryChecks *live)
{
    const FerryInstance *instance = arrival->instance;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) persistent = NULL;
    g_autoptr(FerryChecks) next = NULL;

    if (!instance->persistent_xml || arrival->options->persistent == FERRY_OPTION_NO)
        return;
    persistent = ferry_domxml_parse(instance->persistent_xml, &error);
    if (!persistent) {
        ferry_checks_add_error(arrival->checks, "domain-xml", error);
        return;
    }
    persistent->domain_xml = g_strdup(instance->persistent_xml);
    /* The file has been made by the arrival then. */
    if (g_strcmp0(persistent->nvram, instance->nvram) == 0)
        g_clear_pointer(&persistent->nvram, g_free);
    next = look_at_definition(arrival, persistent);
    tell_of_persistent(arrival, live, next);
}

FerryChecks *
ferry_destination_check_run(const FerryAgent *agent,
                            virConnectPtr connection,
                            const FerryInstance *instance,
                            const FerryOrderOptions *options)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(FerryChecks) live = NULL;
    FerryCheckScene scene = {.agent = agent,
                             .connection = connection,
                             .instance = instance,
                             .arrives = instance,
                             .options = options,
                             .checks = checks};

    check_uuid(&scene);
    check_name(&scene);
    check_not_arriving(&scene);
    live = look_at_definition(&scene, instance);
    ferry_checks_append(checks, live);
    check_persistent(&scene, live);
    ferry_check_room(&scene);
    check_placement(&scene);
    ferry_check_storage(&scene);
    ferry_check_files(&scene);
    return g_steal_pointer(&checks);
}
