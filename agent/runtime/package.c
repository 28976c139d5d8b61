#include "config.h"

#include "runtime/package.h"

#include <glib.h>

char *
ferry_package_command(const char *debian, const char *fedora)
{
    return g_file_test("/usr/bin/dpkg", G_FILE_TEST_EXISTS)
               ? g_strdup_printf("apt-get install %s", debian)
               : g_strdup_printf("dnf install %s", fedora);
}
