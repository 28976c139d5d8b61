#include "config.h"

#include "virt/volume.h"

#include "model/paths.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "xml/volume.h"

#include <gio/gio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often, and with which pauses, an encrypted image is tried on a busy host. */
#define LUKS_TRIES 10
#define LUKS_PAUSE_US (500 * 1000)

void
ferry_image_clear(FerryImage *image)
{
    g_clear_pointer(&image->pool, g_free);
    g_clear_pointer(&image->format, g_free);
    g_clear_pointer(&image->fingerprint, g_free);
}

/* --- looking at volumes ----------------------------------------------------------------------- */

virStorageVolPtr
ferry_virt_volume_find(virConnectPtr connection, const char *path, GError **error)
{
    virStorageVolPtr volume = virStorageVolLookupByPath(connection, path);

    if (volume)
        return volume;

    /* The pool's cache may be older than the file. */
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, directory, error);

    if (!pool || virStoragePoolIsActive(pool) != 1 || !ferry_virt_pool_refresh(pool, error))
        return NULL;
    return virStorageVolLookupByName(pool, name);
}

bool
ferry_virt_volume_length(virConnectPtr connection,
                         const char *path,
                         guint64 *ret_bytes,
                         GError **error)
{
    virStorageVolInfo info = {0};
    g_autoptr(GError) find_error = NULL;
    g_autoptr(virStorageVol) volume = ferry_virt_volume_find(connection, path, &find_error);

    if (find_error) {
        g_propagate_error(error, g_steal_pointer(&find_error));
        return false;
    }
    /* Its capacity would be what the content says of itself. */
    if (!volume || virStorageVolGetInfoFlags(volume, &info, VIR_STORAGE_VOL_GET_PHYSICAL) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot look at the volume '%s'", path);
    *ret_bytes = info.allocation;
    return true;
}

/* A folder that is there, and of files: the nodes of devices are nobody's to delete. */
static bool
may_become_pool(const char *folder)
{
    return ferry_path_presence(folder) != FERRY_PATH_ABSENT && strcmp(folder, "/dev") != 0 &&
           !g_str_has_prefix(folder, "/dev/");
}

bool
ferry_virt_volume_reach(virConnectPtr connection,
                        const char *path,
                        FerryReachedVolume *ret,
                        GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) why = NULL;
    FerryReachedVolume reached = {.volume = ferry_virt_volume_find(connection, path, &why)};

    if (!reached.volume && !why && may_become_pool(folder) &&
        ferry_passing_pool_enter(connection, folder, &reached.passing, &why) &&
        reached.passing.pool)
        reached.volume = ferry_virt_volume_find(connection, path, &why);
    if (why) {
        ferry_reached_volume_clear(&reached);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    *ret = reached;
    return true;
}

void
ferry_reached_volume_clear(FerryReachedVolume *self)
{
    g_clear_pointer(&self->volume, virStorageVolFree);
    ferry_passing_pool_leave(&self->passing);
}

static gssize
read_stream(virStreamPtr stream, guint8 *buffer, gsize size)
{
    gsize filled = 0;

    while (filled < size) {
        int got = virStreamRecv(stream, (char *)buffer + filled, size - filled);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        filled += (gsize)got;
    }
    return (gssize)filled;
}

static gssize
read_head_of_volume(virConnectPtr connection, virStorageVolPtr volume, guint8 *buffer, gsize size)
{
    g_autoptr(virStream) stream = virStreamNew(connection, 0);

    if (!stream || virStorageVolDownload(volume, stream, 0, size, 0) < 0)
        return -1;

    gssize got = read_stream(stream, buffer, size);

    if (got < 0 || virStreamFinish(stream) < 0)
        virStreamAbort(stream);
    return got;
}

static gssize
read_head_of_file(const char *path, guint8 *buffer, gsize size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -1;

    struct stat st;
    bool readable = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
    gssize got = readable ? pread(fd, buffer, size, 0) : -1;

    close(fd);
    return got;
}

static bool
parse_head(const char *path, const guint8 *head, gssize length, FerryQcow2 *qcow2, GError **error)
{
    if (length < 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                        ferry_libvirt_hint(FERRY_LIBVIRT_CANNOT_READ),
                        "The head of image '%s' cannot be read", path);
        return false;
    }
    if (!ferry_qcow2_parse(head, (gsize)length, qcow2, error)) {
        g_prefix_error(error, "Image '%s': ", path);
        return false;
    }
    return true;
}

