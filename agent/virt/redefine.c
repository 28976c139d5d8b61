#include "config.h"

#include "virt/redefine.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/qemu-fault.h"
#include "model/thin-way.h"
#include "virt/error.h"
#include "xml/domain-edit.h"

void
ferry_redefinition_clear(FerryRedefinition *redefinition)
{
    g_clear_pointer(&redefinition->live, g_free);
    g_clear_pointer(&redefinition->persistent, g_free);
}

/* Whether the destination has a pool of that name in the same folder: then its definition may go on
 * naming the volume. */
static bool
keeps_name(const FerryDisk *disk, const char *path, const FerryMigrateData *migrate_data)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    gsize index = 0;
    json_t *pool = NULL;

    json_array_foreach(migrate_data->pools, index, pool)
        if (g_strcmp0(ferry_json_get_string(pool, "name"), disk->volume_pool) == 0)
            return g_strcmp0(ferry_json_get_string(pool, "path"), folder) == 0 &&
                   g_strcmp0(name, disk->volume_name) == 0;
    return false;
}

/* Which document is made. */
typedef enum {
    LASTING,
    LIVE, /* libvirt looks for the file that is to be copied before it looks for a volume's */
    LIVE_WITHOUT_ZEROES,
} Document;

/* What edits are made from. */
typedef struct {
    const FerryInstance *instance;
    const FerryMigrateData *migrate_data;
    Document document;
} Origin;

static bool
is_renamed(const FerryDisk *disk, const char *path, const Origin *origin)
{
    return disk->volume_pool &&
           (origin->document != LASTING || !keeps_name(disk, path, origin->migrate_data));
}

/* How its image is written while it is mirrored. A seed is none: its overlay is no raw image, and
 * has another path. */
static void
see_to_holes(FerryDiskEdit *edit, const FerryDisk *disk, const Origin *origin)
{
    if (!disk->migrate || disk->seeded || origin->document == LASTING)
        return;
    edit->detect_zeroes = origin->document == LIVE_WITHOUT_ZEROES;
    edit->unmap = edit->detect_zeroes ||
                  ferry_thin_way_of(origin->instance, disk, origin->migrate_data).unmap;
}

static void
add_edit(GArray *edits, const FerryDisk *disk, const Origin *origin)
{
    const FerryMigrateVolume *volume =
        disk->migrate ? ferry_migrate_data_find(origin->migrate_data, disk->target) : NULL;
    const char *path = volume ? volume->path : NULL;
    const char *format = volume ? volume->format : NULL;
    FerryDiskEdit edit = {
        .target = disk->target,
        .from = disk->source,
        .pool = disk->volume_pool,
        .volume = disk->volume_name,
        .path = path ? path : disk->source,
        .format = format ? format : disk->format,
    };

    see_to_holes(&edit, disk, origin);
    if (is_renamed(disk, edit.path, origin) || edit.unmap ||
        g_strcmp0(edit.path, disk->source) != 0 || g_strcmp0(edit.format, disk->format) != 0)
        g_array_append_val(edits, edit);
}

/* Returns: (transfer full): what differs, a FerryDiskEdit each; its strings belong to others. */
static GArray *
list_edits(const FerryInstance *instance, const FerryMigrateData *migrate_data, Document document)
{
    const Origin origin = {instance, migrate_data, document};
    GArray *edits = g_array_new(FALSE, FALSE, sizeof(FerryDiskEdit));

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate || (disk->carry && disk->volume_pool))
            add_edit(edits, disk, &origin);
    }
    return edits;
}

/* What becomes of the document beside its secrets. */
typedef struct {
    const GArray *disks;
    const json_t *addresses; /* NULL: none moves */
} Edits;

/* @ret_edited: (nullable): how many of the disks' edits found their disk. */
static char *
apply(const char *xml, const Edits *edits, guint *ret_edited, GError **error)
{
    const GArray *disks = edits->disks;
    char *edited = ferry_domxml_edit(xml, (const FerryDiskEdit *)(const void *)disks->data,
                                     disks->len, ret_edited, error);

    if (!edited || !edits->addresses)
        return edited;

    g_autofree char *here = edited;

    return ferry_domxml_move_listeners(here, edits->addresses, error);
}

static char *
edit(virDomainPtr domain, unsigned int flags, const Edits *edits, guint *ret_edited, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *raw = virDomainGetXMLDesc(domain, flags | VIR_DOMAIN_XML_SECURE);

    if (!raw) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot read the definition of '%s' with its secrets", name);
        return NULL;
    }

    g_autofree char *xml = raw;

    return apply(xml, edits, ret_edited, error);
}

char *
ferry_redefinition_of_definition(const char *xml,
                                 const FerryInstance *instance,
                                 const FerryMigrateData *migrate_data,
                                 GError **error)
{
    g_autoptr(GArray) edits = list_edits(instance, migrate_data, LASTING);
    g_autoptr(FerryJson) addresses =
        ferry_migrate_data_addresses(migrate_data, instance->own_addresses);

    return apply(xml, &(Edits){edits, addresses}, NULL, error);
}

static bool
leave_iothreads(FerryRedefinition *made, GError **error)
{
    g_autofree char *xml = g_steal_pointer(&made->live);

    made->live = ferry_domxml_leave_scsi_iothreads(xml, &made->left_iothreads, error);
    return made->live != NULL;
}

static bool
make_live(virDomainPtr domain,
          const FerryInstance *instance,
          const Edits *edits,
          FerryRedefinition *made,
          GError **error)
{
    guint edited = 0;

    made->live = edit(domain, VIR_DOMAIN_XML_MIGRATABLE, edits, &edited, error);
    if (!made->live || edited == edits->disks->len)
        return made->live != NULL;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Send the order again",
                    "The disks of '%s' were changed since it was checked", instance->name);
    return false;
}

bool
ferry_redefinition_make(virDomainPtr domain,
                        const FerryInstance *instance,
                        const FerryMigrateData *migrate_data,
                        bool sparsify,
                        FerryRedefinition *ret,
                        GError **error)
{
    g_autoptr(GArray) edits =
        list_edits(instance, migrate_data, sparsify ? LIVE_WITHOUT_ZEROES : LIVE);
    g_autoptr(GArray) lasting = list_edits(instance, migrate_data, LASTING);
    g_auto(FerryRedefinition) made = {0};
    g_autoptr(FerryJson) addresses =
        ferry_migrate_data_addresses(migrate_data, instance->own_addresses);
    /* Its mirror would end the destination's QEMU. */
    bool iothread_fault =
        migrate_data && ferry_qemu_fault_meets_scsi(instance, migrate_data->qemu_version);

    if (edits->len == 0 && !addresses && !iothread_fault)
        return true;
    if (!make_live(domain, instance, &(Edits){edits, addresses}, &made, error) ||
        (iothread_fault && !leave_iothreads(&made, error)))
        return false;
    if (edits->len == 0 && !addresses && made.left_iothreads == 0)
        return true;
    /* Its next start may have the file in another drive. */
    for (guint i = 0; i < lasting->len; i++)
        g_array_index(lasting, FerryDiskEdit, i).target = NULL;
    made.persistent = edit(domain, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_INACTIVE,
                           &(Edits){lasting, addresses}, NULL, error);
    if (!made.persistent)
        return false;
    *ret = made;
    made = (FerryRedefinition){0};
    return true;
}
