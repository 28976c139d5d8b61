/* incoming-instances.h: the instances on their way to this host, to whom it has promised memory and
 * space.
 *
 * Threads: any but main.
 */
#pragma once

#include <glib.h>

#include "runtime/agent.h"

/**
 * ferry_incoming_others:
 * @open: FerryRecord: the incoming migrations that are open (ferry_journal_list_incoming())
 * @uuid: of the instance that asks: it is no other
 * Returns: (transfer full): FerryInstance: those that can be read, with their disks where they
 * arrive.
 */
GPtrArray *ferry_incoming_others(const GPtrArray *open, const char *uuid);

/** Returns: how many of @open (as above) hold a slot: those that files are made or sent for, and
 * those whose instance is arriving. Never blocks. */
guint ferry_incoming_slots(const FerryAgent *agent, const GPtrArray *open);
