#include "config.h"

#include "virt-domain.h"

#include "chain.h"
#include "domxml.h"
#include "virt-auto.h"
#include "virt-error.h"
#include "virt-storage.h"

/* --- states in libvirt's words ---------------------------------------------------------------- */

static const char *
state_word(int state)
{
    static const char *const words[] = {
        [VIR_DOMAIN_NOSTATE] = "nostate",   [VIR_DOMAIN_RUNNING] = "running",
        [VIR_DOMAIN_BLOCKED] = "blocked",   [VIR_DOMAIN_PAUSED] = "paused",
        [VIR_DOMAIN_SHUTDOWN] = "shutdown", [VIR_DOMAIN_SHUTOFF] = "shutoff",
        [VIR_DOMAIN_CRASHED] = "crashed",   [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
    };

    return state >= 0 && state < (int)G_N_ELEMENTS(words) ? words[state] : "unknown";
}

const char *
ferry_virt_domain_state_word(virDomainPtr domain)
{
    int state = -1;

    virDomainGetState(domain, &state, NULL, 0);
    return state_word(state);
}

typedef struct {
    int reason;
    const char *word;
} ReasonWord;

static const ReasonWord running_reasons[] = {
    {VIR_DOMAIN_RUNNING_BOOTED, "booted"},
    {VIR_DOMAIN_RUNNING_MIGRATED, "migrated"},
    {VIR_DOMAIN_RUNNING_RESTORED, "restored"},
    {VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, "from snapshot"},
    {VIR_DOMAIN_RUNNING_UNPAUSED, "unpaused"},
    {VIR_DOMAIN_RUNNING_MIGRATION_CANCELED, "migration canceled"},
    {VIR_DOMAIN_RUNNING_SAVE_CANCELED, "save canceled"},
    {VIR_DOMAIN_RUNNING_WAKEUP, "event wakeup"},
    {VIR_DOMAIN_RUNNING_POSTCOPY, "post-copy"},
    {VIR_DOMAIN_RUNNING_POSTCOPY_FAILED, "post-copy failed"},
    {-1, NULL},
};

static const ReasonWord paused_reasons[] = {
    {VIR_DOMAIN_PAUSED_USER, "user"},
    {VIR_DOMAIN_PAUSED_MIGRATION, "migrating"},
    {VIR_DOMAIN_PAUSED_SAVE, "saving"},
    {VIR_DOMAIN_PAUSED_DUMP, "dumping"},
    {VIR_DOMAIN_PAUSED_IOERROR, "I/O error"},
    {VIR_DOMAIN_PAUSED_WATCHDOG, "watchdog"},
    {VIR_DOMAIN_PAUSED_SNAPSHOT, "creating snapshot"},
    {VIR_DOMAIN_PAUSED_STARTING_UP, "starting up"},
    {VIR_DOMAIN_PAUSED_POSTCOPY, "post-copy"},
    {VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, "post-copy failed"},
    {-1, NULL},
};

static const ReasonWord shutoff_reasons[] = {
    {VIR_DOMAIN_SHUTOFF_SHUTDOWN, "shutdown"},
    {VIR_DOMAIN_SHUTOFF_DESTROYED, "destroyed"},
    {VIR_DOMAIN_SHUTOFF_CRASHED, "crashed"},
    {VIR_DOMAIN_SHUTOFF_MIGRATED, "migrated"},
    {VIR_DOMAIN_SHUTOFF_SAVED, "saved"},
    {VIR_DOMAIN_SHUTOFF_FAILED, "failed"},
    {-1, NULL},
};

static const char *
reason_word(int state, int reason)
{
    const ReasonWord *words = NULL;

    if (state == VIR_DOMAIN_RUNNING)
        words = running_reasons;
    else if (state == VIR_DOMAIN_PAUSED)
        words = paused_reasons;
    else if (state == VIR_DOMAIN_SHUTOFF)
        words = shutoff_reasons;
    for (; words && words->word; words++)
        if (words->reason == reason)
            return words->word;
    return "unknown";
}

/* --- sight ------------------------------------------------------------------------------------ */

static bool
has_incoming_job(virDomainPtr domain)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int type = 0;
    int operation = 0;

    if (virDomainGetJobStats(domain, &type, &params, &count, 0) < 0)
        return false;

    bool incoming =
        virTypedParamsGetInt(params, count, VIR_DOMAIN_JOB_OPERATION, &operation) == 1 &&
        operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN && type != VIR_DOMAIN_JOB_NONE;

    virTypedParamsFree(params, count);
    return incoming;
}

