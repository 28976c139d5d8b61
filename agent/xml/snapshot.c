#include "config.h"

#include "xml/snapshot.h"

#include "model/overlay.h"
#include "xml/document.h"

static const FerryOverlay *
find_overlay(const GPtrArray *overlays, const char *target)
{
    for (guint i = 0; i < overlays->len; i++) {
        const FerryOverlay *overlay = g_ptr_array_index(overlays, i);

        if (g_strcmp0(overlay->target, target) == 0)
            return overlay;
    }
    return NULL;
}

static void
add_disk(xmlNode *disks, const char *target, const FerryOverlay *overlay)
{
    xmlNode *disk = ferry_xml_add(disks, "disk", NULL);

    ferry_xml_set(disk, "name", target);
    ferry_xml_set(disk, "snapshot", overlay ? "external" : "no");
    if (!overlay)
        return;
    ferry_xml_set(disk, "type", "file");
    ferry_xml_set(ferry_xml_add(disk, "driver", NULL), "type", "qcow2");
    ferry_xml_set(ferry_xml_add(disk, "source", NULL), "file", overlay->overlay);
}

char *
ferry_snapshotxml_build(const GPtrArray *targets, const GPtrArray *overlays)
{
    g_autoptr(xmlDoc) document = ferry_xml_new("domainsnapshot");
    xmlNode *snapshot = xmlDocGetRootElement(document);
    xmlNode *disks = ferry_xml_add(snapshot, "disks", NULL);

    for (guint i = 0; i < targets->len; i++) {
        const char *target = g_ptr_array_index(targets, i);

        add_disk(disks, target, find_overlay(overlays, target));
    }
    return ferry_xml_dump(snapshot);
}
