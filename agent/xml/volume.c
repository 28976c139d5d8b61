#include "config.h"

#include "xml/volume.h"

#include "ferry/error.h"
#include "xml/document.h"

#include <string.h>

#define MAX_BYTES (1024 * 1024)

void
ferry_volume_info_clear(FerryVolumeInfo *info)
{
    g_clear_pointer(&info->name, g_free);
    g_clear_pointer(&info->path, g_free);
    g_clear_pointer(&info->format, g_free);
    g_clear_pointer(&info->mtime, g_free);
}

static void
add_bytes(xmlNode *node, const char *name, const char *unit, guint64 bytes)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    ferry_xml_set(ferry_xml_add(node, name, text), "unit", unit);
}

/* Features belong to version 3 only; libvirt refuses them together with compat 0.10. */
static void
add_qcow2(xmlNode *target, const FerryQcow2 *qcow2)
{
    ferry_xml_add(target, "compat", ferry_qcow2_compat(qcow2));
    add_bytes(target, "clusterSize", "B", qcow2->cluster_size_bytes);
    if (qcow2->version < 3 || (!qcow2->lazy_refcounts && !qcow2->extended_l2))
        return;
    xmlNode *features = ferry_xml_add(target, "features", NULL);
    if (qcow2->lazy_refcounts)
        ferry_xml_add(features, "lazy_refcounts", NULL);
    if (qcow2->extended_l2)
        ferry_xml_add(features, "extended_l2", NULL);
}

static void
add_backing(xmlNode *volume, const FerryBacking *backing)
{
    xmlNode *store = ferry_xml_add(volume, "backingStore", NULL);

    ferry_xml_add(store, "path", backing->path);
    ferry_xml_set(ferry_xml_add(store, "format", NULL), "type", backing->format);
}

static void
add_owner(xmlNode *target, const FerryFileOwner *owner, guint mode)
{
    uid_t uid = 0;
    gid_t gid = 0;
    g_autofree char *mode_text = g_strdup_printf("0%o", mode);
    g_autofree char *uid_text = NULL;
    g_autofree char *gid_text = NULL;
    xmlNode *permissions = NULL;

    if (!owner || !owner->known)
        return;
    ferry_file_owner_here(owner, &uid, &gid);
    uid_text = g_strdup_printf("%u", uid);
    gid_text = g_strdup_printf("%u", gid);
    permissions = ferry_xml_add(target, "permissions", NULL);
    ferry_xml_add(permissions, "mode", mode_text);
    ferry_xml_add(permissions, "owner", uid_text);
    ferry_xml_add(permissions, "group", gid_text);
}

static void
add_luks(xmlNode *target, const char *secret_uuid)
{
    xmlNode *encryption = ferry_xml_add(target, "encryption", NULL);
    xmlNode *secret = ferry_xml_add(encryption, "secret", NULL);

    ferry_xml_set(encryption, "format", "luks");
    ferry_xml_set(secret, "type", "passphrase");
    ferry_xml_set(secret, "uuid", secret_uuid);
}

char *
ferry_volxml_build(const FerryNewImage *image)
{
    g_return_val_if_fail(image->path && image->format, NULL);

    g_autofree char *name = g_path_get_basename(image->path);
    g_autoptr(xmlDoc) document = ferry_xml_new("volume");
    xmlNode *volume = xmlDocGetRootElement(document);

    ferry_xml_add(volume, "name", name);
    add_bytes(volume, "capacity", "bytes", image->capacity_bytes);
    add_bytes(volume, "allocation", "bytes", 0);

    xmlNode *target = ferry_xml_add(volume, "target", NULL);

    ferry_xml_set(ferry_xml_add(target, "format", NULL), "type", image->format);
    if (strcmp(image->format, "qcow2") == 0 && image->qcow2 && image->qcow2->known)
        add_qcow2(target, image->qcow2);
    add_owner(target, image->owner,
              image->owner ? ferry_file_owner_image_mode(image->owner->mode) : 0);
    if (image->secret_uuid)
        add_luks(target, image->secret_uuid);
    if (image->backing.path)
        add_backing(volume, &image->backing);
    return ferry_xml_dump(volume);
}

