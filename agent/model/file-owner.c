#include "config.h"

#include "model/file-owner.h"

#include "ferry/json.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* libvirt's note of the owner that an image had before an instance got it, "+UID:+GID". */
#define REMEMBERED "trusted.libvirt.security.dac"
#define MAX_MODE 0777
#define SPECIAL (S_ISGID | S_ISVTX)
#define MAX_ID (G_MAXUINT - 1) /* the last one means "as it is" to the kernel */
#define LIST_BYTES 16384

/* Returns: (transfer full) (nullable) */
static char *
name_of_user(uid_t uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[LIST_BYTES];

    return getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found
               ? g_strdup(found->pw_name)
               : NULL;
}

static void
name_user(FerryFileOwner *owner)
{
    g_autofree char *name = name_of_user(owner->uid);

    if (name)
        g_strlcpy(owner->user, name, sizeof owner->user);
}

static void
name_group(FerryFileOwner *owner)
{
    struct group entry;
    struct group *found = NULL;
    char buffer[LIST_BYTES];

    if (getgrgid_r(owner->gid, &entry, buffer, sizeof buffer, &found) == 0 && found)
        g_strlcpy(owner->group, found->gr_name, sizeof owner->group);
}

static void
read_remembered(const char *path, FerryFileOwner *owner)
{
    char text[64] = "";
    guint uid = 0;
    guint gid = 0;

    if (getxattr(path, REMEMBERED, text, sizeof text - 1) > 0 &&
        sscanf(text, "+%u:+%u", &uid, &gid) == 2) {
        owner->uid = uid;
        owner->gid = gid;
    }
}

FerryFileOwner
ferry_file_owner_of(const char *path)
{
    FerryFileOwner owner = {0};
    struct stat st;

    if (stat(path, &st) != 0)
        return owner;
    owner = (FerryFileOwner){
        .known = true, .mode = st.st_mode & MAX_MODE, .uid = st.st_uid, .gid = st.st_gid};
    if (S_ISDIR(st.st_mode))
        owner.special = st.st_mode & SPECIAL;
    read_remembered(path, &owner);
    name_user(&owner);
    name_group(&owner);
    return owner;
}

char *
ferry_file_owner_user(uid_t uid)
{
    char *name = name_of_user(uid);

    return name ? name : g_strdup_printf("%u", uid);
}

json_t *
ferry_file_owner_to_json(const FerryFileOwner *owner)
{
    if (!owner->known)
        return json_null();

    json_t *object = json_pack("{s:I, s:I, s:o, s:I, s:o}", "mode", (json_int_t)owner->mode, "uid",
                               (json_int_t)owner->uid, "user", ferry_json_text(owner->user), "gid",
                               (json_int_t)owner->gid, "group", ferry_json_text(owner->group));

    /* Not in "mode", where agents of before take no more than permissions. */
    if (owner->special != 0)
        json_object_set_new(object, "special", json_integer((json_int_t)owner->special));
    return object;
}

static bool
read_name(const FerryFieldScope *scope, const char *key, char *name, GError **error)
{
    g_autofree char *text = NULL;

    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, FERRY_OWNER_NAME_BYTES - 1, &text, error))
        return false;
    g_strlcpy(name, text ? text : "", FERRY_OWNER_NAME_BYTES);
    return true;
}

bool
ferry_file_owner_from_json(const FerryFieldScope *scope,
                           const char *key,
                           FerryFileOwner *ret,
                           GError **error)
{
    const json_t *object = json_object_get(scope->object, key);
    g_autofree char *path = g_strdup_printf("%s.%s", scope->path, key);
    const FerryFieldScope own = {object, path};
    FerryFileOwner owner = {.known = true};

    if (!object || json_is_null(object))
        return true;
    if (!ferry_field_check_object(&own, error) ||
        !ferry_field_uint(&own, "mode", 0, MAX_MODE, &owner.mode, error) ||
        !ferry_field_uint(&own, "special", 0, SPECIAL, &owner.special, error) ||
        !ferry_field_uint(&own, "uid", 0, MAX_ID, &owner.uid, error) ||
        !ferry_field_uint(&own, "gid", 0, MAX_ID, &owner.gid, error) ||
        !read_name(&own, "user", owner.user, error) ||
        !read_name(&own, "group", owner.group, error))
        return false;
    owner.special &= SPECIAL;
    *ret = owner;
    return true;
}

void
ferry_file_owner_here(const FerryFileOwner *owner, uid_t *ret_uid, gid_t *ret_gid)
{
    struct passwd user;
    struct group group;
    struct passwd *user_found = NULL;
    struct group *group_found = NULL;
    char buffer[LIST_BYTES];

    *ret_uid = owner->uid;
    *ret_gid = owner->gid;
    if (owner->user[0] != '\0' &&
        getpwnam_r(owner->user, &user, buffer, sizeof buffer, &user_found) == 0 && user_found)
        *ret_uid = user_found->pw_uid;
    if (owner->group[0] != '\0' &&
        getgrnam_r(owner->group, &group, buffer, sizeof buffer, &group_found) == 0 && group_found)
        *ret_gid = group_found->gr_gid;
}

FerryFileOwner
ferry_file_owner_for_group(const FerryFileOwner *owner, gid_t gid)
{
    FerryFileOwner given = {.known = true, .mode = S_IRWXU};

    if (owner && owner->known)
        given = *owner;
    given.mode |= S_IRWXG | S_IXOTH;
    given.gid = gid;
    given.group[0] = '\0';
    return given;
}

guint
ferry_file_owner_image_mode(guint mode)
{
    return 0600 | (mode & 0064);
}

bool
ferry_file_owner_give(const FerryFileOwner *owner, int fd)
{
    uid_t uid = 0;
    gid_t gid = 0;

    if (!owner->known)
        return true;
    ferry_file_owner_here(owner, &uid, &gid);
    return fchown(fd, uid, gid) == 0;
}

bool
ferry_file_owner_give_special(const FerryFileOwner *owner, int fd)
{
    struct stat st;

    if (owner->special == 0)
        return true;
    if (fstat(fd, &st) != 0 || fchmod(fd, (st.st_mode & MAX_MODE) | owner->special) != 0 ||
        fstat(fd, &st) != 0)
        return false;
    /* From who is not in its group the kernel takes no setgid bit, and says nothing. */
    errno = EPERM;
    return (st.st_mode & owner->special) == owner->special;
}

bool
ferry_file_owner_can_be_given(const FerryFileOwner *owner)
{
    uid_t uid = 0;
    gid_t gid = 0;

    ferry_file_owner_here(owner, &uid, &gid);
    return !owner->known || geteuid() == 0 || (uid == geteuid() && gid == getegid());
}