static FerrySight
sight_of_paused(virDomainPtr domain, int reason)
{
    switch (reason) {
    case VIR_DOMAIN_PAUSED_POSTCOPY:
        return FERRY_SIGHT_POSTCOPY;
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
        return FERRY_SIGHT_POSTCOPY_FAILED;
    case VIR_DOMAIN_PAUSED_MIGRATION:
    case VIR_DOMAIN_PAUSED_STARTING_UP:
        return has_incoming_job(domain) ? FERRY_SIGHT_INCOMING : FERRY_SIGHT_PAUSED_MIGRATION;
    default:
        return has_incoming_job(domain) ? FERRY_SIGHT_INCOMING : FERRY_SIGHT_PAUSED;
    }
}

static FerrySight
sight_of_running(int reason)
{
    if (reason == VIR_DOMAIN_RUNNING_POSTCOPY)
        return FERRY_SIGHT_POSTCOPY;
    if (reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED)
        return FERRY_SIGHT_POSTCOPY_FAILED;
    return FERRY_SIGHT_RUNNING;
}

FerrySight
ferry_virt_domain_state_sight(virDomainPtr domain)
{
    int state = 0;
    int reason = 0;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return ferry_virt_error_is(VIR_ERR_NO_DOMAIN) ? FERRY_SIGHT_ABSENT
                                                      : FERRY_SIGHT_UNREACHABLE;
    switch (state) {
    case VIR_DOMAIN_RUNNING:
        return sight_of_running(reason);
    case VIR_DOMAIN_PAUSED:
        return sight_of_paused(domain, reason);
    case VIR_DOMAIN_SHUTOFF:
        return reason == VIR_DOMAIN_SHUTOFF_MIGRATED ? FERRY_SIGHT_MIGRATED : FERRY_SIGHT_SHUT_OFF;
    default:
        return FERRY_SIGHT_OTHER;
    }
}

FerrySight
ferry_virt_domain_sight(virConnectPtr connection, const char *uuid)
{
    virDomainPtr found = virDomainLookupByUUIDString(connection, uuid);

    if (!found)
        return ferry_virt_error_is(VIR_ERR_NO_DOMAIN) ? FERRY_SIGHT_ABSENT
                                                      : FERRY_SIGHT_UNREACHABLE;

    g_autoptr(virDomain) domain = found;

    return ferry_virt_domain_state_sight(domain);
}

bool
ferry_virt_domain_died_here(virConnectPtr connection, const char *uuid)
{
    int state = 0;
    int reason = 0;
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    if (!domain || virDomainGetState(domain, &state, &reason, 0) < 0)
        return false;
    if (state == VIR_DOMAIN_CRASHED)
        return true;
    /* After libvirtd's own restart the reason is forgotten: then this proves nothing. */
    return state == VIR_DOMAIN_SHUTOFF && reason != VIR_DOMAIN_SHUTOFF_UNKNOWN &&
           reason != VIR_DOMAIN_SHUTOFF_MIGRATED && reason != VIR_DOMAIN_SHUTOFF_DAEMON;
}

static bool
destroy_paused(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);

    g_message("Destroying what the switch left of '%s': it is paused here and alive elsewhere",
              name);
    return virDomainDestroyFlags(domain, VIR_DOMAIN_DESTROY_DEFAULT) == 0 ||
           ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot destroy the paused rest of '%s'", name);
}

static bool
undefine_dead(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);

    return virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) == 0 ||
           ferry_virt_error_is(VIR_ERR_NO_DOMAIN) ||
           ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot undefine '%s', which moved away", name);
}

