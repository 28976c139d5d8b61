#include "config.h"

#include "model/disk-plan.h"

#include "ferry/error.h"
#include "model/block-volume.h"
#include "model/chain.h"
#include "model/medium.h"

typedef struct {
    FerryInstance *instance;
    FerryDisk *disk;
    bool blocked;
} Subject;

/* The first reason is the one that a person reads in `why`; all of them become obstacles. */
G_GNUC_PRINTF(4, 5)
static void
block(Subject *subject, const char *name, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *message = g_strdup_printf("Disk \"%s\" %s", subject->disk->target, what);
    ferry_instance_add_obstacle(subject->instance, name, message, hint);
    if (!subject->blocked) {
        g_free(subject->disk->why);
        subject->disk->why = g_steal_pointer(&what);
    }
    subject->blocked = true;
}

static bool
is_local_file(const FerryDisk *disk)
{
    return g_strcmp0(disk->type, "file") == 0;
}

static bool
is_local(const FerryDisk *disk)
{
    return is_local_file(disk) || ferry_disk_is_block(disk);
}

static bool
is_qcow2(const FerryDisk *disk)
{
    return g_strcmp0(disk->format, "qcow2") == 0;
}

static void
check_transient(Subject *subject)
{
    if (subject->disk->transient)
        block(subject, "transient-disk", "Detach it first",
              "is transient: what the guest wrote lies in an overlay of QEMU's own");
}

static void
check_access(Subject *subject)
{
    const FerryDisk *disk = subject->disk;
    if (disk->shareable)
        block(subject, "shareable-disk",
              "Put the image on storage that both hosts have, and name the disk in "
              "\"attached_disks\"",
              "is shareable, and its file %s would be missing at the destination", disk->source);
    check_transient(subject);
}

static void
check_chain(Subject *subject)
{
    g_autofree char *fault = ferry_chain_fault(subject->disk);
    if (fault)
        block(
            subject, "backing-chain",
            "Look at each image with qemu-img info -U; virsh blockpull does without backing files",
            "%s", fault);
}

/* An encrypted image can be made anew where libvirt can say what it is, secret included; qcow2
 * around it, because LUKS alone shows QEMU no holes and would arrive allocated in full. */
static void
check_encryption(Subject *subject)
{
    const FerryDisk *disk = subject->disk;
    const FerryQcow2 *qcow2 = &disk->qcow2;
    bool by_header = is_qcow2(disk) && qcow2->known && qcow2->encrypted;
    if (!disk->encrypted && !by_header)
        return;
    if (!is_qcow2(disk))
        block(subject, "disk-encryption", "Convert the image to qcow2 with LUKS in it",
              "is encrypted and not qcow2: QEMU sees no holes in it, so it would not arrive thin");
    else if (!disk->secret_uuid || (qcow2->known && !qcow2->encrypted))
        block(subject, "disk-encryption", "Use LUKS with a secret of libvirt that has a UUID",
              "is encrypted in a way that could not be made again at the destination");
    else if (qcow2->has_backing_file)
        block(subject, "disk-encryption", "Flatten it with virsh blockpull",
              "is encrypted and lies on backing files");
    else if (!ferry_qcow2_is_plain(qcow2, disk->capacity_bytes))
        block(
            subject, "disk-encryption", "Convert the image to QEMU's default qcow2 features",
            "is encrypted, with refcount bits, compression or a size that libvirt cannot ask for");
}

static void
check_image(Subject *subject)
{
    const FerryDisk *disk = subject->disk;
    const FerryQcow2 *qcow2 = &disk->qcow2;
    check_encryption(subject);
    if (!is_qcow2(disk)) {
        if (g_strcmp0(disk->format, "raw") != 0)
            block(subject, "disk-format", "Convert the image to qcow2 or raw",
                  "has the format %s; qcow2 and raw can be moved", disk->format);
        return;
    }
    if (!qcow2->known) {
        block(subject, "image-header", "Look at the image with qemu-img info",
              "is qcow2, but the header of %s could not be read", disk->source);
        return;
    }
    if (qcow2->data_file)
        block(subject, "data-file", "Convert the image to one without an external data file",
              "keeps its data in an external data file");
    if (qcow2->nb_snapshots > 0)
        block(subject, "internal-snapshots", "Delete them first: virsh snapshot-list shows them",
              "has %u internal snapshot%s that would be lost", qcow2->nb_snapshots,
              qcow2->nb_snapshots == 1 ? "" : "s");
    if (qcow2->virtual_size_bytes != disk->capacity_bytes)
        block(subject, "image-size", "Look at the image with qemu-img info",
              "has %" G_GUINT64_FORMAT " bytes for libvirt and %" G_GUINT64_FORMAT
              " in its image's header",
              disk->capacity_bytes, qcow2->virtual_size_bytes);
}

/* Only earlier disks are looked at, so that each pair is told of once. */
static void
check_own_file(Subject *subject)
{
    const FerryDisk *disk = subject->disk;
    g_autofree char *path = g_canonicalize_filename(disk->source, "/");
    for (guint i = 0; i < subject->instance->disks->len; i++) {
        const FerryDisk *other = g_ptr_array_index(subject->instance->disks, i);
        if (other == disk)
            return;
        if (!is_local(other) || !other->source)
            continue;
        g_autofree char *other_path = g_canonicalize_filename(other->source, "/");
        if (g_strcmp0(path, other_path) != 0)
            continue;
        block(subject, "duplicate-file", "Give each disk an image of its own",
              "has the same file as disk \"%s\": %s", other->target, disk->source);
        return;
    }
}

