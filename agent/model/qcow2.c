#include "config.h"

#include "model/qcow2.h"

#include "ferry/error.h"

#include <string.h>

/* Names and limits as QEMU has them, so that an image is refused here for no other reason than it
 * would be refused there. */
#define MAGIC 0x514649fbU /* "QFI\xfb" */
#define V2_HEADER_BYTES 72
#define V3_HEADER_BYTES 104
#define MIN_CLUSTER_BITS 9
#define MAX_CLUSTER_BITS 21
#define MIN_EXTENDED_L2_CLUSTER_BITS 14
#define MAX_REFCOUNT_ORDER 6
#define MAX_BACKING_NAME_BYTES 1023
#define MAX_L1_BYTES (32 * 1024 * 1024)
#define MAX_REFCOUNT_TABLE_BYTES (8 * 1024 * 1024)
#define MAX_SNAPSHOTS 65536

#define INCOMPATIBLE_DIRTY (G_GUINT64_CONSTANT(1) << 0)
#define INCOMPATIBLE_CORRUPT (G_GUINT64_CONSTANT(1) << 1)
#define INCOMPATIBLE_DATA_FILE (G_GUINT64_CONSTANT(1) << 2)
#define INCOMPATIBLE_COMPRESSION (G_GUINT64_CONSTANT(1) << 3)
#define INCOMPATIBLE_EXTENDED_L2 (G_GUINT64_CONSTANT(1) << 4)
#define INCOMPATIBLE_KNOWN                                                                         \
    (INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT | INCOMPATIBLE_DATA_FILE |                          \
     INCOMPATIBLE_COMPRESSION | INCOMPATIBLE_EXTENDED_L2)
#define AUTOCLEAR_BITMAPS (G_GUINT64_CONSTANT(1) << 0)
#define EXTENSION_END 0
#define EXTENSION_BACKING_FORMAT 0xe2792acaU
#define EXTENSION_HEADER_BYTES 8
#define COMPATIBLE_LAZY_REFCOUNTS (G_GUINT64_CONSTANT(1) << 0)

/* The header's fields in the order of the file, in the host's byte order. */
typedef struct {
    guint32 version;
    guint64 backing_offset;
    guint32 backing_bytes;
    guint32 cluster_bits;
    guint64 size;
    guint32 crypt_method;
    guint32 l1_entries;
    guint64 l1_offset;
    guint64 refcount_offset;
    guint32 refcount_clusters;
    guint32 nb_snapshots;
    guint64 snapshots_offset;
    guint64 incompatible;
    guint64 compatible;
    guint64 autoclear;
    guint32 refcount_order;
    guint32 header_bytes;
    guint8 compression_type;
} Header;

static guint32
read_be32(const guint8 *head, gsize offset)
{
    guint32 value;
    memcpy(&value, head + offset, sizeof value);
    return GUINT32_FROM_BE(value);
}

static guint64
read_be64(const guint8 *head, gsize offset)
{
    guint64 value;
    memcpy(&value, head + offset, sizeof value);
    return GUINT64_FROM_BE(value);
}

G_GNUC_PRINTF(2, 3)
static bool
refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                    "Look at the image with qemu-img info and qemu-img check",
                    "Not a sound qcow2 header: %s", what);
    return false;
}

static bool
read_header(const guint8 *head, gsize length, Header *header, GError **error)
{
    if (length < V2_HEADER_BYTES)
        return refuse(error, "%zu bytes are shorter than a header", length);
    if (read_be32(head, 0) != MAGIC)
        return refuse(error, "the magic number is missing");
    *header = (Header){
        .version = read_be32(head, 4),
        .backing_offset = read_be64(head, 8),
        .backing_bytes = read_be32(head, 16),
        .cluster_bits = read_be32(head, 20),
        .size = read_be64(head, 24),
        .crypt_method = read_be32(head, 32),
        .l1_entries = read_be32(head, 36),
        .l1_offset = read_be64(head, 40),
        .refcount_offset = read_be64(head, 48),
        .refcount_clusters = read_be32(head, 56),
        .nb_snapshots = read_be32(head, 60),
        .snapshots_offset = read_be64(head, 64),
        .refcount_order = 4,
        .header_bytes = V2_HEADER_BYTES,
    };
    if (header->version != 2 && header->version != 3)
        return refuse(error, "version %u, expected 2 or 3", header->version);
    if (header->version == 2)
        return true;

    if (length < V3_HEADER_BYTES)
        return refuse(error, "%zu bytes are shorter than a header of version 3", length);
    header->incompatible = read_be64(head, 72);
    header->compatible = read_be64(head, 80);
    header->autoclear = read_be64(head, 88);
    header->refcount_order = read_be32(head, 96);
    header->header_bytes = read_be32(head, 100);
    if (header->header_bytes > V3_HEADER_BYTES) {
        if (length <= V3_HEADER_BYTES)
            return refuse(error, "%zu bytes are shorter than the header's own length", length);
        header->compression_type = head[V3_HEADER_BYTES];
    }
    return true;
}

