/* patient-call.h: a question to an agent that may be slow: its libvirt asks QEMU what it can, for
 * seconds, after a start or an upgrade. An agent that answers pings meanwhile is waited for; one
 * that does not is not there.
 *
 * Threads: as ferry_bus_call().
 */
#pragma once

#include "ferry/bus.h"

/**
 * ferry_patient_call:
 * @call: asked again, with more time for each try, while its agent answers nothing but pings. So it
 *   must do no harm when it comes twice
 * @limit_ms: how long, from the beginning
 * @error: that of ferry_bus_call(); of an agent that was waited for in vain
 *   FERRY_ERROR_DESTINATION_UNREACHABLE with details "reason": "slow"
 * Returns: (transfer full): as ferry_bus_call().
 */
json_t *ferry_patient_call(FerryBus *bus, const FerryCall *call, guint limit_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
