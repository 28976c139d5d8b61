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
    if (code == EROFS)
        return g_strdup_printf("The unit's sandbox forbids it, or the file system is read-only: "
                               "'systemctl edit virt-ferryd', the lines \"[Service]\" and "
                               "\"ReadWritePaths=%s\", then 'systemctl restart virt-ferryd'",
                               folder);
    if (code != EACCES && code != EPERM)
        return NULL;
    if (is_packages_own(folder) && strchr(rights, 'w'))
        return g_strdup_printf("dpkg-statoverride --force-statoverride-add --update --add root "
                               "%s 0771 %s",
                               g_get_user_name(), folder);
    return ferry_rights_give(folder, rights);
}

char *
ferry_rights_give(const char *path, const char *rights)
{
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *program = g_find_program_in_path("setfacl");

    /* Debian's package acl is on no host by itself. */
    return g_strdup_printf("%ssetfacl -m u:%s:%s %s", program ? "" : "apt install acl; ",
                           g_get_user_name(), rights, quoted);
}
