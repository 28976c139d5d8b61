/* chain.h: what lies below the images of an instance.
 *
 * Of one that runs, libvirt's XML names the backing files. The definition of one that is shut off
 * need not: libvirt follows the headers when it starts it, and so does this. Threads: any but main;
 * every call may block as long as libvirtd does.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "model/instance.h"

/** Fills in what the storage knows of the layers that the XML named. */
void ferry_virt_chain_describe(virConnectPtr connection, FerryDisk *disk);

/**
 * ferry_virt_chain_follow:
 * @instance: as described; nothing is done to one that runs
 * @allowed: NULL-terminated folders of the configuration: no file outside them is opened
 * Gives each disk whose definition says nothing of backing files the layers that the headers name,
 * from image to image: plain file names only, each in the format that the header states, none
 * guessed. Where that ends too early, ferry_chain_fault() finds a header that names one more.
 */
void ferry_virt_chain_follow(virConnectPtr connection,
                             FerryInstance *instance,
                             const char *const *allowed);

/** Returns: true when an image below the one of @disk, by the headers, is the file at @path. Only
 * the disk's own image and volumes of active pools are looked at. */
bool ferry_virt_chain_has(virConnectPtr connection, const FerryDisk *disk, const char *path);
