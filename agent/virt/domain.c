#include "config.h"

#include "virt/domain.h"

#include "model/paths.h"
#include "virt/auto.h"
#include "virt/block.h"
#include "virt/chain.h"
#include "virt/disk-volume.h"
#include "virt/domain-state.h"
#include "virt/error.h"
#include "virt/host.h"
#include "virt/running-qemu.h"
#include "virt/volume.h"
#include "xml/domain-logs.h"
#include "xml/domain.h"

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

virDomainPtr
ferry_virt_domain_find_named(virConnectPtr connection,
                             const char *host,
                             const char *name_or_uuid,
                             GError **error)
{
    g_autoptr(GError) why = NULL;
    virDomainPtr domain = ferry_virt_domain_find(connection, name_or_uuid, &why);

    if (domain)
        return domain;
    /* libvirt's own words say the same once more; they are among the details. */
    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND)) {
        g_free(why->message);
        why->message = g_strdup_printf("'%s' has no instance '%s'", host, name_or_uuid);
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

/* A volume that no pool vouches for, thin ones and snapshots stay without a pool. */
static void
look_at_block(virConnectPtr connection, FerryDisk *disk)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryBlockVolume) volume = {0};

    if (ferry_virt_block_presence(connection, disk->source, &volume, &error) !=
            FERRY_PRESENCE_ACTIVE ||
        !volume.plain) {
        g_debug("Disk '%s' is no plain volume of a pool: %s", disk->target,
                error ? error->message : "it is thin, a snapshot, or none");
        return;
    }
    disk->capacity_bytes = volume.capacity_bytes;
    disk->allocation_bytes = volume.capacity_bytes;
    disk->pool = g_steal_pointer(&volume.pool);
}

static void
look_at_disk(virConnectPtr connection, FerryDisk *disk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = NULL;
    g_auto(FerryImage) image = {0};

    if (disk->source && g_strcmp0(disk->type, "block") == 0)
        look_at_block(connection, disk);
    if (!disk->source || g_strcmp0(disk->type, "file") != 0)
        return;
    folder = g_path_get_dirname(disk->source);
    disk->owner = ferry_file_owner_of(disk->source);
    disk->folder_owner = ferry_file_owner_of(folder);
    if (!ferry_virt_image_info(connection, disk->source, disk->format, &image, &error)) {
        g_debug("Image of disk '%s' cannot be looked at: %s", disk->target, error->message);
        return;
    }
    disk->capacity_bytes = image.capacity_bytes;
    disk->allocation_bytes = image.allocation_bytes;
    disk->file_bytes = image.file_bytes;
    disk->qcow2 = image.qcow2;
    disk->pool = g_steal_pointer(&image.pool);
}

/* A guest on its way, post-copy included, answers no question until it has arrived or is given up,
 * which may take libvirt half a minute; all other questions on the connection would wait with
 * ours. */
static bool
qemu_may_be_asked(virDomainPtr domain)
{
    FerryObservedState observed = ferry_virt_domain_observed_state(domain);

    return observed != FERRY_OBSERVED_INCOMING && observed != FERRY_OBSERVED_PAUSED_MIGRATION &&
           observed != FERRY_OBSERVED_POSTCOPY && observed != FERRY_OBSERVED_POSTCOPY_FAILED;
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

bool
ferry_virt_domain_is_autostarted(virDomainPtr domain)
{
    int autostart = 0;

    /* One that is not persistent has no such thing, and libvirt says so. */
    return virDomainGetAutostart(domain, &autostart) == 0 && autostart != 0;
}

bool
ferry_virt_domain_tells_autostart(virConnectPtr connection, const char *uuid, bool *ret_autostart)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);
    int autostart = 0;

    /* One that has left may be there still, and have no definition any more. */
    if (!domain || virDomainIsPersistent(domain) != 1 ||
        virDomainGetAutostart(domain, &autostart) != 0)
        return false;
    *ret_autostart = autostart != 0;
    return true;
}

