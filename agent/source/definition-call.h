/* definition-call.h: libvirt's call that defines an instance which does not run on the destination,
 * as a detached call: where the far libvirtd stands still, it waits without end.
 *
 * Threads: the migration's saga thread starts it.
 */
#pragma once

#include "runtime/detached-call.h"
#include "source/migration.h"

/** Returns: a call whose result is that of ferry_virt_migrate(), or that libvirt here is away. */
FerryDetachedCall *ferry_definition_call_start(FerryMigration *migration);
