#include "config.h"

#include "checks/client-key.h"

#include "files/rights.h"
#include "model/carried-file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool
is_seeded(const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->seeded || disk->seed_wanted)
            return true;
    }
    return false;
}

static bool
agent_sends(const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);

    return files->len > 0 || ferry_instance_is_shut_off(instance) || is_seeded(instance);
}

/* A user's own keys come first, and a URI may name others. */
static bool
has_other_keys(const char *libvirt_uri)
{
    g_autofree char *own =
        g_build_filename(g_get_home_dir(), ".pki", "libvirt", "clientkey.pem", NULL);

    return strstr(libvirt_uri, "pkipath=") || access(own, R_OK) == 0;
}

/* Returns: (transfer full): how the agent's user gets to read @key, which it could not: @code. */
static char *
way_out(const char *key, int code)
{
    g_autofree char *folder = g_path_get_dirname(key);
    g_autofree char *search = ferry_rights_give(folder, "x");
    g_autofree char *read = ferry_rights_give(key, "r");

    return code == ENOENT
               ? g_strdup_printf("Install the client's key of this host for libvirt, '%s', and its "
                                 "certificate. libvirtd itself needs both to connect to others",
                                 key)
               : g_strdup_printf("%s; %s", search, read);
}

/* Returns: 0, or errno: why no key can be read. */
static int
look_at(const char *libvirt_uri, const char *key)
{
    int code = access(key, R_OK) == 0 ? 0 : errno;

    return has_other_keys(libvirt_uri) ? 0 : code;
}

/* Where @key is absent it fails, where it cannot be read it is @unreadable; @whose: for whom it is
 * wanted, @without: what is not possible then: parts of the message. */
static void
judge(const char *libvirt_uri,
      const char *key,
      FerryCheckResult unreadable,
      const char *whose,
      const char *without,
      FerryChecks *checks)
{
    int code = look_at(libvirt_uri, key);

    if (code == 0) {
        ferry_checks_add(checks, "client-key", FERRY_CHECK_PASS, NULL,
                         "The agent, which sends files itself, may read libvirt's client key");
        return;
    }

    g_autofree char *hint = way_out(key, code);

    ferry_checks_add(checks, "client-key", code == ENOENT ? FERRY_CHECK_FAIL : unreadable, hint,
                     "%s may not read the client's key '%s': %s%s", whose, key, g_strerror(code),
                     without);
}

char *
ferry_client_key_hint(const char *libvirt_uri, const char *key, bool *ret_absent)
{
    int code = g_str_has_prefix(libvirt_uri, "qemu+tls:") ? look_at(libvirt_uri, key) : 0;

    *ret_absent = code == ENOENT;
    return code == 0 ? NULL : way_out(key, code);
}

void
ferry_check_client_key(const FerryInstance *instance,
                       const char *libvirt_uri,
                       const char *key,
                       FerryChecks *checks)
{
    if (!libvirt_uri || !g_str_has_prefix(libvirt_uri, "qemu+tls:") || !agent_sends(instance))
        return;

    g_autofree char *whose =
        g_strdup_printf("Files of '%s' are sent by the agent itself, and it", instance->name);

    judge(libvirt_uri, key, FERRY_CHECK_FAIL, whose, "", checks);
}

void
ferry_check_client_key_of_host(const char *libvirt_uri, const char *key, FerryChecks *checks)
{
    judge(libvirt_uri, key, FERRY_CHECK_WARN, "The agent",
          ". It cannot send bases, media, seeds and images of instances that are shut off", checks);
}