/* As libvirt writes it. */
static char *
format_time(const struct timespec *time)
{
    return time->tv_nsec == 0 ? g_strdup_printf("%" G_GINT64_FORMAT, (gint64)time->tv_sec)
                              : g_strdup_printf("%" G_GINT64_FORMAT ".%09ld", (gint64)time->tv_sec,
                                                (long)time->tv_nsec);
}

/* libvirt's word of a file depends on what the guest has written to its beginning: of a raw disk it
 * believes a header, and stumbles over the names in one. So a file is looked at here, wherever the
 * agent's user may. Returns: false with the reason in errno. */
static bool
look_at_file(const char *path, FerryImage *image)
{
    struct stat st;

    errno = 0;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    image->capacity_bytes = (guint64)st.st_size;
    image->allocation_bytes = (guint64)st.st_blocks * 512;
    image->fingerprint = format_time(&st.st_mtim);
    return true;
}

static bool
look_at_volume(virStorageVolPtr volume, FerryImage *image, GError **error)
{
    const char *name = virStorageVolGetName(volume);
    virStorageVolInfo info = {0};
    char *raw = NULL;

    /* The info is read from the file at each call, the XML comes from the cache it filled. */
    if (virStorageVolGetInfo(volume, &info) == 0)
        raw = virStorageVolGetXMLDesc(volume, 0);
    if (!raw)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                                     "Cannot look at the volume '%s'", name);

    g_autofree char *xml = raw;
    g_auto(FerryVolumeInfo) parsed = {0};

    if (!ferry_volxml_parse(xml, &parsed, error))
        return false;
    image->capacity_bytes = info.capacity;
    image->allocation_bytes = info.allocation;
    /* Nothing tells when a device was written to: its node has other times. */
    if (info.type != VIR_STORAGE_VOL_BLOCK)
        image->fingerprint = g_steal_pointer(&parsed.mtime);
    return true;
}

static char *
pool_of(virStorageVolPtr volume)
{
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByVolume(volume);

    return pool && !ferry_passing_pool_is(pool) ? g_strdup(virStoragePoolGetName(pool)) : NULL;
}

static bool
look_at(virStorageVolPtr volume, const char *path, FerryImage *image, GError **error)
{
    image->pool = volume ? pool_of(volume) : NULL;
    if (look_at_file(path, image))
        return true;
    if (volume)
        return look_at_volume(volume, image, error);
    ferry_set_error(
        error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
        "Look whether it is there; give the agent's user the right to search its folder "
        "(setfacl -m u:virt-ferry:x; package acl)",
        "No active pool holds '%s' and it cannot be looked at: %s", path,
        errno != 0 ? g_strerror(errno) : "it is no regular file");
    return false;
}

static guint64
length_of_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (guint64)st.st_size : 0;
}

/* Whether libvirt has to be asked, for nothing tells the agent's user. */
static bool
is_hidden(const char *path, const char *format)
{
    struct stat st;

    return stat(path, &st) != 0
               ? errno == EACCES
               : S_ISREG(st.st_mode) && g_strcmp0(format, "qcow2") == 0 && access(path, R_OK) != 0;
}