bool
ferry_virt_domain_set_autostart(virDomainPtr domain, bool autostart, GError **error)
{
    const char *name = virDomainGetName(domain);

    return ferry_virt_domain_is_autostarted(domain) == autostart ||
           virDomainSetAutostart(domain, autostart) == 0 ||
           ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot turn the autostart of '%s' %s", name,
                                 autostart ? "on" : "off");
}

void
ferry_virt_domain_look_at_disks(virConnectPtr connection, FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        look_at_disk(connection, disk);
        ferry_virt_chain_describe(connection, disk);
    }
}

FerryInstance *
ferry_virt_domain_describe(virConnectPtr connection, virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);
    const char *state = NULL;
    const char *reason = NULL;
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

    if (!ferry_virt_domain_state_words(domain, &state, &reason)) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot read the state of '%s'",
                              name);
        return NULL;
    }

    g_autoptr(FerryInstance) instance = ferry_domxml_parse(live, error);

    if (!instance)
        return NULL;
    g_free(instance->domain_xml);
    instance->domain_xml = ferry_domxml_redact(migratable);
    instance->state = g_strdup(state);
    instance->state_reason = g_strdup(reason);
    instance->libvirt_version = ferry_virt_host_libvirt_version(connection);
    instance->qemu_version =
        ferry_virt_running_qemu_version(connection, domain, instance->emulator);
    instance->persistent = virDomainIsPersistent(domain) == 1;
    instance->autostart = ferry_virt_domain_is_autostarted(domain);
    instance->autostart_told = true;

    bool asking = qemu_may_be_asked(domain);

    ferry_virt_disk_volumes_resolve(connection, instance);
    ferry_virt_domain_look_at_disks(connection, instance);
    for (guint i = 0; asking && i < instance->disks->len; i++)
        ask_qemu_for_size(domain, g_ptr_array_index(instance->disks, i));
    return g_steal_pointer(&instance);
}

bool
ferry_virt_domain_read_persistent(virDomainPtr domain,
                                  FerryInstance **ret_persistent,
                                  GError **error)
{
    const char *name = virDomainGetName(domain);

    *ret_persistent = NULL;
    if (virDomainIsActive(domain) != 1 || virDomainIsPersistent(domain) != 1)
        return true;

    char *raw = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE);

    if (!raw)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot read the persistent definition of '%s'", name);

    g_autofree char *xml = raw;
    g_autoptr(FerryInstance) persistent = ferry_domxml_parse(xml, error);

    if (!persistent)
        return false;
    persistent->domain_xml = ferry_domxml_redact(xml);
    /* As of an instance that is off: libvirt does not show the chains of its images. */
    persistent->state = g_strdup("shutoff");
    *ret_persistent = g_steal_pointer(&persistent);
    return true;
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

/* --- what a migration leaves ------------------------------------------------------------------ */

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
    FerryObservedState observed =
        domain ? ferry_virt_domain_observed_state(domain) : FERRY_OBSERVED_ABSENT;

    if (observed == FERRY_OBSERVED_ABSENT)
        return true;
    if (observed == FERRY_OBSERVED_PAUSED_MIGRATION) {
        if (!destroy_paused(domain, error))
            return false;
        observed = ferry_virt_domain_observed_state(domain);
    }
    if (observed == FERRY_OBSERVED_ABSENT)
        return true;
    /* One that stays defined must not be started by its host's next boot: it runs elsewhere. */
    if (observed == FERRY_OBSERVED_MIGRATED || observed == FERRY_OBSERVED_SHUT_OFF)
        return undefine ? undefine_dead(domain, error)
                        : ferry_virt_domain_set_autostart(domain, false, error);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at it on both hosts; nothing was done to it",
                    "The domain '%s' is '%s' on the source after it moved away", uuid,
                    ferry_observed_state_to_string(observed));
    return false;
}