char *
ferry_volxml_build_full(const char *name, guint64 capacity_bytes)
{
    g_return_val_if_fail(name, NULL);
    g_autoptr(xmlDoc) document = ferry_xml_new("volume");
    xmlNode *volume = xmlDocGetRootElement(document);
    ferry_xml_add(volume, "name", name);
    add_bytes(volume, "capacity", "bytes", capacity_bytes);
    add_bytes(volume, "allocation", "bytes", capacity_bytes);
    return ferry_xml_dump(volume);
}

static bool
read_volume(const xmlNode *volume, FerryVolumeInfo *info, GError **error)
{
    const xmlNode *target = ferry_xml_child(volume, "target");
    info->name = ferry_xml_text(ferry_xml_child(volume, "name"));
    info->path = ferry_xml_text(ferry_xml_child(target, "path"));
    info->format = ferry_xml_attribute(ferry_xml_child(target, "format"), "type");
    if (!info->format)
        info->format = g_strdup("raw");
    info->mtime = ferry_xml_text(ferry_xml_child(ferry_xml_child(target, "timestamps"), "mtime"));
    /* libvirt prints <backingStore> for a volume that has one only; an empty one is none. */
    const xmlNode *store = ferry_xml_child(volume, "backingStore");
    info->has_backing_store = ferry_xml_child(store, "path") != NULL;
    const xmlNode *device = ferry_xml_child(ferry_xml_child(volume, "source"), "device");
    info->has_extents = ferry_xml_child(device, "extent") != NULL;
    return ferry_xml_bytes(ferry_xml_child(volume, "capacity"), "bytes", &info->capacity_bytes,
                           error) &&
           ferry_xml_bytes(ferry_xml_child(volume, "allocation"), "bytes", &info->allocation_bytes,
                           error);
}

bool
ferry_volxml_parse(const char *xml, FerryVolumeInfo *ret_info, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "volume", MAX_BYTES, error);
    if (!document)
        return false;
    g_auto(FerryVolumeInfo) info = {0};
    if (!read_volume(xmlDocGetRootElement(document), &info, error))
        return false;
    *ret_info = info;
    info = (FerryVolumeInfo){0};
    return true;
}

char *
ferry_poolxml_build(const char *name,
                    const char *uuid,
                    const char *directory,
                    const FerryFileOwner *owner)
{
    g_return_val_if_fail(name && directory, NULL);
    g_autoptr(xmlDoc) document = ferry_xml_new("pool");
    xmlNode *pool = xmlDocGetRootElement(document);
    ferry_xml_set(pool, "type", "dir");
    ferry_xml_add(pool, "name", name);
    if (uuid)
        ferry_xml_add(pool, "uuid", uuid);
    xmlNode *target = ferry_xml_add(pool, "target", NULL);
    ferry_xml_add(target, "path", directory);
    add_owner(target, owner, owner ? 0700 | (owner->mode & 0075) : 0);
    return ferry_xml_dump(pool);
}

static void
hand_over(char **text, char **ret_text)
{
    if (ret_text)
        *ret_text = g_steal_pointer(text);
}

bool
ferry_poolxml_parse(
    const char *xml, char **ret_name, char **ret_type, char **ret_target_path, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "pool", MAX_BYTES, error);
    if (!document)
        return false;
    const xmlNode *pool = xmlDocGetRootElement(document);
    const xmlNode *target = ferry_xml_child(pool, "target");
    g_autofree char *name = ferry_xml_text(ferry_xml_child(pool, "name"));
    g_autofree char *type = ferry_xml_attribute(pool, "type");
    g_autofree char *path = ferry_xml_text(ferry_xml_child(target, "path"));
    if (!name || !type) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                        "Send the document as virsh pool-dumpxml prints it",
                        "Pool XML refused: it has no name or no type");
        return false;
    }
    hand_over(&name, ret_name);
    hand_over(&type, ret_type);
    hand_over(&path, ret_target_path);
    return true;
}

bool
ferry_poolcapsxml_lack(const char *xml, const char *type)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "storagepoolCapabilities", MAX_BYTES, NULL);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;

    for (const xmlNode *pool = ferry_xml_child(root, "pool"); pool; pool = ferry_xml_next(pool))
        if (ferry_xml_attribute_is(pool, "type", type))
            return ferry_xml_attribute_is(pool, "supported", "no");
    return false;
}
