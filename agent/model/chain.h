/* chain.h: whether what a disk's XML and the headers of its images say of its backing files is one
 * story, and one that a host may act on. Pure, any thread: no file is looked at.
 *
 * Images are untrusted: a header's word opens nothing. The XML's formats and paths hold, and a
 * header that says otherwise (another name, a URL, "json:", another format, a size that the file
 * cannot have) makes the chain unfit.
 */
#pragma once

#include "model/instance.h"

/* QEMU knows no limit; a chain of this length is an accident. */
#define FERRY_CHAIN_MAX_DEPTH 16

/**
 * ferry_chain_fault:
 * @disk: with source, format, qcow2 and layers
 * Returns: (transfer full) (nullable): what is wrong, as the end of a sentence that begins with the
 * disk ("has a chain that ..."); NULL when all is well, as with a disk without backing files.
 */
char *ferry_chain_fault(const FerryDisk *disk);

/** Returns: (transfer full): where @name in the header of the image at @path leads to; NULL for
 * what is no plain file name: a URL, "json:", "nbd:" ... */
char *ferry_chain_resolve(const char *path, const char *name);

/**
 * ferry_chain_flatten:
 * Describes the instance as it becomes when its chains are not kept: disks that the guest writes to
 * have no layers, and allocate what all of them did. What has no chain, and media, stay as they
 * are; so does `backing_chain`, which tells how the instance is on its source. Only for one that
 * runs: the image of another is carried as a file, and what lies in its bases would be lost.
 */
void ferry_chain_flatten(FerryInstance *instance);

/** Returns: true when a disk that moves has more on its source than its description has: its
 * content lies in backing files, too, and has to be copied in full. */
bool ferry_chain_is_flattened(const FerryInstance *instance);
