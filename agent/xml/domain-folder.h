/* domain-folder.h: a folder of the host that a guest reaches, one <filesystem>. Pure, any thread;
 * for xml/domain.c and xml/domain-needs.c, which own the document.
 */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>

/** Returns: true when QEMU itself serves it by 9p. virtiofs has a process of its own, which neither
 * libvirt nor QEMU carries. */
bool ferry_domxml_is_9p(const xmlNode *filesystem);
