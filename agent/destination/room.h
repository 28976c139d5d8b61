/* room.h: how much room is left here for what a migration still brings.
 *
 * Threads: any but main; looks at file systems, asks no libvirt.
 */
#pragma once

#include <jansson.h>

#include "journal/record.h"
#include "runtime/agent.h"

/** Returns: (transfer full): {"file_systems": [{"path", "available_bytes", "reserved_bytes",
 * "wanted_bytes"}]}. @error: FERRY_ERROR_INVALID_REQUEST: @record holds no instance */
json_t *ferry_destination_room_look(const FerryAgent *agent,
                                    const FerryRecord *record,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
