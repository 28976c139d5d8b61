#include "config.h"

#include "checks/host.h"

#include "checks/incoming-instances.h"
#include "checks/memory.h"
#include "journal/journal.h"
#include "virt/host.h"
#include "virt/presence.h"
#include "virt/virt.h"

#include <string.h>

static void
check_machine(const FerryCheckScene *scene)
{
    const FerryInstance *instance = scene->instance;
    g_autoptr(GError) error = NULL;

    if (ferry_virt_host_knows_machine(scene->connection, instance, &error))
        ferry_checks_add(scene->checks, "machine", FERRY_CHECK_PASS, NULL,
                         "%s %s with %s is known here", instance->virt_type, instance->machine,
                         instance->emulator);
    else
        ferry_checks_add_error(scene->checks, "machine", error);
}

static void
check_cpu(const FerryCheckScene *scene)
{
    g_autoptr(GError) error = NULL;
    /* Of a guest without KVM libvirt compares with what QEMU emulates, not with the processor. */
    bool emulated = g_strcmp0(scene->instance->virt_type, "qemu") == 0;
    FerryCpuMatch match = ferry_virt_host_compare_cpu(scene->connection, scene->instance, &error);

    switch (match) {
    case FERRY_CPU_FITS:
        ferry_checks_add(scene->checks, "cpu", FERRY_CHECK_PASS, NULL,
                         emulated ? "The guest's CPU can be emulated here, with all its features"
                                  : "The guest's CPU is available here, with all its features");
        break;
    case FERRY_CPU_NOT_COMPARABLE:
        ferry_checks_add(scene->checks, "cpu", FERRY_CHECK_WARN,
                         "Use hosts of one kind, or a named CPU model in the domain",
                         "The guest has the source host's own CPU (host-passthrough) or none; it "
                         "cannot be compared beforehand");
        break;
    case FERRY_CPU_DIFFERS:
        ferry_checks_add_error(scene->checks, "cpu", error);
        break;
    }
}

static void
check_memory(const FerryCheckScene *scene)
{
    g_auto(FerryMemoryInfo) info = {0};
    g_autoptr(GError) error = NULL;

    if (ferry_memory_info_get(scene->agent, scene->connection, &info, &error))
        ferry_check_memory(scene->agent, scene->instance, &info, scene->checks);
    else
        ferry_checks_add_error(scene->checks, "memory", error);
}

/* The size that <hugepages/> means without saying it. */
static guint64
default_huge_page_bytes(void)
{
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
        line = strstr(text, "Hugepagesize:");
    return line ? g_ascii_strtoull(line + strlen("Hugepagesize:"), NULL, 10) * 1024 : 0;
}

static void
check_huge_pages(const FerryCheckScene *scene, guint64 size_bytes)
{
    guint64 count = 0;
    g_autoptr(GError) error = NULL;

    if (!ferry_virt_free_huge_pages(scene->connection, size_bytes, &count, &error)) {
        ferry_checks_add_error(scene->checks, "huge-pages", error);
        return;
    }

    /* With several sizes the XML divides the memory by cells; each size is asked for a page
     * then. */
    bool alone = scene->needs->huge_pages->len == 1;
    guint64 needed = alone ? (scene->instance->memory_bytes + size_bytes - 1) / size_bytes : 1;
    bool fits = needed <= count;

    ferry_checks_add(scene->checks, "huge-pages", fits ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     fits ? NULL
                          : "Set huge pages aside there (virsh allocpages), or choose another "
                            "host",
                     "The instance needs %" G_GUINT64_FORMAT " huge pages of %" G_GUINT64_FORMAT
                     " KiB, %" G_GUINT64_FORMAT " are free here",
                     needed, size_bytes >> 10, count);
}

static void
check_all_huge_pages(const FerryCheckScene *scene)
{
    for (guint i = 0; scene->needs && i < scene->needs->huge_pages->len; i++) {
        guint64 wanted = g_array_index(scene->needs->huge_pages, guint64, i);
        guint64 size_bytes = wanted > 0 ? wanted : default_huge_page_bytes();

        if (size_bytes > 0)
            check_huge_pages(scene, size_bytes);
    }
}

static void
check_slots(const FerryCheckScene *scene)
{
    guint limit = scene->agent->config->max_concurrent_incoming;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(scene->agent->journal, &error);

    if (!open) {
        ferry_checks_add_error(scene->checks, "incoming-slots", error);
        return;
    }

    guint used = ferry_incoming_slots(scene->agent, open);
    bool free = limit == 0 || used < limit;

    ferry_checks_add(scene->checks, "incoming-slots", free ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                     free ? NULL : "The migration waits until one is free",
                     "%u of %u incoming migrations are open", used, limit);
}

void
ferry_check_machine(const FerryCheckScene *scene)
{
    check_machine(scene);
    check_cpu(scene);
    check_all_huge_pages(scene);
}

void
ferry_check_room(const FerryCheckScene *scene)
{
    check_memory(scene);
    check_slots(scene);
}
