#include "config.h"

#include "checks/way.h"

#include "checks/libvirt-way.h"
#include "checks/port-offer.h"
#include "ferry/clock.h"
#include "ferry/json.h"
#include "model/migrate-data.h"
#include "model/way-judge.h"
#include "virt/auto.h"
#include "virt/host.h"

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

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s, s:[s, s], s:[s, s]}", "host", ferry_json_text(config->host),
        "libvirt_uri", ferry_json_text(libvirt_uri), "migrate_uri", ferry_json_text(migrate_uri),
        "libvirt_version", ferry_json_text(libvirt), "qemu_version", ferry_json_text(qemu), "at",
        at, "keeps", FERRY_WAY_KEEPS_AUTOSTART, FERRY_WAY_KEEPS_MEDIA, "seeds", "raw", "qcow2");
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
    gint64 at_us = ferry_clock_parse_iso(ferry_json_get_string(data, "at"));

    if (at_us != 0)
        ferry_way_judge_clock(checks, way->asked_us, way->answered_us, at_us);
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

    ferry_libvirt_way_aim(&probe, libvirt);
    ferry_port_offer_ask(agent, way, address, &offer);
    ferry_port_offer_try(way, &offer, &probe);
    ferry_libvirt_way_judge("The destination's libvirt", text, &probe, checks);
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
