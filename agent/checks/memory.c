#include "config.h"

#include "checks/memory.h"

#include "checks/incoming-instances.h"
#include "journal/journal.h"
#include "storage/space-book.h"
#include "virt/domain-state.h"
#include "virt/host.h"

void
ferry_memory_info_clear(FerryMemoryInfo *info)
{
    g_clear_pointer(&info->arrived, g_hash_table_unref);
}

bool
ferry_memory_info_get(const FerryAgent *agent,
                      virConnectPtr connection,
                      FerryMemoryInfo *ret_info,
                      GError **error)
{
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(agent->journal, error);
    g_autoptr(GHashTable) arrived = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint64 available_bytes = 0;

    if (!open)
        return false;
    for (guint i = 0; i < open->len; i++) {
        const FerryRecord *record = g_ptr_array_index(open, i);
        FerryObservedState observed = ferry_virt_domain_observe(connection, record->instance_uuid);

        if (observed == FERRY_OBSERVED_RUNNING || observed == FERRY_OBSERVED_PAUSED)
            g_hash_table_add(arrived, g_strdup(record->instance_uuid));
    }
    /* After them: one that arrives meanwhile is counted twice rather than not at all. */
    if (!ferry_virt_host_free_memory(connection, &available_bytes, error))
        return false;
    *ret_info = (FerryMemoryInfo){available_bytes, g_steal_pointer(&arrived)};
    return true;
}

guint64
ferry_memory_promised(const GPtrArray *open, const char *uuid, GHashTable *arrived)
{
    g_autoptr(GPtrArray) others = ferry_incoming_others(open, uuid);
    guint64 sum = 0;

    for (guint i = 0; i < others->len; i++) {
        const FerryInstance *other = g_ptr_array_index(others, i);

        if (ferry_instance_is_shut_off(other) || g_hash_table_contains(arrived, other->uuid))
            continue;
        if (!g_uint64_checked_add(&sum, sum, other->memory_bytes))
            return G_MAXUINT64;
    }
    return sum;
}

void
ferry_check_memory(const FerryAgent *agent,
                   const FerryInstance *instance,
                   const FerryMemoryInfo *info,
                   FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(agent->journal, &error);

    if (!open) {
        ferry_checks_add_error(checks, "memory", error);
        return;
    }

    FerrySpaceQuestion question = {
        .available_bytes = info->available_bytes,
        .others_bytes = ferry_memory_promised(open, instance->uuid, info->arrived),
        .wanted_bytes = instance->memory_bytes,
    };
    bool fits = ferry_space_fits(&question);

    ferry_checks_add(checks, "memory", fits ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     fits ? NULL : "Choose another host, or move something away",
                     "The instance has %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT
                     " MiB are available here, %" G_GUINT64_FORMAT
                     " MiB of them promised to other incoming migrations",
                     question.wanted_bytes >> 20, question.available_bytes >> 20,
                     question.others_bytes >> 20);
}
