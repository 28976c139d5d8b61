/* file-owner.h: to whom a file or folder belongs, and who may use it, as it is told from host to
 * host. A plain value. Any thread; looks at the file system and at the lists of users. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "model/json-field.h"

#define FERRY_OWNER_NAME_BYTES 64

typedef struct {
    bool known;
    guint mode;    /* permissions, without set-id bits */
    guint special; /* of a folder: its setgid and its sticky bit; 0 of a file */
    guint uid;
    guint gid;
    char user[FERRY_OWNER_NAME_BYTES]; /* "" where they have no name */
    char group[FERRY_OWNER_NAME_BYTES];
} FerryFileOwner;

/** Of the file or folder at @path; not known where it cannot be looked at. While an instance runs
 * libvirt lends its images to QEMU's user; whose they are otherwise it notes beside them, where
 * only an agent that is root can read it. Without that note, it is who has it now. */
FerryFileOwner ferry_file_owner_of(const char *path);

/** Returns: (transfer full): the name of the user, or the number where it has none. */
char *ferry_file_owner_user(uid_t uid);

/** Returns: (transfer full): null where it is not known. */
json_t *ferry_file_owner_to_json(const FerryFileOwner *owner);

/** @ret: not known where the field is missing or null. @error: FERRY_ERROR_INVALID_REQUEST */
bool ferry_file_owner_from_json(const FerryFieldScope *scope,
                                const char *key,
                                FerryFileOwner *ret,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Who that is on this host: by name, since numbers of the same name differ from host to host; by
 * number where the name is not known here. */
void ferry_file_owner_here(const FerryFileOwner *owner, uid_t *ret_uid, gid_t *ret_gid);

/** Returns: the permissions of an image or medium that is made after one with @mode: no program,
 * and not for everybody to write to, whatever a stranger says. */
guint ferry_file_owner_image_mode(guint mode);

/** Returns: whose a folder is made that belongs to @owner on the source (NULL or not known: to
 * root), where the agent is not root: the group @gid, the agent's, may write there what the agent
 * makes itself, and everybody may search it, as QEMU must. */
FerryFileOwner ferry_file_owner_for_group(const FerryFileOwner *owner, gid_t gid);

/** Gives the folder @fd, which belongs to @owner already, the special bits that it is to have.
 * Returns: false with errno set: it has none of them, or not all. */
bool ferry_file_owner_give_special(const FerryFileOwner *owner, int fd);

/** Gives the file @fd to @owner, if that is known. Returns: false with errno set: it stays whose it
 * is. */
bool ferry_file_owner_give(const FerryFileOwner *owner, int fd);

/** Returns: true when a file that this process makes can be given to @owner, or is its own. */
bool ferry_file_owner_can_be_given(const FerryFileOwner *owner);
