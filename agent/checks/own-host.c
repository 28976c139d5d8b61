#include "config.h"

#include "checks/own-host.h"

#include "checks/client-key.h"
#include "checks/libvirt-way.h"
#include "checks/migration-certificate.h"
#include "checks/port-probe.h"
#include "checks/qemu-conf.h"
#include "ferry/clock.h"
#include "ferry/json.h"
#include "files/rights.h"
#include "model/migrate-data.h"
#include "model/way-judge.h"
#include "runtime/listen-address.h"
#include "virt/auto.h"
#include "virt/host.h"
#include "virt/virt.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PORT_LIMIT_MS 1000
/* Where libvirt keeps the firmware variables of its instances. */
#define NVRAM_FOLDER "/var/lib/libvirt/qemu/nvram"

/* --- libvirt and QEMU ------------------------------------------------------------------------- */

static void
check_hypervisor(virConnectPtr connection, FerryChecks *checks)
{
    g_autofree char *libvirt = ferry_virt_host_libvirt_version(connection);
    g_autofree char *qemu = ferry_virt_host_qemu_version(connection);
    bool kvm = ferry_virt_host_has_kvm(connection);

    ferry_checks_add(checks, "libvirt", FERRY_CHECK_PASS, NULL,
                     "The agent may do there what it has to: libvirt %s, QEMU %s",
                     libvirt ? libvirt : "(unknown)", qemu ? qemu : "(unknown)");
    ferry_checks_add(checks, "kvm", kvm ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     kvm ? NULL
                         : "Turn on virtualisation in the firmware of the host, and load kvm_intel "
                           "or kvm_amd",
                     kvm ? "Instances run by KVM" : "There is no KVM here: instances are emulated");
}

/* --- storage ---------------------------------------------------------------------------------- */

static void
check_space(const FerryAgent *agent, const char *folder, FerryChecks *checks)
{
    struct statvfs space;
    guint64 reserved = agent->config->reserved_bytes;

    if (statvfs(folder, &space) < 0)
        return;

    guint64 free_bytes = (guint64)space.f_bavail * space.f_frsize;
    bool fits = free_bytes > reserved;

    ferry_checks_add(checks, "space", fits ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     fits ? NULL : "Free space there, or lower [storage] reserved_bytes",
                     "'%s' has %" G_GUINT64_FORMAT " MiB available, %" G_GUINT64_FORMAT
                     " MiB of them reserved",
                     folder, free_bytes >> 20, reserved >> 20);
}

static void
check_missing_folder(const char *folder, FerryChecks *checks)
{
    g_autofree char *give = ferry_rights_give(folder, "rwx");
    g_autofree char *hint = g_strdup_printf("mkdir -p %s; %s", folder, give);

    ferry_checks_add(checks, "folder-rights", FERRY_CHECK_WARN, hint,
                     "The folder '%s' of allowed_paths is not there", folder);
}

/* A right in a folder, and what cannot be done where it is missing. */
typedef struct {
    const char *check;
    FerryCheckResult missing; /* what it is to lack the right */
    int mode;                 /* access()'s */
    const char *rights;
    const char *may; /* "read and write in" */
    const char *without;
} Right;

static void
check_right(const Right *right, const char *folder, FerryChecks *checks)
{
    int code = access(folder, right->mode) == 0 ? 0 : errno;
    g_autofree char *hint = code != 0 ? ferry_rights_hint(folder, code, right->rights) : NULL;

    if (code == 0)
        ferry_checks_add(checks, right->check, FERRY_CHECK_PASS, NULL, "The agent may %s '%s'",
                         right->may, folder);
    else
        ferry_checks_add(checks, right->check, right->missing, hint,
                         "The agent may not %s '%s' (%s): %s", right->may, folder, g_strerror(code),
                         right->without);
}

static void
check_folder(const FerryAgent *agent, const char *folder, FerryChecks *checks)
{
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        check_missing_folder(folder, checks);
        return;
    }
    check_right(&(Right){"folder-rights", FERRY_CHECK_FAIL, R_OK | W_OK | X_OK, "rwx",
                         "read and write in",
                         "bases, media, seeds and images of instances that are shut off cannot "
                         "arrive there, nor can images be set aside"},
                folder, checks);
    check_space(agent, folder, checks);
}

/* libvirtd writes there and deletes; that a file is the one it made the agent sees itself. */
static void
check_nvram(FerryChecks *checks)
{
    if (access(NVRAM_FOLDER, F_OK) != 0 && errno == ENOENT)
        return;
    check_right(&(Right){"nvram", FERRY_CHECK_WARN, X_OK, "x", "pass through",
                         "variables of UEFI instances that did not arrive stay there"},
                NVRAM_FOLDER, checks);
}

