/* carried-file.h: a file that is brought to the destination byte for byte, as both sides speak of
 * it. A plain value; pure, any thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/instance.h"

/* What it is for decides what may be done with it. */
#define FERRY_CARRIED_BASE "base"     /* overlays lie on it: made read-only, shared */
#define FERRY_CARRIED_MEDIUM "medium" /* of a CD-ROM or floppy drive, or a read-only disk */
#define FERRY_CARRIED_SEED "seed"     /* the frozen state of a disk that the transfer completes */
#define FERRY_CARRIED_IMAGE "image"   /* a disk of an instance that does not run */

typedef struct {
    char *kind;
    char *path;                  /* on both hosts */
    char *format;                /* as the domain's XML has it */
    char *pool;                  /* the source's name for its pool, or NULL */
    guint64 file_bytes;          /* its length */
    guint64 data_bytes;          /* what it has allocated */
    char *digest;                /* content-digest.h; NULL until it was computed */
    guint mode;                  /* its permissions on the source; 0: not told */
    FerryFileOwner owner;        /* on the source */
    FerryFileOwner folder_owner; /* of its folder there */
} FerryCarriedFile;

/** Returns: (transfer full): of no size and no digest yet; the texts are copied. */
FerryCarriedFile *
ferry_carried_file_new(const char *kind, const char *path, const char *format, const char *pool);
void ferry_carried_file_free(FerryCarriedFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryCarriedFile, ferry_carried_file_free)

/** Returns: (transfer full): the protocol's object. */
json_t *ferry_carried_file_to_json(const FerryCarriedFile *file);

/** @error: FERRY_ERROR_INVALID_REQUEST naming the field. All but @pool, @mode
 * and the owners are required. */
FerryCarriedFile *ferry_carried_file_from_json(const json_t *object,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when @instance, as its source described it, brings a file of this kind to this
 * path: of any other one nothing is told, and none is made. */
bool ferry_carried_file_is_of(const FerryCarriedFile *file, const FerryInstance *instance);

/** Returns: (transfer full) (element-type FerryCarriedFile): what has to be brought for an instance
 * whose disks are planned, each file once, a base before what lies on it. */
GPtrArray *ferry_carried_files_of(const FerryInstance *instance);
