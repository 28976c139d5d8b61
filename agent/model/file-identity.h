/* file-identity.h: what tells a file from another one that has its name later. Pure; any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* As statx(2) has it. A rename and a write leave it as it is. A plain value. */
typedef struct {
    guint64 device; /* makedev(); may change with a boot of the host */
    guint64 inode;
    gint64 birth_ns; /* since the epoch; 0 where the file system does not note it */
    guint64 boot;    /* of the host, under which it was looked at */
} FerryFileIdentity;

/** Whether both are of one file. After a boot the device may have another number: then inode and
 * time of birth have to do. */
bool ferry_file_identity_equal(const FerryFileIdentity *a, const FerryFileIdentity *b);

/** Returns: (transfer full): for the journal. */
char *ferry_file_identity_to_text(const FerryFileIdentity *identity);

/** Returns: false when @text (nullable) is none. */
bool ferry_file_identity_from_text(const char *text, FerryFileIdentity *ret_identity);