static void
check_pools(virConnectPtr connection, FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) host = ferry_virt_host_describe(connection, &error);
    const json_t *pool = NULL;
    gsize index = 0;

    if (!host) {
        ferry_checks_add_error(checks, "pool", error);
        return;
    }
    json_array_foreach(json_object_get(host, "pools"), index, pool) {
        const char *name = ferry_json_get_string(pool, "name");
        g_autofree char *quoted = g_shell_quote(name);
        g_autofree char *hint = g_strdup_printf("virsh pool-start %s", quoted);
        bool active = ferry_json_get_bool(pool, "active", false);

        ferry_checks_add(checks, "pool", active ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                         active ? NULL : hint, "The pool '%s' is %s", name,
                         active ? "active" : "not active");
    }
}

static void
check_storage(const FerryAgent *agent, virConnectPtr connection, FerryChecks *checks)
{
    for (char **folder = agent->config->allowed_paths; *folder; folder++)
        check_folder(agent, *folder, checks);
    check_nvram(checks);
    check_pools(connection, checks);
}

/* --- how other hosts reach this one ----------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the first address that @name means here. */
static char *
look_up(const char *name)
{
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    GList *found = g_resolver_lookup_by_name(resolver, name, NULL, NULL);
    char *text = found ? g_inet_address_to_string(found->data) : NULL;

    g_resolver_free_addresses(found);
    return text;
}

#define ADDRESS_HINT                                                                               \
    "Set [libvirt] live_migration_inbound_addr to an address of this host, or to a name that "     \
    "means one everywhere (/etc/hosts, DNS)"

/* Debian gives a host's own name the address 127.0.1.1, which leads every other host to itself. */
static void
check_address(const char *address, FerryChecks *checks)
{
    g_autofree char *found = look_up(address);

    if (!found)
        ferry_checks_add(checks, "address", FERRY_CHECK_FAIL, ADDRESS_HINT,
                         "Other hosts are told to reach this one at '%s', which has no address",
                         address);
    else if (ferry_listen_address_is_own(found))
        ferry_checks_add(checks, "address", FERRY_CHECK_PASS, NULL,
                         "Other hosts reach this one at '%s', which is %s", address, found);
    else
        ferry_checks_add(checks, "address", FERRY_CHECK_WARN, ADDRESS_HINT,
                         "Other hosts are told to reach this one at '%s', which is %s here: not an "
                         "address at which they find it",
                         address, found);
}

static void
check_libvirt(const char *text, FerryChecks *checks)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    FerryProbe probe = {.limit_ms = PORT_LIMIT_MS};

    ferry_libvirt_way_aim(&probe, uri);
    if (probe.port > 0)
        ferry_port_probe_run(&probe, 1);
    ferry_libvirt_way_judge("This host's libvirt", text, &probe, checks);
}

static void
check_ports(FerryChecks *checks)
{
    g_auto(GStrv) lines = ferry_qemu_conf_read(FERRY_QEMU_CONF);
    FerryPortRange range = ferry_qemu_conf_migration_ports(lines);

    ferry_checks_add(checks, "migration-ports", FERRY_CHECK_PASS, NULL,
                     "QEMU takes what comes at the ports %u to %u%s. Whether a firewall lets it "
                     "through is tried from another host: virt-ferry check --host OTHER --to THIS",
                     range.first, range.last,
                     lines ? "" : " (libvirt's own range: qemu.conf cannot be read)");
}

static void
check_way(const FerryAgent *agent, FerryChecks *checks)
{
    const char *address = agent->config->live_migration_inbound_addr;
    g_autofree char *uri = ferry_migrate_data_libvirt_uri(agent->config, address);

    check_address(address, checks);
    check_libvirt(uri, checks);
    if (g_str_has_prefix(uri, "qemu+tls:")) {
        ferry_libvirt_certificate_check(FERRY_LIBVIRT_CERTIFICATE, address, checks);
        ferry_check_client_key_of_host(uri, FERRY_CLIENT_KEY, checks);
    }
    if (agent->config->live_migration_with_native_tls)
        ferry_migration_certificate_check(address, checks);
    check_ports(checks);
}

/* --- the clock -------------------------------------------------------------------------------- */

static void
check_clock(gint64 asked_us, FerryChecks *checks)
{
    gint64 ahead_us = ferry_clock_now_us() - asked_us;
    bool fine = ABS(ahead_us) <= FERRY_CLOCK_TOLERANCE_US;

    ferry_checks_add(checks, "clock", fine ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     fine ? NULL : "timedatectl set-ntp true, on both hosts",
                     "The clock is %.1f s %s that of who asks",
                     (double)ABS(ahead_us) / G_USEC_PER_SEC, ahead_us < 0 ? "behind" : "ahead of");
}

FerryChecks *
ferry_own_host_check(const FerryAgent *agent, gint64 asked_us, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    FerryChecks *checks = connection ? ferry_checks_new() : NULL;

    if (!checks)
        return NULL;
    check_hypervisor(connection, checks);
    check_storage(agent, connection, checks);
    check_way(agent, checks);
    if (asked_us > 0)
        check_clock(asked_us, checks);
    return checks;
}
