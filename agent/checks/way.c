#include "config.h"

#include "checks/way.h"

#include "checks/port-offer.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "model/migrate-data.h"
#include "model/way-judge.h"
#include "runtime/bounded-call.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/host.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

#include <unistd.h>

/* --- what a destination tells ----------------------------------------------------------------- */

json_t *
ferry_way_check_data(const FerryAgent *agent, virConnectPtr connection)
{
    const FerryConfig *config = agent->config;
    const char *address = config->live_migration_inbound_addr;
    g_autofree char *libvirt_uri = ferry_migrate_data_libvirt_uri(config, address);
    g_autofree char *migrate_uri = ferry_migrate_data_migrate_uri(address);
    g_autofree char *libvirt = ferry_virt_host_libvirt_version(connection);
    g_autofree char *qemu = ferry_virt_host_qemu_version(connection);

    g_autofree char *at = ferry_clock_format_iso(ferry_clock_now_us());

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:[s, s]}", "host",
                     ferry_json_text(config->host), "libvirt_uri", ferry_json_text(libvirt_uri),
                     "migrate_uri", ferry_json_text(migrate_uri), "libvirt_version",
                     ferry_json_text(libvirt), "qemu_version", ferry_json_text(qemu), "at", at,
                     "keeps", FERRY_WAY_KEEPS_AUTOSTART, FERRY_WAY_KEEPS_MEDIA);
}

/* --- versions and clock ----------------------------------------------------------------------- */

static void
check_versions(virConnectPtr connection, const json_t *data, FerryChecks *checks)
{
    g_autofree char *libvirt = ferry_virt_host_libvirt_version(connection);
    g_autofree char *qemu = ferry_virt_host_qemu_version(connection);
    FerryHostVersions here = {libvirt, qemu};
    FerryHostVersions there = {ferry_json_get_string(data, "libvirt_version"),
                               ferry_json_get_string(data, "qemu_version")};

    ferry_way_judge_versions(checks, &here, &there);
}

static void
check_clock(const json_t *data, const FerryWay *way, FerryChecks *checks)
{
    const char *text = ferry_json_get_string(data, "at");
    g_autoptr(GDateTime) at = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    if (at)
        ferry_way_judge_clock(checks, way->asked_us, way->answered_us,
                              g_date_time_to_unix(at) * G_USEC_PER_SEC +
                                  g_date_time_get_microsecond(at));
}

/* --- the destination's libvirt ---------------------------------------------------------------- */

/* Returns: 0 for a transport that does not listen at a port of its own. */
static guint16
libvirt_port(GUri *uri)
{
    static const struct {
        const char *scheme;
        guint16 port;
    } ports[] = {{"qemu+tls", 16514}, {"qemu+tcp", 16509}, {"qemu+ssh", 22}};

    for (gsize i = 0; i < G_N_ELEMENTS(ports); i++)
        if (g_strcmp0(g_uri_get_scheme(uri), ports[i].scheme) == 0)
            return g_uri_get_port(uri) > 0 ? (guint16)g_uri_get_port(uri) : ports[i].port;
    return 0;
}

static bool
open_and_close(gpointer uri, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect_to(uri, NULL, error);

    return connection != NULL;
}

/* libvirtd on this host connects with root's certificates: what an agent with fewer rights finds is
 * a warning only. */
static void
check_greeting(const char *text, FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    FerryDetachedWork work = {.thread = "vf-greeting",
                              .func = open_and_close,
                              .data = g_strdup(text),
                              .free_data = g_free};
    g_autofree char *uri = ferry_bounded_call(
        &work, FERRY_GREETING_LIMIT_S, "Connecting to the destination's libvirt", NULL, &error);

    if (uri) {
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_PASS, NULL,
                         "The destination's libvirt answers at '%s'", text);
        return;
    }
    g_autofree char *hint =
        g_strdup_printf("Try it as root on the source: virsh -c '%s' version. With TLS the name in "
                        "it has to be one of the destination's certificate",
                        text);
    ferry_checks_add(checks, "destination-libvirt",
                     geteuid() == 0 ? FERRY_CHECK_FAIL : FERRY_CHECK_WARN, hint,
                     "The destination's libvirt at '%s': %s", text, error->message);
}

static void
check_closed(const char *text, const FerryProbe *probe, FerryChecks *checks)
{
    ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_FAIL,
                     probe->reach == FERRY_REACH_CLOSED
                         ? ferry_libvirt_hint(FERRY_LIBVIRT_FAR_IS_CLOSED)
                         : "See that the address is right and that no firewall is in between",
                     "The destination's libvirt at '%s' cannot be reached: port %u of '%s': %s",
                     text, probe->port, probe->host, ferry_reach_word(probe->reach));
}

static void
check_libvirt(const char *text, const FerryProbe *probe, FerryChecks *checks)
{
    if (probe->port == 0)
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_WARN,
                         "Try it as root on the source: virsh -c URI version",
                         "'%s' was not tried: it names no port", text);
    else if (probe->reach != FERRY_REACH_OPEN)
        check_closed(text, probe, checks);
    else if (g_str_has_prefix(text, "qemu+ssh:"))
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_PASS, NULL,
                         "The port %u of '%s' is open; logging in by ssh was not tried",
                         probe->port, probe->host);
    else
        check_greeting(text, checks);
}

/* --- ports ------------------------------------------------------------------------------------ */

static void
check_ports(const FerryAgent *agent,
            const FerryWay *way,
            const FerryMigrateData *there,
            FerryChecks *checks)
{
    const char *text = there->libvirt_uri;
    g_autoptr(GUri) libvirt = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    g_autoptr(GUri) migrate = g_uri_parse(there->migrate_uri, G_URI_FLAGS_NONE, NULL);
    const char *address = g_uri_get_host(migrate);
    FerryProbe probe = {.limit_ms = way->limit_ms};
    g_auto(FerryPortOffer) offer = {0};

    if (libvirt && g_uri_get_host(libvirt)) {
        probe.host = g_uri_get_host(libvirt);
        probe.port = libvirt_port(libvirt);
    }
    ferry_port_offer_ask(agent, way, address, &offer);
    ferry_port_offer_try(way, &offer, &probe);
    check_libvirt(text, &probe, checks);
    ferry_port_offer_judge(&offer, address, checks);
}

void
ferry_way_check_run(const FerryAgent *agent,
                    virConnectPtr connection,
                    const FerryWay *way,
                    const json_t *data,
                    FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryMigrateData) there = ferry_migrate_data_from_json(data, &error);

    check_versions(connection, data, checks);
    check_clock(data, way, checks);
    if (!json_is_object(data))
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_WARN,
                         "Use agents of one version",
                         "The destination does not say where its libvirt is reached");
    else if (!there || !ferry_migrate_data_check(there, agent->config, &error))
        /* The URIs are a stranger's: nothing but plain ones is opened. */
        ferry_checks_add_error(checks, "destination-libvirt", error);
    else
        check_ports(agent, way, there, checks);
}
