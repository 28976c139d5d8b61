/* machine-hint.h: what to do about a machine type that a host does not have. Pure, any thread. */
#pragma once

#include <glib.h>

/**
 * ferry_machine_hint:
 * @machine: (nullable): the type that is missing
 * @known: (array zero-terminated=1) (nullable): the types that the host's QEMU has
 * @qemu_version: (nullable): of that QEMU
 * Returns: (transfer full): which types of that family are there, and the way to one of them. New
 * ones come with a newer QEMU; what was dropped does not come back.
 */
char *ferry_machine_hint(const char *machine, const char *const *known, const char *qemu_version);
