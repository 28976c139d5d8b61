/* domain-firmware.h: what of a domain outlives its reset beside the disks: firmware's variables and
 * the TPM. Pure, any thread; for xml/domain.c, which owns the document.
 *
 * QEMU carries the content of both in its own migration stream, without shared storage: the
 * variables as memory of the flash, which it writes to the file when the guest first runs; the
 * TPM's state through swtpm. libvirt makes the files at the destination.
 */
#pragma once

#include <libxml/tree.h>

#include "model/instance.h"

/** Fills loader, nvram and tpm of @instance; adds "nvram" and "tpm" to its obstacles for kinds that
 * QEMU does not carry. @domain: the <domain> element. */
void ferry_domxml_read_firmware(FerryInstance *instance, const xmlNode *domain);
