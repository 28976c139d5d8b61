/* thin-way.h: what has to be asked of libvirt so that a raw image that is mirrored arrives as thin
 * as it was, told by the versions of both hosts. Pure, any thread.
 *
 * A mirror of QEMU before 10.1 writes the source's holes as zeroes. They become holes again where
 * both ends say so: the source's connection to the destination, and the destination's image.
 * libvirt said it by itself as long as it put a format layer over raw images. Since then it has to
 * be told: in the destination's document, and for the source by a parameter of the call, which
 * both libvirts have to know. QEMU from 10.1 on asks the destination what reads as zeroes, and
 * writes no hole. qcow2 needs none of it: a cluster of zeroes takes no room there.
 */
#pragma once

#include "model/host-versions.h"
#include "model/instance.h"
#include "model/migrate-data.h"

typedef struct {
    bool thin;          /* it then arrives thin; false: allocated in full, whatever is asked */
    bool unmap;         /* its live document at the destination says discard='unmap' */
    bool detect_zeroes; /* the call names it in migrate_disks_detect_zeroes */
} FerryThinWay;

/** What is not known is asked for nothing, and taken for able. */
FerryThinWay ferry_thin_way(const FerryHostVersions *source, const FerryHostVersions *destination);

/** Returns: whether a mirror of @instance's raw disks reads all of their holes, too. */
bool ferry_thin_way_walks_holes(const FerryInstance *instance);

/**
 * ferry_thin_way_of:
 * @instance: as its source describes it
 * @migrate_data: (nullable): what the destination has told of itself
 * Returns: what is asked for @disk of @instance; nothing where it is no raw image there, or is not
 * mirrored.
 */
FerryThinWay ferry_thin_way_of(const FerryInstance *instance,
                               const FerryDisk *disk,
                               const FerryMigrateData *migrate_data);

/**
 * ferry_thin_way_place:
 * On the destination, for an instance that is placed (placement.h): a raw disk that no mirror would
 * keep thin is `seeded` where its source can do that, and else `arrives_full`.
 * @here: this host's
 */
void ferry_thin_way_place(FerryInstance *instance, const FerryHostVersions *here);

/** Places @instance as @migrate_data says that it was placed here before:
 * ferry_placement_restore(), and ferry_thin_way_place() by the versions of then. */
void ferry_thin_way_restore(FerryInstance *instance, const FerryMigrateData *migrate_data);
