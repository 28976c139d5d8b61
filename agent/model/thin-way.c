#include "config.h"

#include "model/thin-way.h"

#include "model/block-volume.h"
#include "model/placement.h"

/* libvirt 9.0 is known to have the layer, 11.3 not to. It could be left out only once QEMU knew
 * backing-mask-protocol (9.0), which was sent to QEMU four days after libvirt 9.10 was released;
 * which release of 10 was the first without it was not looked up. To tell one that would not need
 * it does no harm. */
#define LIBVIRT_WITHOUT_RAW_LAYER "10.0.0"
#define LIBVIRT_DETECTS_ZEROES "10.9.0"
#define QEMU_ASKS_FOR_ZEROES "10.1.0"

FerryThinWay
ferry_thin_way(const FerryHostVersions *source, const FerryHostVersions *destination)
{
    FerryThinWay way = {.thin = true};

    if (ferry_version_is_at_least(source->qemu, QEMU_ASKS_FOR_ZEROES))
        return way;
    if (ferry_version_is_at_least(source->libvirt, LIBVIRT_WITHOUT_RAW_LAYER)) {
        way.detect_zeroes = ferry_version_is_at_least(source->libvirt, LIBVIRT_DETECTS_ZEROES) &&
                            ferry_version_is_at_least(destination->libvirt, LIBVIRT_DETECTS_ZEROES);
        way.thin = way.detect_zeroes || !destination->libvirt;
    }
    way.unmap = way.thin && source->libvirt &&
                ferry_version_is_at_least(destination->libvirt, LIBVIRT_WITHOUT_RAW_LAYER);
    return way;
}

bool
ferry_thin_way_walks_holes(const FerryInstance *instance)
{
    return !ferry_version_is_at_least(instance->qemu_version, QEMU_ASKS_FOR_ZEROES);
}

static bool
is_mirrored_raw(const FerryInstance *instance, const FerryDisk *disk, const char *format)
{
    return disk->migrate && !disk->seeded && !ferry_disk_is_block(disk) &&
           g_strcmp0(format, "raw") == 0 && !ferry_instance_is_shut_off(instance);
}

FerryThinWay
ferry_thin_way_of(const FerryInstance *instance,
                  const FerryDisk *disk,
                  const FerryMigrateData *migrate_data)
{
    const FerryMigrateVolume *volume = ferry_migrate_data_find(migrate_data, disk->target);
    const char *format = volume && volume->format ? volume->format : disk->format;

    if (!migrate_data || !is_mirrored_raw(instance, disk, format))
        return (FerryThinWay){.thin = true};

    const FerryHostVersions source = ferry_instance_host_versions(instance);
    const FerryHostVersions destination = ferry_migrate_data_host_versions(migrate_data);

    return ferry_thin_way(&source, &destination);
}

void
ferry_thin_way_place(FerryInstance *instance, const FerryHostVersions *here)
{
    const FerryHostVersions source = ferry_instance_host_versions(instance);

    if (ferry_thin_way(&source, here).thin)
        return;
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!is_mirrored_raw(instance, disk, disk->format))
            continue;
        disk->seeded = disk->may_seed;
        disk->arrives_full = !disk->may_seed;
    }
}

void
ferry_thin_way_restore(FerryInstance *instance, const FerryMigrateData *migrate_data)
{
    const FerryHostVersions here = ferry_migrate_data_host_versions(migrate_data);

    ferry_placement_restore(instance, migrate_data, NULL);
    ferry_thin_way_place(instance, &here);
}
