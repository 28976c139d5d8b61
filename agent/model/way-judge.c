#include "config.h"

#include "model/way-judge.h"

#include "model/libvirt-fault.h"
#include "model/memory-way.h"

#include <string.h>

/* The program may have been replaced since the instance was started. */
static const char *
name_of(const char *version)
{
    return version ? version : "of unknown version";
}

/* --- versions --------------------------------------------------------------------------------- */

static void
judge_version(FerryChecks *checks, const char *what, const char *here, const char *there)
{
    if (!here || !there)
        ferry_checks_add(checks, "versions", FERRY_CHECK_WARN, "Use agents of one version",
                         "The version of %s at the %s is not known", what,
                         here ? "destination" : "source");
    else if (ferry_version_compare(there, here) < 0)
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

void
ferry_way_judge_post_copy(FerryChecks *checks, const FerryHostVersions *there)
{
    if (ferry_libvirt_fault_resume(there->libvirt))
        ferry_checks_add(checks, "versions", FERRY_CHECK_WARN,
                         "Leave post_copy out, or update libvirt there to 11.4 or newer",
                         "libvirt %s at the destination does not survive it when a post-copy that "
                         "broke off is taken up again: a link that fails in that phase leaves the "
                         "instance in two halves",
                         there->libvirt);
}

void
ferry_way_judge_connections(FerryChecks *checks,
                            const FerryOrderOptions *options,
                            const FerryHostVersions *here,
                            const FerryHostVersions *there)
{
    const FerryHostVersions *refuser = ferry_memory_way_refuser(here, there);

    if (refuser && options->post_copy && options->parallel_connections > 1)
        ferry_checks_add(checks, "post-copy", FERRY_CHECK_FAIL,
                         "Leave post_copy or parallel_connections out, or update QEMU to 10.1 or "
                         "newer",
                         "QEMU %s %s does no post-copy over several connections, or loses the "
                         "instance by it",
                         name_of(refuser->qemu), refuser == there ? "at the destination" : "here");
}

/* --- TLS -------------------------------------------------------------------------------------- */

#define LIBVIRT_PASSES_PRIORITY "11.6.0"
/* The ciphers with which TLS makes new keys by itself, one of them for all. */
#define WITHOUT_NEW_KEYS "-AES-256-GCM"

void
ferry_way_judge_tls(FerryChecks *checks,
                    const FerryInstance *instance,
                    const FerryOrderOptions *options,
                    const char *priority)
{
    bool may_set = ferry_version_is_at_least(instance->libvirt_version, LIBVIRT_PASSES_PRIORITY);
    bool is_set = may_set && priority && strstr(priority, WITHOUT_NEW_KEYS);

    if (!options->tls || options->parallel_connections > 1 || is_set ||
        instance->memory_bytes <= FERRY_MEMORY_WAY_LARGE_BYTES ||
        ferry_instance_is_shut_off(instance) ||
        ferry_memory_way_tls_is_sound(instance->qemu_version))
        return;
    ferry_checks_add(checks, "tls", FERRY_CHECK_WARN,
                     may_set ? "Order parallel_connections 2 or more, or set migrate_tls_priority "
                               "in qemu.conf here: NORMAL:-AES-256-GCM:-AES-128-GCM:-AES-128-CCM"
                             : "Order parallel_connections 2 or more",
                     "QEMU %s here may crash, and the instance with it, once one encrypted "
                     "connection has carried about 64 GiB, and '%s' has much memory",
                     name_of(instance->qemu_version), instance->name);
}

/* --- virtqueues ------------------------------------------------------------------------------- */

/* Debian's QEMU 10.0.13 makes all queues so long, 10.0.2 did not, and 11.1 looks at the length when
 * it loads a guest. What was booted elsewhere, and came here, has others; only QEMU can tell. */
#define LONG_QUEUES_FROM "10.0.3"
#define LONG_QUEUES_BEFORE "10.1.0"
#define QEMU_REFUSES_THEM "11.1.0"

bool
ferry_way_may_bring_long_queues(const FerryInstance *instance,
                                const FerryHostVersions *here,
                                const FerryHostVersions *there)
{
    return !ferry_instance_is_shut_off(instance) && instance->domain_xml &&
           strstr(instance->domain_xml, "virtio") &&
           !ferry_version_is_at_least(here->qemu, QEMU_REFUSES_THEM) &&
           ferry_version_is_at_least(there->qemu, QEMU_REFUSES_THEM);
}

bool
ferry_way_has_long_queues(const FerryInstance *instance,
                          const FerryHostVersions *here,
                          const FerryHostVersions *there)
{
    return ferry_way_may_bring_long_queues(instance, here, there) &&
           !ferry_version_is_before(here->qemu, LONG_QUEUES_FROM) &&
           !ferry_version_is_at_least(here->qemu, LONG_QUEUES_BEFORE);
}

void
ferry_way_judge_virtqueues(FerryChecks *checks,
                           const FerryInstance *instance,
                           const FerryHostVersions *there,
                           const FerryQueuesSeen *seen)
{
    if (!seen->asked)
        ferry_checks_add(
            checks, "virtqueues", FERRY_CHECK_WARN,
            "If it was booted under this QEMU: move it shut off, or update QEMU here and boot it "
            "anew first. If it was booted under another one and came here since, it passes",
            "QEMU %s here may have given '%s' virtqueues of 1024 entries at its boot; QEMU %s "
            "there then refuses to load it, after its disks were copied (%s)",
            name_of(instance->qemu_version), instance->name, there->qemu, seen->why);
    else if (seen->found)
        ferry_checks_add(checks, "virtqueues", FERRY_CHECK_FAIL,
                         "Move it shut off; or update QEMU here and boot it anew first",
                         "On QEMU %s here queues of '%s' are longer than it is defined with (%s); "
                         "QEMU %s there refuses to load it",
                         name_of(instance->qemu_version), instance->name, seen->found, there->qemu);
    else
        ferry_checks_add(checks, "virtqueues", FERRY_CHECK_PASS, NULL,
                         "QEMU here says that the queues of '%s' are as long as it is defined with",
                         instance->name);
}

/* --- clock ------------------------------------------------------------------------------------ */

void
ferry_way_judge_clock(FerryChecks *checks, gint64 asked_us, gint64 answered_us, gint64 there_us)
{
    gint64 early = asked_us - there_us;
    gint64 late = there_us - answered_us;
    gint64 difference_us = MAX(MAX(early, late), 0);
    bool fine = difference_us <= FERRY_CLOCK_TOLERANCE_US;

    ferry_checks_add(checks, "clock", fine ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     fine ? NULL
                          : "Let both hosts set their clocks (NTP): times of events and "
                            "reports cannot be compared, and guests see a jump",
                     "The destination's clock is %.1f s %s", (double)difference_us / G_USEC_PER_SEC,
                     early > 0 ? "behind" : "ahead");
}

/* --- ports ------------------------------------------------------------------------------------ */

static char *
describe(const FerryPortsSeen *seen)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < seen->count; i++)
        g_string_append_printf(text, "%s%u: %s", i > 0 ? ", " : "", seen->probes[i].port,
                               ferry_reach_word(seen->probes[i].reach));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gsize
