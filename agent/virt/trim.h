/* trim.h: file systems of a guest trimmed by the agent in it. Threads: any but main; waits for
 * the guest.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/** @error: FERRY_ERROR_INSTANCE_INVALID_STATE: it does not run; FERRY_ERROR_MIGRATION_ERROR: it has
 * no agent, or one that does not answer or cannot */
bool ferry_virt_trim(virDomainPtr domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
