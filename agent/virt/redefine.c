#include "config.h"

#include "virt/redefine.h"

#include "ferry/error.h"
#include "model/qemu-fault.h"
#include "virt/error.h"
#include "xml/domain-edit.h"

void
ferry_redefinition_clear(FerryRedefinition *redefinition)
{
    g_clear_pointer(&redefinition->live, g_free);
    g_clear_pointer(&redefinition->persistent, g_free);
}

static void
add_edit(GArray *edits, const FerryDisk *disk, const FerryMigrateVolume *volume, bool unmap_zeroes)
{
    const char *path = volume ? volume->path : NULL;
    const char *format = volume ? volume->format : NULL;
    FerryDiskEdit edit = {
        .target = disk->target,
        .from = disk->source,
        .path = path ? path : disk->source,
        .format = format ? format : disk->format,
        .unmap_zeroes = unmap_zeroes,
    };

    if (unmap_zeroes || g_strcmp0(edit.path, disk->source) != 0 ||
        g_strcmp0(edit.format, disk->format) != 0)
        g_array_append_val(edits, edit);
}

/* Returns: (transfer full): what differs, a FerryDiskEdit each; its strings belong to others. */
static GArray *
list_edits(const FerryInstance *instance, const FerryMigrateData *migrate_data, bool unmap_zeroes)
{
    GArray *edits = g_array_new(FALSE, FALSE, sizeof(FerryDiskEdit));

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate)
            add_edit(edits, disk, ferry_migrate_data_find(migrate_data, disk->target),
                     unmap_zeroes);
    }
    return edits;
}

static char *
edit(
    virDomainPtr domain, unsigned int flags, const GArray *edits, guint *ret_edited, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *raw = virDomainGetXMLDesc(domain, flags | VIR_DOMAIN_XML_SECURE);

    if (!raw) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot read the definition of '%s' with its secrets", name);
        return NULL;
    }

    g_autofree char *xml = raw;

    return ferry_domxml_edit(xml, (const FerryDiskEdit *)(const void *)edits->data, edits->len,
                             ret_edited, error);
}

/* Its mirror would end the destination's QEMU. */
static bool
has_iothread_fault(const FerryInstance *instance, const FerryMigrateData *migrate_data)
{
    bool mirrored = false;

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        mirrored = mirrored || (disk->migrate && g_strcmp0(disk->bus, "scsi") == 0);
    }
    return mirrored && migrate_data && ferry_qemu_fault_scsi_iothread(migrate_data->qemu_version);
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
          const GArray *edits,
          FerryRedefinition *made,
          GError **error)
{
    guint edited = 0;

    made->live = edit(domain, VIR_DOMAIN_XML_MIGRATABLE, edits, &edited, error);
    if (!made->live || edited == edits->len)
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
    g_autoptr(GArray) edits = list_edits(instance, migrate_data, sparsify);
    g_autoptr(GArray) lasting = list_edits(instance, migrate_data, /* unmap_zeroes= */ false);
    g_auto(FerryRedefinition) made = {0};
    bool iothread_fault = has_iothread_fault(instance, migrate_data);

    if (edits->len == 0 && !iothread_fault)
        return true;
    if (!make_live(domain, instance, edits, &made, error) ||
        (iothread_fault && !leave_iothreads(&made, error)))
        return false;
    if (edits->len == 0 && made.left_iothreads == 0)
        return true;
    /* Its next start may have the file in another drive. */
    for (guint i = 0; i < lasting->len; i++)
        g_array_index(lasting, FerryDiskEdit, i).target = NULL;
    made.persistent =
        edit(domain, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_INACTIVE, lasting, NULL, error);
    if (!made.persistent)
        return false;
    *ret = made;
    made = (FerryRedefinition){0};
    return true;
}