count_reach(const FerryPortsSeen *seen, FerryReach reach)
{
    gsize count = 0;

    for (gsize i = 0; i < seen->count; i++)
        count += seen->probes[i].reach == reach ? 1 : 0;
    return count;
}

static void
warn_of_ports(FerryChecks *checks, const FerryPortsSeen *seen, const char *found)
{
    g_autofree char *hint =
        g_strdup_printf("Open TCP %u to %u of '%s' for the source: QEMU's ports for memory and "
                        "disks, as migration_port_min and _max in its qemu.conf say",
                        seen->first, seen->last, seen->address);

    /* A part of the range may do for a migration: not certain enough to refuse. */
    ferry_checks_add(checks, "migration-ports", FERRY_CHECK_WARN, hint,
                     "Not all of QEMU's ports of '%s' can be reached (%s)", seen->address, found);
}

void
ferry_way_judge_ports(FerryChecks *checks, const FerryPortsSeen *seen)
{
    g_autofree char *found = describe(seen);

    if (seen->count == 0)
        ferry_checks_add(
            checks, "migration-ports", FERRY_CHECK_WARN,
            "Check again; with agents of one version on both hosts the ports are tried "
            "once the destination can spare one",
            "It is not proven that QEMU's ports of '%s' can be reached: %.200s", seen->address,
            seen->why);
    else if (count_reach(seen, FERRY_REACH_OPEN) == seen->count)
        ferry_checks_add(checks, "migration-ports", FERRY_CHECK_PASS, NULL,
                         "The range of QEMU's ports of '%s' is reached (%s)", seen->address, found);
    else if (count_reach(seen, FERRY_REACH_NO_NAME) + count_reach(seen, FERRY_REACH_NO_ROUTE) ==
             seen->count)
        ferry_checks_add(checks, "migration-ports", FERRY_CHECK_FAIL,
                         "See that live_migration_inbound_addr of the destination is an address "
                         "that the source has a route to",
                         "'%s' cannot be reached (%s)", seen->address, found);
    else
        warn_of_ports(checks, seen, found);
}

static bool
names(const json_t *list, const char *what)
{
    gsize index = 0;
    json_t *word = NULL;

    json_array_foreach(list, index, word)
        if (g_strcmp0(json_string_value(word), what) == 0)
            return true;
    return false;
}

void
ferry_way_judge_keeps(FerryChecks *checks, const FerryInstance *instance, const json_t *keeps)
{
    if (instance->autostart && !names(keeps, FERRY_WAY_KEEPS_AUTOSTART))
        ferry_checks_add(checks, "destination-agent", FERRY_CHECK_WARN,
                         "Upgrade virt-ferryd there; or turn it on there by hand after the move: "
                         "virsh autostart",
                         "The agent there is of an earlier version, which does not keep the "
                         "autostart of '%s'",
                         instance->name);
    if (instance->persistent_disks->len > 0 && !names(keeps, FERRY_WAY_KEEPS_MEDIA))
        ferry_checks_add(checks, "destination-agent", FERRY_CHECK_FAIL,
                         "Upgrade virt-ferryd there; or eject the medium from the definition, too: "
                         "virsh change-media INSTANCE TARGET --eject --config",
                         "The agent there is of an earlier version, which does not take along the "
                         "media that only the persistent definition of '%s' names: it would not "
                         "start there again",
                         instance->name);
}

void
ferry_way_judge_seeds(FerryChecks *checks,
                      const FerryInstance *instance,
                      const FerryOrderOptions *options,
                      const json_t *seeds)
{
    if (options->storage_strategy != FERRY_STORAGE_SEEDED)
        return;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->seed_wanted && !names(seeds, disk->format))
            ferry_checks_add(checks, "storage-strategy", FERRY_CHECK_FAIL,
                             "Upgrade virt-ferryd there, or leave storage_strategy at \"auto\"",
                             "Disk \"%s\" cannot be seeded: the destination's agent is of before "
                             "it took %s images as seeds",
                             disk->target, disk->format);
    }
}