bool
ferry_virt_image_info(virConnectPtr connection,
                      const char *path,
                      const char *format,
                      FerryImage *ret_image,
                      GError **error)
{
    g_auto(FerryImage) image = {0};
    guint8 head[FERRY_QCOW2_HEAD_BYTES];
    g_autoptr(GError) ignored = NULL;
    g_auto(FerryReachedVolume) reached = {0};

    if (!is_hidden(path, format))
        reached.volume = ferry_virt_volume_find(connection, path, &ignored);
    else if (!ferry_virt_volume_reach(connection, path, &reached, error))
        return false;

    virStorageVolPtr volume = reached.volume;

    image.format = g_strdup(format);
    if (!look_at(volume, path, &image, error))
        return false;
    if (g_strcmp0(format, "qcow2") == 0) {
        gssize got = volume ? read_head_of_volume(connection, volume, head, sizeof head) : -1;

        if (got < 0)
            got = read_head_of_file(path, head, sizeof head);
        if (!parse_head(path, head, got, &image.qcow2, error))
            return false;
        image.capacity_bytes = image.qcow2.virtual_size_bytes;
    }
    image.file_bytes = length_of_file(path);
    *ret_image = image;
    image = (FerryImage){0};
    return true;
}

/* --- making and deleting ---------------------------------------------------------------------- */

/* Making LUKS, qemu-img measures how many rounds of hashing take a while; on a host that is busy at
 * that moment it finds no figure and gives up. libvirt passes its words on, there is no code for
 * it. */
static bool
was_too_busy(void)
{
    return strstr(virGetLastErrorMessage(), "Unable to get accurate CPU usage") != NULL;
}

static virStorageVolPtr
create_patiently(virStoragePoolPtr pool, const char *xml, bool encrypted)
{
    virStorageVolPtr volume = virStorageVolCreateXML(pool, xml, 0);

    for (int i = 1; !volume && encrypted && was_too_busy() && i < LUKS_TRIES; i++) {
        g_usleep(LUKS_PAUSE_US);
        volume = virStorageVolCreateXML(pool, xml, 0);
    }
    return volume;
}

/* A volume that the pool knows, or a file that came after the pool was looked through last. */
static bool
is_in_the_way(const char *path)
{
    return ferry_virt_error_is(VIR_ERR_STORAGE_VOL_EXIST) ||
           (ferry_virt_error_is(VIR_ERR_OPERATION_INVALID) && access(path, F_OK) == 0);
}

static virStorageVolPtr
create_as(virStoragePoolPtr pool, const FerryNewImage *image, const FerryFileOwner *owner)
{
    FerryNewImage own = *image;

    own.owner = owner;

    g_autofree char *xml = ferry_volxml_build(&own);

    return create_patiently(pool, xml, image->secret_uuid);
}

static bool
create_by_libvirt(virStoragePoolPtr pool, const FerryNewImage *image, GError **error)
{
    g_autofree char *name = g_path_get_basename(image->path);
    g_autoptr(virStorageVol) volume = create_as(pool, image, image->owner);

    /* Some file systems have no owners, or do not let root give files away. */
    if (!volume && image->owner && image->owner->known &&
        ferry_virt_error_is(VIR_ERR_SYSTEM_ERROR)) {
        volume = create_as(pool, image, NULL);
        if (volume)
            g_message("'%s' could not be given to its owner on the source", image->path);
    }
    if (volume)
        return true;

    FerryErrorCode code = is_in_the_way(image->path) ? FERRY_ERROR_DESTINATION_DISK_EXISTS
                                                     : FERRY_ERROR_MIGRATION_ERROR;

    return ferry_error_from_virt(error, code, "Cannot make the image '%s'", name);
}

static char *
qemu_img_options(const FerryQcow2 *qcow2)
{
    return g_strdup_printf("compat=%s,cluster_size=%" G_GUINT64_FORMAT ",refcount_bits=%u%s%s%s",
                           ferry_qcow2_compat(qcow2), qcow2->cluster_size_bytes,
                           qcow2->refcount_bits, qcow2->lazy_refcounts ? ",lazy_refcounts=on" : "",
                           qcow2->extended_l2 ? ",extended_l2=on" : "",
                           qcow2->zstd ? ",compression_type=zstd" : "");
}

/* The name is taken first, exclusively, so that qemu-img never truncates a stranger's file.
 * Returns: a descriptor of what was made, or -1. */
