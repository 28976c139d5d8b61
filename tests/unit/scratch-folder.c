#include "config.h"

#include "scratch-folder.h"

#include <ftw.h>
#include <stdio.h>

char *
ferry_scratch_make(void)
{
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("virt-ferry-test-XXXXXX", &error);

    g_assert_no_error(error);
    return path;
}

static int
remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    return remove(path);
}

void
ferry_scratch_remove(char *path)
{
    if (!path)
        return;
    g_assert_cmpint(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
    g_free(path);
}
