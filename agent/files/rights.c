#include "config.h"

#include "files/rights.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Debian's package sets the modes of its folders anew at each upgrade, and an ACL with them; what
 * dpkg-statoverride names it leaves alone. Others than the owner may search them, as QEMU must. */
static bool
is_packages_own(const char *folder)
{
    return strcmp(folder, "/var/lib/libvirt/images") == 0 &&
           g_file_test("/usr/bin/dpkg-statoverride", G_FILE_TEST_IS_EXECUTABLE);
}

char *
ferry_rights_hint(const char *folder, int code, const char *rights)
{
    g_autofree char *quoted = g_shell_quote(folder);
    const char *user = g_get_user_name();

    if (code == EROFS)
        return g_strdup_printf("The unit's sandbox forbids it, or the file system is read-only: "
                               "'systemctl edit virt-ferryd', the lines \"[Service]\" and "
                               "\"ReadWritePaths=%s\", then 'systemctl restart virt-ferryd'",
                               folder);
    if (code != EACCES && code != EPERM)
        return NULL;
    if (is_packages_own(folder) && strchr(rights, 'w'))
        return g_strdup_printf("dpkg-statoverride --update --add root %s 0771 %s", user, quoted);
    return g_strdup_printf("setfacl -m u:%s:%s %s", user, rights, quoted);
}