bool
ferry_virt_domain_retire(virConnectPtr connection, const char *uuid, bool undefine, GError **error)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);
    FerrySight sight = domain ? ferry_virt_domain_state_sight(domain) : FERRY_SIGHT_ABSENT;

    if (sight == FERRY_SIGHT_ABSENT)
        return true;
    if (sight == FERRY_SIGHT_PAUSED_MIGRATION) {
        if (!destroy_paused(domain, error))
            return false;
        sight = ferry_virt_domain_state_sight(domain);
    }
    if (sight == FERRY_SIGHT_ABSENT)
        return true;
    if (sight == FERRY_SIGHT_MIGRATED || sight == FERRY_SIGHT_SHUT_OFF)
        return !undefine || undefine_dead(domain, error);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at it on both hosts; nothing was done to it",
                    "The domain '%s' is '%s' on the source after it moved away", uuid,
                    ferry_sight_to_string(sight));
    return false;
}

bool
ferry_virt_domain_is_busy(virConnectPtr connection, const char *uuid)
{
    virDomainJobInfo info = {0};
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    return !domain || virDomainGetJobInfo(domain, &info) < 0 || info.type != VIR_DOMAIN_JOB_NONE;
}

/* --- finding and describing ------------------------------------------------------------------- */

virDomainPtr
ferry_virt_domain_find(virConnectPtr connection, const char *name_or_uuid, GError **error)
{
    virDomainPtr domain = NULL;

    if (g_uuid_string_is_valid(name_or_uuid))
        domain = virDomainLookupByUUIDString(connection, name_or_uuid);
    if (!domain)
        domain = virDomainLookupByName(connection, name_or_uuid);
    if (domain)
        return domain;

    ferry_error_from_virt(error, FERRY_ERROR_INSTANCE_NOT_FOUND, "No instance '%s' on this host",
                          name_or_uuid);
    if (error && g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND))
        ferry_error_set_hint(*error, "describe_host names the instances of a host");
    return NULL;
}

static void
look_at_disk(virConnectPtr connection, FerryDisk *disk)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};

    if (!disk->source || g_strcmp0(disk->type, "file") != 0)
        return;
    if (!ferry_virt_image_look(connection, disk->source, disk->format, &image, &error)) {
        g_debug("Image of disk '%s' cannot be looked at: %s", disk->target, error->message);
        return;
    }
    disk->capacity_bytes = image.capacity_bytes;
    disk->allocation_bytes = image.allocation_bytes;
    disk->file_bytes = image.file_bytes;
    disk->qcow2 = image.qcow2;
    disk->pool = g_steal_pointer(&image.pool);
}

static void
look_at_layers(virConnectPtr connection, FerryDisk *disk)
{
    for (guint i = 0; i < disk->layers->len && i < FERRY_CHAIN_MAX_DEPTH; i++) {
        FerryLayer *layer = g_ptr_array_index(disk->layers, i);
        g_autoptr(GError) error = NULL;
        g_auto(FerryImage) image = {0};

        if (g_strcmp0(layer->type, "file") != 0)
            continue;
        if (!ferry_virt_image_look(connection, layer->path, layer->format, &image, &error)) {
            g_debug("Backing file of disk '%s' cannot be looked at: %s", disk->target,
                    error->message);
            continue;
        }
        layer->capacity_bytes = image.capacity_bytes;
        layer->allocation_bytes = image.allocation_bytes;
        layer->file_bytes = image.file_bytes;
        layer->qcow2 = image.qcow2;
        layer->pool = g_steal_pointer(&image.pool);
    }
}

/* A guest on its way, post-copy included, answers no question until it has arrived or is given up,
 * which may take libvirt half a minute; all other questions on the connection would wait with ours. */
static bool
qemu_may_be_asked(virDomainPtr domain)
{
    FerrySight sight = ferry_virt_domain_state_sight(domain);

    return sight != FERRY_SIGHT_INCOMING && sight != FERRY_SIGHT_PAUSED_MIGRATION &&
           sight != FERRY_SIGHT_POSTCOPY && sight != FERRY_SIGHT_POSTCOPY_FAILED;
}

/* What QEMU itself says of the virtual size is the truth that the copy must match. */
static void
ask_qemu_for_size(virDomainPtr domain, FerryDisk *disk)
{
    virDomainBlockInfo info = {0};

    if (!disk->source || virDomainGetBlockInfo(domain, disk->target, &info, 0) < 0)
        return;
    disk->capacity_bytes = info.capacity;
    if (disk->allocation_bytes == 0)
        disk->allocation_bytes = MIN(info.allocation, info.physical);
}

