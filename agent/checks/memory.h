/* memory.h: has this host the memory, beside what it has promised to others?
 *
 * An instance on its way takes its memory little by little, so until it runs here all of it counts
 * as promised. Threads: any but main.
 */
#pragma once

#include "checks/scene.h"

/* What libvirt says of it. A plain value. */
typedef struct {
    guint64 available_bytes;
    GHashTable *arrived; /* UUIDs of incoming instances that have their memory already */
} FerryMemoryInfo;

void ferry_memory_info_clear(FerryMemoryInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryMemoryInfo, ferry_memory_info_clear)

/** Asks libvirt, and QEMU nothing. */
bool ferry_memory_info_get(const FerryAgent *agent,
                           virConnectPtr connection,
                           FerryMemoryInfo *ret_info,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_memory_promised:
 * @open: FerryRecord: the incoming migrations that are open
 * @uuid: of the instance that asks: its own record does not count
 * @arrived: a set of UUIDs
 * Returns: bytes that instances of @open will take which run and have not arrived. Stops at the
 * largest number.
 */
guint64 ferry_memory_promised(const GPtrArray *open, const char *uuid, GHashTable *arrived);

/** Judges by a look and the journal, and asks nobody: for the moment of admission, too. */
void ferry_check_memory(const FerryAgent *agent,
                        const FerryInstance *instance,
                        const FerryMemoryInfo *info,
                        FerryChecks *checks);
