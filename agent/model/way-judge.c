#include "config.h"

#include "model/way-judge.h"

/* Clocks that differ by less are set well enough: leases and reports count in seconds. */
#define CLOCK_TOLERANCE_US (5 * G_USEC_PER_SEC)

/* --- versions --------------------------------------------------------------------------------- */

/* Returns: below, at or above 0, as @a is older than, the same as, or newer than @b. */
static int
compare_versions(const char *a, const char *b)
{
    for (int i = 0; i < 3; i++) {
        char *rest_a = NULL;
        char *rest_b = NULL;
        guint64 part_a = g_ascii_strtoull(a, &rest_a, 10);
        guint64 part_b = g_ascii_strtoull(b, &rest_b, 10);

        if (part_a != part_b)
            return part_a < part_b ? -1 : 1;
        a = *rest_a == '.' ? rest_a + 1 : rest_a;
        b = *rest_b == '.' ? rest_b + 1 : rest_b;
    }
    return 0;
}

static void
judge_version(FerryChecks *checks, const char *what, const char *here, const char *there)
{
    if (!here || !there)
        ferry_checks_add(checks, "versions", FERRY_CHECK_WARN, "Use agents of one version",
                         "The version of %s at the %s is not known", what,
                         here ? "destination" : "source");
    else if (compare_versions(there, here) < 0)
        ferry_checks_add(checks, "versions", FERRY_CHECK_WARN,
                         "Update the destination first; migrations to an older version are not "
                         "promised to work",
                         "%s is %s here and %s at the destination, which is older", what, here,
                         there);
    else
        ferry_checks_add(checks, "versions", FERRY_CHECK_PASS, NULL,
                         "%s is %s here and %s at the destination", what, here, there);
}

void
ferry_way_judge_versions(FerryChecks *checks,
                         const FerryHostVersions *here,
                         const FerryHostVersions *there)
{
    judge_version(checks, "libvirt", here->libvirt, there->libvirt);
    judge_version(checks, "QEMU", here->qemu, there->qemu);
}

/* --- clock ------------------------------------------------------------------------------------ */

void
ferry_way_judge_clock(FerryChecks *checks, gint64 asked_us, gint64 answered_us, gint64 there_us)
{
    gint64 early = asked_us - there_us;
    gint64 late = there_us - answered_us;
    gint64 difference_us = MAX(MAX(early, late), 0);
    bool fine = difference_us <= CLOCK_TOLERANCE_US;

    ferry_checks_add(checks, "clock", fine ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     fine ? NULL
                          : "Let both hosts set their clocks (NTP): times of events and "
                            "reports cannot be compared, and guests see a jump",
                     "The destination's clock is %.1f s %s", (double)difference_us / G_USEC_PER_SEC,
                     early > 0 ? "behind" : "ahead");
}

/* --- ports ------------------------------------------------------------------------------------ */

static char *
describe(const FerryProbe *probes, gsize count)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < count; i++)
        g_string_append_printf(text, "%s%u: %s", i > 0 ? ", " : "", probes[i].port,
                               ferry_reach_word(probes[i].reach));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool
is_no_way(FerryReach reach)
{
    return reach == FERRY_REACH_NO_NAME || reach == FERRY_REACH_NO_ROUTE;
}

void
ferry_way_judge_ports(FerryChecks *checks, const FerryProbe *probes, gsize count)
{
    gsize answered = 0;
    gsize no_way = 0;
    g_autofree char *found = describe(probes, count);

    for (gsize i = 0; i < count; i++) {
        answered += ferry_reach_answered(probes[i].reach) ? 1 : 0;
        no_way += is_no_way(probes[i].reach) ? 1 : 0;
    }
    if (answered == count)
        ferry_checks_add(checks, "migration-ports", FERRY_CHECK_PASS, NULL,
                         "Packets pass to QEMU's ports of '%s' (%s)", probes[0].host, found);
    else if (no_way == count)
        ferry_checks_add(checks, "migration-ports", FERRY_CHECK_FAIL,
                         "See that live_migration_inbound_addr of the destination is an address "
                         "that the source has a route to",
                         "'%s' cannot be reached (%s)", probes[0].host, found);
    else
        /* Another range may be set in qemu.conf there: not certain enough to refuse. */
        ferry_checks_add(checks, "migration-ports", FERRY_CHECK_WARN,
                         "Open TCP 49152 to 49215 there for the source, unless migration_port_min "
                         "and _max in its qemu.conf say otherwise",
                         "Packets do not pass to all of QEMU's ports of '%s' (%s)", probes[0].host,
                         found);
}