FerryInstance *
ferry_virt_domain_describe(virConnectPtr connection, virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);
    int state = 0;
    int reason = 0;
    unsigned int flags = VIR_DOMAIN_XML_MIGRATABLE;
    char *raw = virDomainGetXMLDesc(domain, flags);

    if (!raw) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot read the definition of '%s'", name);
        return NULL;
    }

    /* The migratable form leaves out what libvirt added, the backing chains among it. */
    char *full = virDomainGetXMLDesc(domain, 0);
    g_autofree char *migratable = raw;
    g_autofree char *live = full ? full : g_strdup(raw);

    if (virDomainGetState(domain, &state, &reason, 0) < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot read the state of '%s'",
                              name);
        return NULL;
    }

    g_autoptr(FerryInstance) instance = ferry_domxml_parse(live, error);

    if (!instance)
        return NULL;
    g_free(instance->domain_xml);
    instance->domain_xml = ferry_domxml_redact(migratable);
    instance->state = g_strdup(state_word(state));
    instance->state_reason = g_strdup(reason_word(state, reason));
    instance->persistent = virDomainIsPersistent(domain) == 1;

    bool asking = qemu_may_be_asked(domain);

    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        look_at_disk(connection, disk);
        look_at_layers(connection, disk);
        if (asking)
            ask_qemu_for_size(domain, disk);
    }
    return g_steal_pointer(&instance);
}

static void
add_counted_obstacle(
    FerryInstance *instance, int count, const char *name, const char *what, const char *hint)
{
    if (count <= 0)
        return;

    g_autofree char *message =
        g_strdup_printf("Instance '%s' has %d %s", instance->name, count, what);

    ferry_instance_add_obstacle(instance, name, message, hint);
}

static void
find_block_jobs(virDomainPtr domain, FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        virDomainBlockJobInfo info = {0};

        if (!disk->source || virDomainGetBlockJobInfo(domain, disk->target, &info, 0) != 1)
            continue;

        g_autofree char *message = g_strdup_printf(
            "Disk '%s' of instance '%s' has a running block job", disk->target, instance->name);

        ferry_instance_add_obstacle(instance, "block-job", message,
                                    "Wait until the backup or copy is done, or abort it");
    }
}

bool
ferry_virt_domain_find_obstacles(virDomainPtr domain, FerryInstance *instance, GError **error)
{
    int snapshots = virDomainSnapshotNum(domain, 0);

    if (snapshots < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot count the snapshots of '%s'", instance->name);
    add_counted_obstacle(instance, snapshots, "snapshots", "snapshots",
                         "Delete them (virsh snapshot-delete); they cannot move along");
    add_counted_obstacle(instance, virDomainListAllCheckpoints(domain, NULL, 0), "checkpoints",
                         "checkpoints",
                         "Delete them (virsh checkpoint-delete); they cannot move along");
    add_counted_obstacle(instance, virDomainHasManagedSaveImage(domain, 0), "managed-save",
                         "managed save image", "Remove it (virsh managedsave-remove)");
    find_block_jobs(domain, instance);
    return true;
}

/* --- who uses a file -------------------------------------------------------------------------- */

static bool
domain_uses(virDomainPtr domain, const char *path)
{
    char *raw = virDomainGetXMLDesc(domain, 0);

    /* It went away between the list and the look: it uses nothing any more. */
    if (!raw)
        return !ferry_virt_error_is(VIR_ERR_NO_DOMAIN);

    g_autofree char *xml = raw;
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(xml, NULL);

    if (!instance || g_strcmp0(instance->nvram, path) == 0)
        return true;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (g_strcmp0(disk->source, path) == 0 ||
            g_strv_contains((const char *const *)disk->backing_chain, path))
            return true;
    }
    return false;
}

bool
ferry_virt_path_is_used(virConnectPtr connection,
                        const char *path,
                        const char *except_uuid,
                        char **ret_name)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, 0);
    bool used = count < 0;

    for (int i = 0; i < count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virDomainGetUUIDString(domains[i], uuid);
        if (!used && g_strcmp0(uuid, except_uuid) != 0 && domain_uses(domains[i], path)) {
            used = true;
            *ret_name = g_strdup(virDomainGetName(domains[i]));
        }
        virDomainFree(domains[i]);
    }
    g_clear_pointer(&domains, free);
    if (count < 0)
        *ret_name = g_strdup("an instance that libvirt cannot name now");
    return used;
}
