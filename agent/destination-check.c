#include "config.h"

#include "destination-check.h"

#include "ferry/error.h"
#include "paths.h"
#include "preparation.h"
#include "virt-auto.h"
#include "virt-domain.h"
#include "virt-host.h"
#include "virt-storage.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const FerryInstance *instance;
    FerryChecks *checks;
} Checking;

static void
add_from_error(Checking *self, const char *name, const GError *error)
{
    ferry_checks_add(self->checks, name, FERRY_CHECK_FAIL, ferry_error_hint(error), "%s",
                     error->message);
}

/* --- the instance itself ---------------------------------------------------------------------- */

static void
check_uuid(Checking *self)
{
    const FerryInstance *instance = self->instance;
    FerrySight sight = ferry_virt_domain_sight(self->connection, instance->uuid);

    if (sight == FERRY_SIGHT_ABSENT)
        ferry_checks_add(self->checks, "uuid", FERRY_CHECK_PASS, NULL, "'%s' is free",
                         instance->uuid);
    else if (sight == FERRY_SIGHT_MIGRATED)
        ferry_checks_add(self->checks, "uuid", FERRY_CHECK_PASS, NULL,
                         "'%s' is the definition that the instance left here when it moved away",
                         instance->uuid);
    else
        ferry_checks_add(self->checks, "uuid", FERRY_CHECK_FAIL,
                         "Look which of the two is the right one and undefine the other",
                         "An instance with the UUID '%s' is on this host already, as '%s'",
                         instance->uuid, ferry_sight_to_string(sight));
}

static void
check_name(Checking *self)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    const char *name = self->instance->name;
    g_autoptr(virDomain) domain = virDomainLookupByName(self->connection, name);

    if (domain)
        virDomainGetUUIDString(domain, uuid);
    if (!domain || g_ascii_strcasecmp(uuid, self->instance->uuid) == 0)
        ferry_checks_add(self->checks, "name", FERRY_CHECK_PASS, NULL, "'%s' is free", name);
    else
        ferry_checks_add(self->checks, "name", FERRY_CHECK_FAIL, "Rename one of the two",
                         "Another instance with the name '%s' is on this host (UUID %s)", name,
                         uuid);
}

static void
check_not_arriving(Checking *self)
{
    FerryJournalFilter filter = {.open_only = true, .instance = self->instance->uuid};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) open = ferry_journal_list(self->agent->journal, &filter, &error);

    if (!open)
        add_from_error(self, "already-migrating", error);
    else if (open->len == 0)
        ferry_checks_add(self->checks, "already-migrating", FERRY_CHECK_PASS, NULL,
                         "No other migration of the instance is open here");
    else
        ferry_checks_add(self->checks, "already-migrating", FERRY_CHECK_FAIL,
                         "Wait for it, or roll it back",
                         "The migration '%s' of the instance is open on this host",
                         ((FerryRecord *)g_ptr_array_index(open, 0))->migration_id);
}

/* --- the machine ------------------------------------------------------------------------------ */

static void
check_machine(Checking *self)
{
    g_autoptr(GError) error = NULL;

    if (ferry_virt_host_knows_machine(self->connection, self->instance, &error))
        ferry_checks_add(self->checks, "machine", FERRY_CHECK_PASS, NULL,
                         "%s %s with %s is known here", self->instance->virt_type,
                         self->instance->machine, self->instance->emulator);
    else
        add_from_error(self, "machine", error);
}

static void
check_cpu(Checking *self)
{
    g_autoptr(GError) error = NULL;
    FerryCpuMatch match = ferry_virt_host_compare_cpu(self->connection, self->instance, &error);

    switch (match) {
    case FERRY_CPU_FITS:
        ferry_checks_add(self->checks, "cpu", FERRY_CHECK_PASS, NULL,
                         "The guest's CPU is available here");
        break;
    case FERRY_CPU_NOT_COMPARABLE:
        ferry_checks_add(self->checks, "cpu", FERRY_CHECK_WARN,
                         "Use hosts of one kind, or a named CPU model in the domain",
                         "The guest has the source host's own CPU (host-passthrough) or none; it "
                         "cannot be compared beforehand");
        break;
    case FERRY_CPU_DIFFERS:
        add_from_error(self, "cpu", error);
        break;
    }
}

static void
check_memory(Checking *self)
{
    guint64 free_bytes = 0;
    g_autoptr(GError) error = NULL;
    guint64 needed = self->instance->memory_bytes;

    if (!ferry_virt_host_free_memory(self->connection, &free_bytes, &error))
        add_from_error(self, "memory", error);
    else
        ferry_checks_add(
            self->checks, "memory", needed <= free_bytes ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
            needed <= free_bytes ? NULL : "Choose another host, or move something away",
            "The instance has %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT
            " MiB are available here",
            needed >> 20, free_bytes >> 20);
}

static void
check_slots(Checking *self)
{
    FerryJournalFilter filter = {.open_only = true};
    guint limit = self->agent->config->max_concurrent_incoming;
    guint used = 0;
    g_autoptr(GPtrArray) open = ferry_journal_list(self->agent->journal, &filter, NULL);

    for (guint i = 0; open && i < open->len; i++)
        used += ((FerryRecord *)g_ptr_array_index(open, i))->role == FERRY_ROLE_DESTINATION;
    ferry_checks_add(self->checks, "incoming-slots",
                     limit == 0 || used < limit ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     limit == 0 || used < limit ? NULL : "The migration waits until one is free",
                     "%u of %u incoming migrations are open", used, limit);
}

