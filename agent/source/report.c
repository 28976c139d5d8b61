#include "config.h"

#include "source/report.h"

#include "ferry/clock.h"
#include "ferry/json.h"
#include "model/storage-strategy.h"

json_t *
ferry_source_report_transfer(const FerryTransferResult *result)
{
    return json_pack("{s:I, s:I, s:I, s:o}", "moved_bytes", (json_int_t)result->moved_bytes,
                     "disk_phase_ms", (json_int_t)result->disk_ms, "memory_phase_ms",
                     (json_int_t)result->memory_ms, "downtime_ms",
                     result->summary.valid ? json_integer((json_int_t)result->summary.downtime_ms)
                                           : json_null());
}

/* Returns: (transfer none) (nullable): what the destination says of that disk. */
static json_t *
find_disk(const json_t *disks, const char *target)
{
    json_t *disk = NULL;
    gsize index = 0;

    json_array_foreach((json_t *)disks, index, disk)
        if (g_strcmp0(ferry_json_get_string(disk, "target"), target) == 0)
            return disk;
    return NULL;
}

static json_t *
value_or_null(json_t *value)
{
    return value ? json_incref(value) : json_null();
}

static json_t *
report_disk(const FerryInstance *instance, const FerryDisk *disk, const json_t *arrived)
{
    const json_t *after = find_disk(arrived, disk->target);

    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:s, s:o}", "target",
                     ferry_json_text(disk->target), "path", ferry_json_text(disk->source), "format",
                     ferry_json_text(disk->format), "capacity_bytes",
                     (json_int_t)disk->capacity_bytes, "allocation_before_bytes",
                     (json_int_t)disk->allocation_bytes, "allocation_after_bytes",
                     value_or_null(json_object_get(after, "allocation_bytes")), "destination_path",
                     value_or_null(json_object_get(after, "path")), "destination_format",
                     value_or_null(json_object_get(after, "format")), "strategy",
                     ferry_storage_strategy_of(instance, disk), "strategy_why",
                     ferry_json_text(disk->strategy_why));
}

static json_t *
report_disks(const FerryInstance *instance, const json_t *arrived)
{
    json_t *disks = json_array();

    for (guint i = 0; instance && i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate)
            json_array_append_new(disks, report_disk(instance, disk, arrived));
    }
    return disks;
}

/* Both sides measure the downtime; the source's is the whole of it, the destination's the fallback
 * of a migration whose source agent was not there to hear it. */
static json_t *
report_downtime(const json_t *transfer, const json_t *arrival)
{
    json_t *ours = json_object_get(transfer, "downtime_ms");
    json_t *theirs = json_object_get(arrival, "downtime_ms");

    if (json_is_integer(ours))
        return json_incref(ours);
    return json_is_integer(theirs) ? json_incref(theirs) : json_null();
}

json_t *
ferry_source_report_make(const FerryRecord *record, const FerryInstance *instance, json_t *steps)
{
    const json_t *arrival = json_object_get(record->report, "arrival");
    json_t *report = record->report ? json_copy(record->report) : json_object();

    json_object_set_new(report, "downtime_ms", report_downtime(record->report, arrival));
    json_object_set_new(report, "disks", report_disks(instance, json_object_get(arrival, "disks")));
    json_object_del(report, "arrival");
    json_object_del(report, "told_switchover");
    /* Of one that never came to its transfer there is but half a measurement. */
    if (!json_object_get(json_object_get(report, "disk_writes"), "mode"))
        json_object_del(report, "disk_writes");
    json_object_set(report, "steps", steps);
    json_object_set_new(
        report, "total_ms",
        json_integer((json_int_t)(ferry_clock_now_us() - record->created_us) / 1000));
    json_object_set_new(report, "offline",
                        json_boolean(instance && ferry_instance_is_shut_off(instance)));
    json_object_set_new(report, "storage_strategy",
                        json_string(ferry_storage_strategy_word(instance)));
    return report;
}
