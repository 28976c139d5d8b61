/* placement.h: where an instance's disks lie on the destination, and as what. Pure, any thread.
 *
 * An instance_info tells how the instance is on its source. The destination rewrites it into what
 * it becomes here, at once after reading it: all that follows there (checks, preparation, arrival)
 * knows only paths, formats and names of this host.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"

/** Returns: (transfer full) (nullable): the folder of this host's pool @name. */
typedef char *(*FerryPoolFolderFunc)(const char *name, gpointer data);

/**
 * ferry_placement_apply:
 * @instance: name (`dest_name`), and of the disks that move `source` and `pool` (`pool_map`) and
 *   `format` and `qcow2` (`disk_formats`) become those of this host; what cannot be done is added
 *   to its obstacles: "pool-map", "disk-formats", "disk-path" An image keeps its name, but for an
 *   ending that says another format than it gets. A folder of the map goes before the name of the
 *   pool that it is.
 */
void ferry_placement_apply(FerryInstance *instance,
                           const FerryOrderOptions *options,
                           FerryPoolFolderFunc folder_of,
                           gpointer data);

/** Rewrites @instance by what a preparation answered: for later, when the map may mean something
 * else. @migrate_data: (nullable). @dest_name: (nullable): the option dest_name. */
void ferry_placement_restore(FerryInstance *instance,
                             const FerryMigrateData *migrate_data,
                             const char *dest_name);
