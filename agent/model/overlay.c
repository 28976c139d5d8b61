#include "config.h"

#include "model/overlay.h"

#include <string.h>

#define OVERLAY_MARK ".ferry-"

void
ferry_overlay_free(FerryOverlay *overlay)
{
    if (!overlay)
        return;
    g_free(overlay->target);
    g_free(overlay->image);
    g_free(overlay->format);
    g_free(overlay->overlay);
    g_free(overlay->pool);
    g_free(overlay);
}

char *
ferry_overlay_path(const char *path, const char *migration_id)
{
    return g_strconcat(path, OVERLAY_MARK, migration_id, NULL);
}

static FerryOverlay *
overlay_new(const FerryDisk *disk, const char *migration_id)
{
    FerryOverlay *overlay = g_new0(FerryOverlay, 1);

    overlay->target = g_strdup(disk->target);
    overlay->image = g_strdup(disk->source);
    overlay->format = g_strdup(disk->format);
    overlay->overlay = ferry_overlay_path(disk->source, migration_id);
    overlay->pool = g_strdup(disk->pool);
    overlay->capacity_bytes = disk->capacity_bytes;
    return overlay;
}

GPtrArray *
ferry_overlays_new(const FerryInstance *instance, const char *migration_id)
{
    GPtrArray *overlays = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_overlay_free);

    for (guint i = 0; instance && i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && disk->seeded && disk->source)
            g_ptr_array_add(overlays, overlay_new(disk, migration_id));
    }
    return overlays;
}

bool
ferry_overlay_is_of(const char *name, const char *image)
{
    gsize length = strlen(image);

    return g_str_has_prefix(name, image) && g_str_has_prefix(name + length, OVERLAY_MARK) &&
           g_uuid_string_is_valid(name + length + strlen(OVERLAY_MARK));
}

FerryOverlayAction
ferry_overlay_decide(const FerryTops *tops, bool noted, bool exists)
{
    FerryTop writes = tops->live != FERRY_TOP_NONE ? tops->live : tops->defined;

    switch (writes) {
    case FERRY_TOP_OVERLAY:
        if (!exists)
            return FERRY_OVERLAY_KEEP;
        return tops->live == FERRY_TOP_OVERLAY ? FERRY_OVERLAY_COMMIT
                                               : FERRY_OVERLAY_COMMIT_OFFLINE;
    case FERRY_TOP_IMAGE:
        if (!exists)
            return FERRY_OVERLAY_NOTHING;
        return noted && tops->defined != FERRY_TOP_OVERLAY ? FERRY_OVERLAY_REMOVE
                                                           : FERRY_OVERLAY_KEEP;
    case FERRY_TOP_NONE:
    case FERRY_TOP_OTHER:
        break;
    }
    return exists ? FERRY_OVERLAY_KEEP : FERRY_OVERLAY_NOTHING;
}