/* --- the disks -------------------------------------------------------------------------------- */

/* What one file system must take: the disks of the instance that go there. */
typedef struct {
    guint64 allocation_bytes;
    guint64 capacity_bytes;
} Demand;

static void
check_exists(Checking *self, const FerryDisk *disk, const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        ferry_checks_add(self->checks, "disk-exists", FERRY_CHECK_PASS, NULL, "Nothing is at '%s'",
                         path);
    else if (ferry_preparation_may_replace(self->agent, self->connection, path,
                                           self->instance->uuid))
        ferry_checks_add(self->checks, "disk-exists", FERRY_CHECK_PASS, NULL,
                         "'%s' is what the instance left behind here; it is replaced", path);
    else
        ferry_checks_add(self->checks, "disk-exists", FERRY_CHECK_FAIL,
                         "Look whose it is and move it away; it is never overwritten",
                         "Disk '%s': the file '%s' is there already", disk->target, path);
}

static bool
format_is_known(const FerryDisk *disk)
{
    return g_strcmp0(disk->format, "qcow2") == 0 || g_strcmp0(disk->format, "raw") == 0;
}

static void
check_format(Checking *self, const FerryDisk *disk)
{
    if (g_strcmp0(disk->type, "file") == 0 && format_is_known(disk) && disk->capacity_bytes > 0)
        return;
    ferry_checks_add(self->checks, "layout", FERRY_CHECK_FAIL,
                     "Only file-backed qcow2 and raw images of known size are made here",
                     "Disk '%s' is of type '%s', format '%s', %" G_GUINT64_FORMAT " bytes",
                     disk->target, disk->type, disk->format, disk->capacity_bytes);
}

static char *
existing_ancestor(const char *path)
{
    char *directory = g_path_get_dirname(path);

    while (!g_file_test(directory, G_FILE_TEST_IS_DIR) && g_strcmp0(directory, "/") != 0) {
        char *parent = g_path_get_dirname(directory);

        g_free(directory);
        directory = parent;
    }
    return directory;
}

static void
check_disk(Checking *self, const FerryDisk *disk, GHashTable *demands)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    check_format(self, disk);
    if (!ferry_path_check(disk->source, (const char *const *)self->agent->config->allowed_paths,
                          &path, &error)) {
        add_from_error(self, "path", error);
        return;
    }
    ferry_checks_add(self->checks, "path", FERRY_CHECK_PASS, NULL, "'%s' lies in an allowed path",
                     path);
    check_exists(self, disk, path);

    g_autofree char *directory = existing_ancestor(path);
    Demand *demand = g_hash_table_lookup(demands, directory);

    if (!demand) {
        demand = g_new0(Demand, 1);
        g_hash_table_insert(demands, g_strdup(directory), demand);
    }
    demand->allocation_bytes += disk->allocation_bytes;
    demand->capacity_bytes += disk->capacity_bytes;
}

static void
check_space(Checking *self, const char *directory, const Demand *demand)
{
    struct statvfs fs;
    guint64 reserved = self->agent->config->reserved_bytes;

    if (statvfs(directory, &fs) < 0) {
        ferry_checks_add(self->checks, "space", FERRY_CHECK_FAIL, NULL,
                         "Cannot see the free space of '%s'", directory);
        return;
    }

    guint64 available = (guint64)fs.f_bavail * fs.f_frsize;
    bool fits = available >= reserved && available - reserved >= demand->allocation_bytes;
    bool grows = available >= reserved && available - reserved >= demand->capacity_bytes;

    ferry_checks_add(self->checks, "space",
                     !fits   ? FERRY_CHECK_FAIL
                     : grows ? FERRY_CHECK_PASS
                             : FERRY_CHECK_WARN,
                     !fits   ? "Free space there, or lower [storage] reserved_bytes"
                     : grows ? NULL
                             : "The images fit as they are, not when they fill up",
                     "'%s' has %" G_GUINT64_FORMAT " MiB available (%" G_GUINT64_FORMAT
                     " MiB of them reserved); the disks have %" G_GUINT64_FORMAT
                     " MiB allocated of %" G_GUINT64_FORMAT " MiB",
                     directory, available >> 20, reserved >> 20, demand->allocation_bytes >> 20,
                     demand->capacity_bytes >> 20);
}

static void
check_disks(Checking *self)
{
    GHashTableIter iter;
    gpointer directory = NULL;
    gpointer demand = NULL;
    g_autoptr(GHashTable) demands = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);

        if (disk->migrate)
            check_disk(self, disk, demands);
    }
    g_hash_table_iter_init(&iter, demands);
    while (g_hash_table_iter_next(&iter, &directory, &demand))
        check_space(self, directory, demand);
}

FerryChecks *
ferry_destination_check_run(const FerryAgent *agent,
                            virConnectPtr connection,
                            const FerryInstance *instance)
{
    Checking self = {agent, connection, instance, ferry_checks_new()};

    check_uuid(&self);
    check_name(&self);
    check_not_arriving(&self);
    check_machine(&self);
    check_cpu(&self);
    check_memory(&self);
    check_slots(&self);
    check_disks(&self);
    return self.checks;
}
