/* qcow2.h: the header of a qcow2 image, read from its first bytes. Pure, any thread.
 *
 * Source of the layout: QEMU's docs/interop/qcow2.txt. Images are untrusted: every field is checked
 * before use, nothing is opened, and the file's name plays no part.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* As many bytes as ferry_qcow2_parse() ever looks at: the header of version 3 and its extensions
 * within the first cluster of the smallest allowed size. */
#define FERRY_QCOW2_HEAD_BYTES 4096
/* QEMU takes no longer name of a backing file; one more for the end of the string. */
#define FERRY_QCOW2_NAME_BYTES 1024
#define FERRY_QCOW2_FORMAT_BYTES 16

typedef struct {
    bool known;    /* the fields below were read from a valid header */
    guint version; /* 2 or 3; compat 0.10 or 1.1 */
    guint64 virtual_size_bytes;
    guint64 cluster_size_bytes; /* 512 B .. 2 MiB */
    guint refcount_bits;        /* 1 .. 64 */
    guint nb_snapshots;         /* internal snapshots */
    bool has_backing_file;
    char backing_name[FERRY_QCOW2_NAME_BYTES];     /* as the header has it; "" where it lies further
                                                      back than the head */
    char backing_format[FERRY_QCOW2_FORMAT_BYTES]; /* "" where the header names none */
    guint64 tables_end_bytes;                      /* a sound image's file is at least as long */
    bool encrypted;
    bool data_file;      /* incompatible feature bit 2 */
    bool extended_l2;    /* incompatible feature bit 4 */
    bool lazy_refcounts; /* compatible feature bit 0 */
    bool zstd;           /* compression type 1 */
    bool bitmaps;        /* autoclear feature bit 0; not part of the JSON */
} FerryQcow2;

/**
 * ferry_qcow2_parse:
 * @head: the image's first bytes, @length of them; FERRY_QCOW2_HEAD_BYTES are enough, fewer may be
 *   refused
 * @ret_qcow2: set on success only
 * @error: FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR saying which field is not as the format wants it
 */
bool ferry_qcow2_parse(const guint8 *head, gsize length, FerryQcow2 *ret_qcow2, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** Returns: "0.10" or "1.1", qemu-img's word for the version. */
const char *ferry_qcow2_compat(const FerryQcow2 *qcow2);

/** Returns: true when libvirt's storage API can ask for an image like @qcow2 (nullable, or not
 * known: QEMU's defaults): it knows neither refcount bits nor compression types, and counts in
 * KiB. */
bool ferry_qcow2_is_plain(const FerryQcow2 *qcow2, guint64 capacity_bytes);
