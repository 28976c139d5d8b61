/* chain.h: whether what a disk's XML and the headers of its images say of its backing files is one
 * story, and one that a host may act on. Pure, any thread: no file is looked at.
 *
 * Images are untrusted: a header's word opens nothing. The XML's formats and paths hold, and a header
 * that says otherwise (another name, a URL, "json:", another format, a size that the file cannot have)
 * makes the chain unfit.
 */
#pragma once

#include "instance.h"

/* QEMU knows no limit; a chain of this length is an accident. */
#define FERRY_CHAIN_MAX_DEPTH 16

/**
 * ferry_chain_fault:
 * @disk: with source, format, qcow2 and layers
 * Returns: (transfer full) (nullable): what is wrong, as the end of a sentence that begins with the
 * disk ("has a chain that ..."); NULL when all is well, as with a disk without backing files.
 */
char *ferry_chain_fault(const FerryDisk *disk);

/** Returns: (transfer full): where @name in the header of the image at @path leads to; NULL for what
 * is no plain file name: a URL, "json:", "nbd:" ... */
char *ferry_chain_resolve(const char *path, const char *name);
