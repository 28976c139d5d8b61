#include "config.h"

#include "model/file-identity.h"

#include <inttypes.h>
#include <stdio.h>

#define FORMAT "%" PRIx64 ":%" PRIu64 ":%" PRId64 ":%" PRIx64
#define FORMAT_IN "%" SCNx64 ":%" SCNu64 ":%" SCNd64 ":%" SCNx64 "%n"

bool
ferry_file_identity_equal(const FerryFileIdentity *a, const FerryFileIdentity *b)
{
    bool may_have_moved = a->boot != b->boot && a->birth_ns != 0;

    return a->inode == b->inode && a->birth_ns == b->birth_ns &&
           (a->device == b->device || may_have_moved);
}

char *
ferry_file_identity_to_text(const FerryFileIdentity *identity)
{
    return g_strdup_printf(FORMAT, (uint64_t)identity->device, (uint64_t)identity->inode,
                           (int64_t)identity->birth_ns, (uint64_t)identity->boot);
}

bool
ferry_file_identity_from_text(const char *text, FerryFileIdentity *ret_identity)
{
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t birth_ns = 0;
    uint64_t boot = 0;
    int length = 0;

    if (!text || sscanf(text, FORMAT_IN, &device, &inode, &birth_ns, &boot, &length) != 4 ||
        text[length] != '\0')
        return false;
    *ret_identity = (FerryFileIdentity){device, inode, birth_ns, boot};
    return true;
}
