/* definition.h: the definition of an instance that leaves, kept until it is not needed.
 *
 * A file for each migration in STATE_PATH/definitions, for the agent's user alone, because it holds
 * what libvirt hides from others, such as the password of a graphical console. It is no part of the
 * journal, so that a copy of the journal gives no secrets away.
 *
 * Threads: any but main; libvirt may block.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "runtime/agent.h"

/** Keeps what a later start would use: the persistent definition, or the live one of an instance
 * that has no other, and whether its host starts it at boot. Overwrites what was kept before. */
bool ferry_virt_definition_keep(const FerryAgent *agent,
                                virConnectPtr connection,
                                const char *migration_id,
                                const char *instance_uuid,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_definition_restore:
 * Defines the instance again, unless libvirt has it. The kept file stays.
 * @autostart: whether it is to be started at boot again, if it was
 * @error: FERRY_ERROR_MIGRATION_ERROR, also when another instance has the name meanwhile
 */
bool ferry_virt_definition_restore(const FerryAgent *agent,
                                   virConnectPtr connection,
                                   const char *migration_id,
                                   const char *instance_uuid,
                                   bool autostart,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes what was kept, if there is anything; a failure is logged. */
void ferry_virt_definition_forget(const FerryAgent *agent, const char *migration_id);