/* --- who uses a file -------------------------------------------------------------------------- */

/* libvirt shows the chain of a domain that runs; of another one the images' headers tell. */
static bool
disk_uses(virConnectPtr connection, const FerryDisk *disk, const char *path, bool is_active)
{
    for (char **layer = disk->backing_chain; *layer; layer++)
        if (ferry_path_is_same(*layer, path))
            return true;
    return ferry_path_is_same(disk->source, path) ||
           (!is_active && disk->source && ferry_virt_chain_has(connection, disk, path));
}

/* Its serial ports and consoles. */
static bool
logs_to(const char *xml, const char *path)
{
    g_auto(GStrv) files = ferry_domxml_log_files(xml);

    for (char **file = files; file && *file; file++)
        if (ferry_path_is_same(*file, path))
            return true;
    return false;
}

static bool
instance_uses(virConnectPtr connection,
              const FerryInstance *instance,
              const char *xml,
              const char *path,
              bool is_live)
{
    if (ferry_path_is_same(instance->nvram, path) || logs_to(xml, path))
        return true;
    for (guint i = 0; i < instance->disks->len; i++)
        if (disk_uses(connection, g_ptr_array_index(instance->disks, i), path, is_live))
            return true;
    return false;
}

/* @flags: which of the domain's documents: 0 for the live one of a domain that runs. */
static void
name_as_user(virDomainPtr domain, unsigned int flags, const char *const *paths, char **users)
{
    virConnectPtr connection = virDomainGetConnect(domain);
    bool is_live = flags == 0 && virDomainIsActive(domain) == 1;
    char *raw = virDomainGetXMLDesc(domain, flags);

    /* It went away between the list and the look: it uses nothing any more. */
    if (!raw && ferry_virt_error_is(VIR_ERR_NO_DOMAIN))
        return;

    g_autofree char *xml = raw;
    g_autoptr(FerryInstance) instance = raw ? ferry_domxml_parse(xml, NULL) : NULL;

    if (instance)
        ferry_virt_disk_volumes_resolve(connection, instance);
    for (gsize i = 0; paths[i]; i++)
        if (!users[i] && (!instance || instance_uses(connection, instance, xml, paths[i], is_live)))
            users[i] = g_strdup(virDomainGetName(domain));
}

void
ferry_virt_path_users(virConnectPtr connection,
                      const char *const *paths,
                      const char *except_uuid,
                      char **ret_users)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, 0);

    for (int i = 0; i < count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virDomainGetUUIDString(domains[i], uuid);
        if (g_strcmp0(uuid, except_uuid) != 0) {
            /* What it has, and what its next start will want. */
            name_as_user(domains[i], 0, paths, ret_users);
            if (virDomainIsActive(domains[i]) == 1 && virDomainIsPersistent(domains[i]) == 1)
                name_as_user(domains[i], VIR_DOMAIN_XML_INACTIVE, paths, ret_users);
        }
        virDomainFree(domains[i]);
    }
    g_clear_pointer(&domains, free);
    for (gsize i = 0; count < 0 && paths[i]; i++)
        ret_users[i] = g_strdup("an instance that libvirt cannot name now");
}

bool
ferry_virt_path_is_used(virConnectPtr connection,
                        const char *path,
                        const char *except_uuid,
                        char **ret_name)
{
    char *user = NULL;

    ferry_virt_path_users(connection, (const char *const[]){path, NULL}, except_uuid, &user);
    if (user)
        *ret_name = user;
    return user != NULL;
}

bool
ferry_virt_path_check_unused(virConnectPtr connection, const char *path, GError **error)
{
    g_autofree char *user = NULL;

    if (!ferry_virt_path_is_used(connection, path, NULL, &user))
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at that instance; delete the file by hand when it is not needed",
                    "'%s' is in use by '%s'", path, user);
    return false;
}
