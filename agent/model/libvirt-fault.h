/* libvirt-fault.h: what libvirt of some versions does not survive. Pure, any thread. */
#pragma once

#include <stdbool.h>

/** @version: (nullable): of the destination's libvirt, "11.3.0"; NULL has none that we know.
 * Returns: true when its daemon ends as a post-copy that broke off is taken up again. */
bool ferry_libvirt_fault_resume(const char *version);
