/* domain.h: a domain's XML, read. The only owner of libxml2's headers for domains. Pure, any
 * thread.
 *
 * The XML comes from libvirt on the source and from a stranger on the destination: no DTD, no
 * entities, no network, a bounded size.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/instance.h"

/**
 * ferry_domxml_parse:
 * @xml: a <domain>, live or inactive
 * @error: FERRY_ERROR_INVALID_REQUEST: not well-formed, a DTD, not a domain, or larger than 1 MiB
 * Fills name, uuid, virt_type, arch, machine, emulator, cpu_xml, vcpus, memory_bytes, loader,
 * nvram, tpm, disks (with backing_chain from <backingStore>), interfaces and obstacles. States,
 * sizes of disks and qcow2 details are the caller's to add; `migrate` is the plan's (disk-plan.h).
 * Obstacles are found here: host devices (also mdev and <interface type='hostdev'>), NVRAM and
 * TPMs of kinds that QEMU does not carry, <filesystem>, <shmem>, vhost-user interfaces and disks.
 */
FerryInstance *ferry_domxml_parse(const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @xml for eyes and logs: the value of every `passwd` attribute taken
 * out; NULL when it does not parse. */
char *ferry_domxml_redact(const char *xml);