static bool
check_geometry(const Header *header, GError **error)
{
    if (header->cluster_bits < MIN_CLUSTER_BITS || header->cluster_bits > MAX_CLUSTER_BITS)
        return refuse(error, "cluster_bits is %u, expected %d to %d", header->cluster_bits,
                      MIN_CLUSTER_BITS, MAX_CLUSTER_BITS);
    if (header->refcount_order > MAX_REFCOUNT_ORDER)
        return refuse(error, "refcount_order is %u, expected at most %d", header->refcount_order,
                      MAX_REFCOUNT_ORDER);
    guint64 cluster = G_GUINT64_CONSTANT(1) << header->cluster_bits;
    if (header->version == 3 && (header->header_bytes < V3_HEADER_BYTES ||
                                 header->header_bytes % 8 != 0 || header->header_bytes > cluster))
        return refuse(error, "header_length is %u", header->header_bytes);
    if (header->size > G_MAXINT64)
        return refuse(error, "size is %" G_GUINT64_FORMAT " bytes", header->size);
    return true;
}

static bool
check_features(const Header *header, GError **error)
{
    if ((header->incompatible & ~INCOMPATIBLE_KNOWN) != 0)
        return refuse(error, "unknown incompatible features 0x%" G_GINT64_MODIFIER "x",
                      header->incompatible & ~INCOMPATIBLE_KNOWN);
    if ((header->incompatible & INCOMPATIBLE_CORRUPT) != 0)
        return refuse(error, "the image is marked corrupt");
    if (header->compression_type > 1)
        return refuse(error, "compression_type is %u", header->compression_type);
    bool other_compression = (header->incompatible & INCOMPATIBLE_COMPRESSION) != 0;
    if (other_compression != (header->compression_type != 0))
        return refuse(error, "compression_type %u disagrees with its feature bit",
                      header->compression_type);
    if ((header->incompatible & INCOMPATIBLE_EXTENDED_L2) != 0 &&
        header->cluster_bits < MIN_EXTENDED_L2_CLUSTER_BITS)
        return refuse(error, "extended L2 entries with cluster_bits %u", header->cluster_bits);
    if (header->crypt_method > 2)
        return refuse(error, "crypt_method is %u", header->crypt_method);
    return true;
}

static bool
is_aligned(guint64 offset, const Header *header)
{
    guint64 cluster = G_GUINT64_CONSTANT(1) << header->cluster_bits;
    return offset % cluster == 0 && offset <= G_MAXINT64;
}

/* How many bytes of the guest's disk one entry of the L1 table stands for. */
static guint64
bytes_per_l1_entry(const Header *header)
{
    bool extended = (header->incompatible & INCOMPATIBLE_EXTENDED_L2) != 0;
    guint64 cluster = G_GUINT64_CONSTANT(1) << header->cluster_bits;
    return cluster * (cluster / (extended ? 16 : 8));
}

static bool
check_tables(const Header *header, GError **error)
{
    if (header->l1_entries > MAX_L1_BYTES / 8)
        return refuse(error, "l1_size is %u", header->l1_entries);
    guint64 needed = header->size / bytes_per_l1_entry(header) +
                     (header->size % bytes_per_l1_entry(header) != 0);
    if (header->l1_entries < needed)
        return refuse(error, "l1_size is %u, too small for the virtual size", header->l1_entries);
    if (!is_aligned(header->l1_offset, header))
        return refuse(error, "l1_table_offset is not aligned");
    if (header->refcount_clusters == 0 ||
        ((guint64)header->refcount_clusters << header->cluster_bits) > MAX_REFCOUNT_TABLE_BYTES)
        return refuse(error, "refcount_table_clusters is %u", header->refcount_clusters);
    if (header->refcount_offset == 0 || !is_aligned(header->refcount_offset, header))
        return refuse(error, "refcount_table_offset is not aligned");
    if (header->nb_snapshots > MAX_SNAPSHOTS)
        return refuse(error, "nb_snapshots is %u", header->nb_snapshots);
    if (header->nb_snapshots > 0 && !is_aligned(header->snapshots_offset, header))
        return refuse(error, "snapshots_offset is not aligned");
    return true;
}