static int
reserve_file(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0)
        return fd;
    ferry_set_error(
        error, errno == EEXIST ? FERRY_ERROR_DESTINATION_DISK_EXISTS : FERRY_ERROR_MIGRATION_ERROR,
        errno == EEXIST ? "Move the file away after looking whose it is"
                        : "This image's refcount bits, size or compression are beyond "
                          "libvirt's storage API; give the agent's user write access "
                          "to the folder",
        "Cannot make the image '%s': %s", path, g_strerror(errno));
    return -1;
}

/* While @fd is open no other file can have its inode. */
static void
remove_reserved(int fd, const char *path)
{
    struct stat made;
    struct stat there;

    if (fstat(fd, &made) == 0 && lstat(path, &there) == 0 && made.st_dev == there.st_dev &&
        made.st_ino == there.st_ino)
        unlink(path);
}

/* Returns: (transfer full): to be run as it is, without a shell. */
static GStrv
qemu_img_command(const FerryNewImage *image)
{
    g_autoptr(GStrvBuilder) command = g_strv_builder_new();
    g_autofree char *options = qemu_img_options(image->qcow2);
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, image->capacity_bytes);

    g_strv_builder_add_many(command, "qemu-img", "create", "-q", "-f", "qcow2", "-o", options,
                            NULL);
    if (image->backing.path)
        g_strv_builder_add_many(command, "-u", "-b", image->backing.path, "-F",
                                image->backing.format, NULL);
    g_strv_builder_add_many(command, "--", image->path, size, NULL);
    return g_strv_builder_end(command);
}

static bool
run_qemu_img(const FerryNewImage *image, GError **error)
{
    g_auto(GStrv) command = qemu_img_command(image);
    g_autofree char *output = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        (const char *const *)command,
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);

    if (!process || !g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &output, error))
        return false;
    if (g_subprocess_get_successful(process))
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "qemu-img cannot make '%s': %s",
                    image->path, g_strchomp(output));
    return false;
}

/* Where the agent's user may not, it stays that user's; a check has said so. */
static void
give_to_owner(const FerryNewImage *image, int fd)
{
    if (!image->owner || !image->owner->known)
        return;
    if (fchmod(fd, ferry_file_owner_image_mode(image->owner->mode)) != 0 ||
        !ferry_file_owner_give(image->owner, fd))
        g_message("'%s' stays the agent's own: %s", image->path, g_strerror(errno));
}

static bool
create_by_qemu_img(const FerryNewImage *image, GError **error)
{
    int fd = reserve_file(image->path, error);
    bool made = fd >= 0 && run_qemu_img(image, error);

    if (made)
        give_to_owner(image, fd);
    if (fd >= 0 && !made)
        remove_reserved(fd, image->path);
    if (fd >= 0)
        close(fd);
    return made;
}

bool
ferry_virt_volume_create(virStoragePoolPtr pool, const FerryNewImage *image, GError **error)
{
    bool plain = ferry_qcow2_is_plain(image->qcow2, image->capacity_bytes) &&
                 !(image->backing.path && image->backing.missing);

    if (image->secret_uuid || plain)
        return create_by_libvirt(pool, image, error);
    return create_by_qemu_img(image, error) && ferry_virt_pool_refresh(pool, error);
}

bool
ferry_virt_volume_delete(virConnectPtr connection, const char *path, GError **error)
{
    g_auto(FerryReachedVolume) reached = {0};

    if (!ferry_virt_volume_reach(connection, path, &reached, error))
        return false;
    if (!reached.volume) {
        if (access(path, F_OK) != 0 && errno == ENOENT)
            return true;
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Start the storage pool of its folder and roll back again",
                        "The file '%s' is there, but no active pool holds it", path);
        return false;
    }
    if (virStorageVolDelete(reached.volume, 0) < 0 && !ferry_virt_error_is(VIR_ERR_NO_STORAGE_VOL))
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot delete the image '%s'", path);
    return true;
}
