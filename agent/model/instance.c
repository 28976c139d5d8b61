#include "config.h"

#include "model/instance.h"

#include "model/check.h"

static void
interface_free(gpointer data)
{
    FerryInterface *interface = data;
    g_free(interface->type);
    g_free(interface->mac);
    g_free(interface->source);
    g_free(interface->model);
    g_free(interface->target);
    g_free(interface);
}

static void
obstacle_free(gpointer data)
{
    FerryObstacle *obstacle = data;
    g_free(obstacle->name);
    g_free(obstacle->message);
    g_free(obstacle->hint);
    g_free(obstacle);
}

FerryInstance *
ferry_instance_new(void)
{
    FerryInstance *instance = g_new0(FerryInstance, 1);
    instance->disks = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_disk_free);
    instance->interfaces = g_ptr_array_new_with_free_func(interface_free);
    instance->obstacles = g_ptr_array_new_with_free_func(obstacle_free);
    instance->warnings = g_ptr_array_new_with_free_func(obstacle_free);
    instance->persistent_disks = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_disk_free);
    return instance;
}

void
ferry_instance_free(FerryInstance *instance)
{
    if (!instance)
        return;
    g_free(instance->name);
    g_free(instance->uuid);
    g_free(instance->state);
    g_free(instance->state_reason);
    g_free(instance->libvirt_version);
    g_free(instance->qemu_version);
    g_free(instance->virt_type);
    g_free(instance->arch);
    g_free(instance->machine);
    g_free(instance->emulator);
    g_free(instance->cpu_xml);
    g_free(instance->loader);
    g_free(instance->loader_digest);
    g_free(instance->nvram);
    g_ptr_array_unref(instance->disks);
    g_ptr_array_unref(instance->interfaces);
    g_ptr_array_unref(instance->obstacles);
    g_ptr_array_unref(instance->warnings);
    g_ptr_array_unref(instance->persistent_disks);
    g_free(instance->domain_xml);
    g_strfreev(instance->own_addresses);
    json_decref(instance->moved_addresses);
    g_free(instance->persistent_xml);
    g_free(instance);
}

FerryLayer *
ferry_layer_new(void)
{
    return g_new0(FerryLayer, 1);
}

void
ferry_layer_free(FerryLayer *layer)
{
    if (!layer)
        return;
    g_free(layer->type);
    g_free(layer->path);
    g_free(layer->format);
    g_free(layer->pool);
    g_free(layer);
}

static void
free_layer(gpointer layer)
{
    ferry_layer_free(layer);
}

FerryDisk *
ferry_disk_new(void)
{
    FerryDisk *disk = g_new0(FerryDisk, 1);
    disk->backing_chain = g_new0(char *, 1);
    disk->layers = g_ptr_array_new_with_free_func(free_layer);
    return disk;
}

void
ferry_disk_free(FerryDisk *disk)
{
    if (!disk)
        return;
    g_free(disk->target);
    g_free(disk->bus);
    g_free(disk->device);
    g_free(disk->type);
    g_free(disk->source);
    g_free(disk->format);
    g_free(disk->pool);
    g_free(disk->volume_pool);
    g_free(disk->volume_name);
    g_free(disk->secret_uuid);
    g_free(disk->startup_policy);
    g_strfreev(disk->backing_chain);
    g_ptr_array_unref(disk->layers);
    g_free(disk->why);
    g_free(disk->strategy_why);
    g_free(disk);
}

void
ferry_disk_explain(FerryDisk *disk, const char *why)
{
    g_free(disk->why);
    disk->why = g_strdup(why);
}

static void
add_obstacle(GPtrArray *list, const char *name, const char *message, const char *hint)
{
    FerryObstacle *obstacle = g_new0(FerryObstacle, 1);

    if (!ferry_check_is_name(name))
        g_critical("The obstacle '%s' is not in the table of checks", name);
    obstacle->name = g_strdup(name);
    obstacle->message = g_strdup(message);
    obstacle->hint = g_strdup(hint);
    g_ptr_array_add(list, obstacle);
}

void
ferry_instance_add_obstacle(FerryInstance *instance,
                            const char *name,
                            const char *message,
                            const char *hint)
{
    add_obstacle(instance->obstacles, name, message, hint);
}

void
ferry_instance_add_warning(FerryInstance *instance,
                           const char *name,
                           const char *message,
                           const char *hint)
{
    add_obstacle(instance->warnings, name, message, hint);
}

bool
ferry_instance_is_shut_off(const FerryInstance *instance)
{
    return g_strcmp0(instance->state, "shutoff") == 0;
}

FerryDisk *
ferry_disks_find(const GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(disks, i);
        if (g_strcmp0(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

FerryDisk *
ferry_instance_find_disk(const FerryInstance *instance, const char *target)
{
    return ferry_disks_find(instance->disks, target);
}

FerryHostVersions
ferry_instance_host_versions(const FerryInstance *instance)
{
    return (FerryHostVersions){instance->libvirt_version, instance->qemu_version};
}