static bool
check_backing(const Header *header, GError **error)
{
    if (header->backing_offset == 0)
        return true;
    guint64 cluster = G_GUINT64_CONSTANT(1) << header->cluster_bits;
    if (header->backing_bytes > MAX_BACKING_NAME_BYTES || header->backing_bytes > cluster)
        return refuse(error, "backing_file_size is %u", header->backing_bytes);
    if (header->backing_offset < header->header_bytes ||
        header->backing_offset > cluster - header->backing_bytes)
        return refuse(error, "backing_file_offset lies outside the first cluster");
    return true;
}

/* A text of the header as a string: cut off, or with a NUL inside, it would name another file. */
static bool
take_text(const guint8 *head, gsize offset, gsize length, char *text, gsize size)
{
    if (length >= size || memchr(head + offset, 0, length))
        return false;
    memcpy(text, head + offset, length);
    text[length] = '\0';
    return true;
}

static bool
read_backing_name(const guint8 *head, gsize length, const Header *header, FerryQcow2 *qcow2)
{
    if (header->backing_offset == 0 || header->backing_offset > length ||
        header->backing_bytes > length - header->backing_offset)
        return true;
    return take_text(head, header->backing_offset, header->backing_bytes, qcow2->backing_name,
                     sizeof qcow2->backing_name);
}

/* Extensions follow the header one after the other, each padded to 8 bytes. */
static bool
read_backing_format(const guint8 *head, gsize length, const Header *header, FerryQcow2 *qcow2)
{
    gsize at = header->header_bytes;
    while (length >= EXTENSION_HEADER_BYTES && at <= length - EXTENSION_HEADER_BYTES) {
        guint32 type = read_be32(head, at);
        gsize bytes = read_be32(head, at + 4);
        at += EXTENSION_HEADER_BYTES;
        if (type == EXTENSION_END || bytes > length - at)
            break;
        if (type == EXTENSION_BACKING_FORMAT)
            return take_text(head, at, bytes, qcow2->backing_format, sizeof qcow2->backing_format);
        at += (bytes + 7) / 8 * 8;
    }
    return true;
}

static guint64
tables_end(const Header *header)
{
    guint64 l1_end = header->l1_offset + (guint64)header->l1_entries * 8;
    guint64 refcount_end =
        header->refcount_offset + ((guint64)header->refcount_clusters << header->cluster_bits);
    return MAX(header->l1_entries > 0 ? l1_end : 0, refcount_end);
}

bool
ferry_qcow2_parse(const guint8 *head, gsize length, FerryQcow2 *ret_qcow2, GError **error)
{
    g_return_val_if_fail(head || length == 0, false);
    Header header = {0};
    if (!read_header(head, length, &header, error) || !check_geometry(&header, error) ||
        !check_features(&header, error) || !check_tables(&header, error) ||
        !check_backing(&header, error))
        return false;

    FerryQcow2 qcow2 = {
        .known = true,
        .version = header.version,
        .virtual_size_bytes = header.size,
        .cluster_size_bytes = G_GUINT64_CONSTANT(1) << header.cluster_bits,
        .refcount_bits = 1U << header.refcount_order,
        .nb_snapshots = header.nb_snapshots,
        .has_backing_file = header.backing_offset != 0,
        .encrypted = header.crypt_method != 0,
        .data_file = (header.incompatible & INCOMPATIBLE_DATA_FILE) != 0,
        .extended_l2 = (header.incompatible & INCOMPATIBLE_EXTENDED_L2) != 0,
        .lazy_refcounts = (header.compatible & COMPATIBLE_LAZY_REFCOUNTS) != 0,
        .zstd = header.compression_type == 1,
        .bitmaps = (header.autoclear & AUTOCLEAR_BITMAPS) != 0,
        .tables_end_bytes = tables_end(&header),
    };
    if (!read_backing_name(head, length, &header, &qcow2) ||
        !read_backing_format(head, length, &header, &qcow2))
        return refuse(error, "the name or format of the backing file is no text");
    *ret_qcow2 = qcow2;
    return true;
}

const char *
ferry_qcow2_compat(const FerryQcow2 *qcow2)
{
    return qcow2->version == 2 ? "0.10" : "1.1";
}

bool
ferry_qcow2_is_plain(const FerryQcow2 *qcow2, guint64 capacity_bytes)
{
    if (!qcow2 || !qcow2->known)
        return true;
    return qcow2->refcount_bits == 16 && capacity_bytes % 1024 == 0 && !qcow2->zstd;
}
