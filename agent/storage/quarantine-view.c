/* What the quarantines of this host are, and how they are shown. */
#include "config.h"

#include "ferry/clock.h"
#include "ferry/json.h"
#include "files/held-file.h"
#include "storage/quarantine-private.h"

const FerryQuarantined *
ferry_quarantine_first(const GPtrArray *files)
{
    return g_ptr_array_index(files, 0);
}

FerryQuarantineState
ferry_quarantine_state_of(const GPtrArray *files)
{
    static const FerryQuarantineState order[] = {FERRY_QUARANTINE_INTENDED,
                                                 FERRY_QUARANTINE_RESTORING, FERRY_QUARANTINE_HELD};

    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        for (guint j = 0; j < files->len; j++)
            if (((FerryQuarantined *)g_ptr_array_index(files, j))->state == order[i])
                return order[i];
    return ferry_quarantine_first(files)->state;
}

/* Returns: what the file takes in quarantine; -1 when it is not there. It is only shown: its inode
 * is enough. */
static gint64
held_bytes(const FerryQuarantined *file)
{
    FerryHeldFile info = {0};
    g_autoptr(GError) ignored = NULL;

    return ferry_held_file_info(file->held_path, &info, &ignored) && info.inode == file->inode
               ? (gint64)info.allocation_bytes
               : -1;
}

static json_t *
disks_to_json(const GPtrArray *files, gint64 *ret_sum)
{
    json_t *disks = json_array();

    *ret_sum = 0;
    for (guint i = 0; i < files->len; i++) {
        const FerryQuarantined *file = g_ptr_array_index(files, i);
        gint64 bytes = held_bytes(file);

        *ret_sum += MAX(bytes, 0);
        json_array_append_new(disks, json_pack("{s:o, s:o, s:o}", "path",
                                               ferry_json_text(file->path), "held_path",
                                               ferry_json_text(file->held_path), "allocation_bytes",
                                               bytes >= 0 ? json_integer(bytes) : json_null()));
    }
    return disks;
}

json_t *
ferry_quarantine_to_json(const GPtrArray *files)
{
    const FerryQuarantined *file = ferry_quarantine_first(files);
    g_autofree char *since = ferry_clock_format_iso(file->since_us);
    g_autofree char *until = ferry_clock_format_iso(file->until_us);
    gint64 sum = 0;
    json_t *disks = disks_to_json(files, &sum);

    return json_pack("{s:s, s:{s:o, s:s}, s:o, s:s, s:s, s:s, s:I, s:o, s:o}", "migration_id",
                     file->migration_id, "instance", "name", ferry_json_text(file->instance_name),
                     "uuid", file->instance_uuid, "destination", ferry_json_text(file->destination),
                     "state", ferry_quarantine_state_to_string(ferry_quarantine_state_of(files)),
                     "since", since, "until", until, "held_bytes", (json_int_t)sum, "disks", disks,
                     "detail", ferry_json_text(file->detail));
}

GPtrArray *
ferry_quarantine_by_migration(const GPtrArray *files)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    GPtrArray *group = NULL;

    for (guint i = 0; i < files->len; i++) {
        FerryQuarantined *file = g_ptr_array_index(files, i);

        if (!group ||
            g_strcmp0(ferry_quarantine_first(group)->migration_id, file->migration_id) != 0) {
            group = g_ptr_array_new();
            g_ptr_array_add(groups, group);
        }
        g_ptr_array_add(group, file);
    }
    return groups;
}

json_t *
ferry_quarantine_list(const FerryAgent *agent, const char *instance, GError **error)
{
    g_autoptr(GPtrArray) files = ferry_journal_quarantine_list(agent->journal, NULL, error);
    g_autoptr(GPtrArray) groups = files ? ferry_quarantine_by_migration(files) : NULL;

    if (!groups)
        return NULL;

    json_t *list = json_array();

    for (guint i = 0; i < groups->len; i++) {
        const GPtrArray *group = g_ptr_array_index(groups, i);
        const FerryQuarantined *file = ferry_quarantine_first(group);

        if (!instance || g_strcmp0(instance, file->instance_name) == 0 ||
            g_ascii_strcasecmp(instance, file->instance_uuid) == 0)
            json_array_append_new(list, ferry_quarantine_to_json(group));
    }
    return list;
}

json_t *
ferry_quarantine_sum(const FerryAgent *agent)
{
    g_autoptr(GPtrArray) files = ferry_journal_quarantine_list(agent->journal, NULL, NULL);
    gint64 sum = 0;
    json_t *disks = files ? disks_to_json(files, &sum) : json_array();
    json_t *answer = json_pack("{s:I, s:I}", "disks", (json_int_t)json_array_size(disks),
                               "held_bytes", (json_int_t)sum);

    json_decref(disks);
    return answer;
}
