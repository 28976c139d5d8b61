#include "config.h"

#include "checks/libvirt-way.h"

#include "checks/client-key.h"
#include "runtime/bounded-call.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

#include <unistd.h>

/* Returns: 0 for a transport that does not listen at a port of its own. */
static guint16
port_of(GUri *uri)
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

void
ferry_libvirt_way_aim(FerryProbe *probe, GUri *uri)
{
    if (!uri || !g_uri_get_host(uri))
        return;
    probe->host = g_uri_get_host(uri);
    probe->port = port_of(uri);
}

static bool
open_and_close(gpointer uri, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect_to(uri, NULL, error);

    return connection != NULL;
}

/* Returns: (transfer full): what to do about @text, which did not let the agent in.
 * @ret_certain: libvirtd on this host, which connects with root's certificates, is not let in,
 * either; what an agent with fewer rights finds is a warning only. */
static char *
way_out(const char *text, bool *ret_certain)
{
    bool absent = false;
    g_autofree char *key = ferry_client_key_hint(text, FERRY_CLIENT_KEY, &absent);

    *ret_certain = absent || geteuid() == 0;
    return key ? g_steal_pointer(&key)
               : g_strdup_printf("Try it as root on the source: virsh -c '%s' version. With TLS "
                                 "the name in it has to be one of the destination's certificate",
                                 text);
}

static void
greet(const char *whose, const char *text, FerryChecks *checks)
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
                         "%s answers at '%s'", whose, text);
        return;
    }
    bool certain = false;
    g_autofree char *hint = way_out(text, &certain);

    ferry_checks_add(checks, "destination-libvirt", certain ? FERRY_CHECK_FAIL : FERRY_CHECK_WARN,
                     hint, "%s at '%s': %s", whose, text, error->message);
}

static void
say_closed(const char *whose, const char *text, const FerryProbe *probe, FerryChecks *checks)
{
    ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_FAIL,
                     probe->reach == FERRY_REACH_CLOSED
                         ? ferry_libvirt_hint(FERRY_LIBVIRT_FAR_IS_CLOSED)
                         : "See that the address is right and that no firewall is in between",
                     "%s at '%s' cannot be reached: port %u of '%s': %s", whose, text, probe->port,
                     probe->host, ferry_reach_word(probe->reach));
}

void
ferry_libvirt_way_judge(const char *whose,
                        const char *text,
                        const FerryProbe *probe,
                        FerryChecks *checks)
{
    if (probe->port == 0)
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_WARN,
                         "Try it as root on the source: virsh -c URI version",
                         "'%s' was not tried: it names no port", text);
    else if (probe->reach != FERRY_REACH_OPEN)
        say_closed(whose, text, probe, checks);
    else if (g_str_has_prefix(text, "qemu+ssh:"))
        ferry_checks_add(checks, "destination-libvirt", FERRY_CHECK_PASS, NULL,
                         "The port %u of '%s' is open; logging in by ssh was not tried",
                         probe->port, probe->host);
    else
        greet(whose, text, checks);
}