static void
check_block_volume(Subject *subject)
{
    g_autofree char *fault = ferry_block_volume_fault(subject->disk);
    if (fault)
        block(
            subject, "block-volume",
            "Name a plain volume as the pool of its volume group does, /dev/GROUP/VOLUME; make "
            "the pool (virsh pool-define-as NAME logical --source-name GROUP) where there is none",
            "%s", fault);
}

static void
check_disk(Subject *subject)
{
    FerryDisk *disk = subject->disk;
    if (disk->volume_pool && g_strcmp0(disk->type, "volume") == 0) {
        block(
            subject, "disk-type", "Start the pool (virsh pool-start), and look at it (vol-list)",
            "is the volume \"%s\" of the pool \"%s\", where libvirt shows no file or block volume",
            disk->volume_name, disk->volume_pool);
        return;
    }
    if (!is_local(disk)) {
        block(subject, "disk-type",
              "Name the disk in \"attached_disks\" if both hosts reach it; only files and logical "
              "volumes of the host are copied",
              "has the type %s", disk->type);
        return;
    }
    check_access(subject);
    if (ferry_disk_is_block(disk)) {
        check_block_volume(subject);
        check_encryption(subject);
    } else {
        check_chain(subject);
        check_image(subject);
    }
    /* Several drives may hold one medium: nobody writes to it. */
    if (!ferry_medium_is(disk))
        check_own_file(subject);
}

/* Both kinds have nothing of their own that a copy could bring over. */
static bool
cannot_be_copied(const FerryDisk *disk)
{
    return !disk->source || disk->readonly;
}

char *
ferry_disk_plan_targets(const FerryInstance *instance, bool moving)
{
    GString *targets = g_string_new(NULL);
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        if (disk->migrate || !moving)
            g_string_append_printf(targets, "%s%s", targets->len > 0 ? ", " : "", disk->target);
    }
    return g_string_free(targets, FALSE);
}

static bool
refuse_target(const FerryInstance *instance, const char *option, const char *target, GError **error)
{
    g_autofree char *targets = ferry_disk_plan_targets(instance, false);
    g_autofree char *hint = g_strdup_printf("Its disks are %s", targets);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint,
                    "Option \"%s\" names \"%s\", which instance \"%s\" does not have", option,
                    target, instance->name);
    return false;
}

bool
ferry_disk_plan_attach(FerryInstance *instance, const char *const *attached, GError **error)
{
    for (gsize i = 0; attached && attached[i]; i++) {
        FerryDisk *disk = ferry_instance_find_disk(instance, attached[i]);
        if (!disk)
            return refuse_target(instance, "attached_disks", attached[i], error);
        if (!disk->source) {
            ferry_set_error(
                error, FERRY_ERROR_INVALID_REQUEST, "Leave it out of \"attached_disks\"",
                "Option \"attached_disks\" names \"%s\", which is an empty drive", attached[i]);
            return false;
        }
        disk->attached = true;
    }
    return true;
}

static bool
check_wanted(const FerryInstance *instance, const char *const *wanted, GError **error)
{
    for (gsize i = 0; wanted[i]; i++) {
        const FerryDisk *disk = ferry_instance_find_disk(instance, wanted[i]);
        if (g_strv_contains(wanted + i + 1, wanted[i])) {
            ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Name each disk once",
                            "Option \"disks\" names \"%s\" twice", wanted[i]);
            return false;
        }
        if (!disk)
            return refuse_target(instance, "disks", wanted[i], error);
        if (disk->attached) {
            ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Leave it out of one of the two",
                            "Options \"disks\" and \"attached_disks\" both name \"%s\"", wanted[i]);
            return false;
        }
        if (cannot_be_copied(disk)) {
            ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Leave it out of \"disks\"",
                            "Option \"disks\" names \"%s\", which is %s and cannot be copied",
                            wanted[i], !disk->source ? "an empty drive" : "read-only");
            return false;
        }
    }
    return true;
}

static void
plan_disk(FerryInstance *instance, FerryDisk *disk, const char *const *wanted)
{
    disk->migrate = false;
    disk->carry = false;
    if (!disk->source) {
        ferry_disk_explain(disk, "an empty drive");
        return;
    }
    Subject subject = {.instance = instance, .disk = disk, .blocked = false};
    if (disk->attached) {
        check_transient(&subject);
        ferry_disk_explain(disk, "both hosts reach it, says the order");
        return;
    }
    check_disk(&subject);
    /* A disk that some other reason keeps here is not also one that the order left out. */
    if (!subject.blocked && !ferry_medium_is(disk) && wanted &&
        !g_strv_contains(wanted, disk->target))
        block(&subject, "disk-left-out", "Name it in \"disks\", or detach it first",
              "is writable and local, but the order leaves it out: the guest would lose it");
    if (subject.blocked)
        return;
    disk->carry = ferry_medium_is(disk);
    disk->migrate = !disk->carry;
    ferry_disk_explain(disk,
                       disk->carry ? "a medium, brought along as it is" : "a writable local disk");
}

bool
ferry_disk_plan_make(FerryInstance *instance, const char *const *wanted, GError **error)
{
    if (wanted && !check_wanted(instance, wanted, error))
        return false;
    for (guint i = 0; i < instance->disks->len; i++)
        plan_disk(instance, g_ptr_array_index(instance->disks, i), wanted);
    return true;
}

guint
ferry_disk_plan_count(const FerryInstance *instance)
{
    guint count = 0;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        count += disk->migrate ? 1 : 0;
    }
    return count;
}

guint64
ferry_disk_plan_allocation(const FerryInstance *instance)
{
    guint64 sum = 0;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        if (disk->migrate && !g_uint64_checked_add(&sum, sum, disk->allocation_bytes))
            return G_MAXUINT64;
    }
    return sum;
}
