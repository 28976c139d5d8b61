#include "config.h"

#include "report.h"

#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "progress-line.h"
#include "table.h"
#include "words.h"

static void
print_fact(const char *name, const char *text)
{
    if (text)
        ferry_say_fact(name, text);
}

/* Returns: (transfer full) (nullable): the duration under @key. */
static char *
duration_of(const json_t *object, const char *key)
{
    gint64 duration_ms = ferry_json_get_int(object, key, -1);

    return duration_ms >= 0 ? ferry_format_duration(duration_ms) : NULL;
}

static char *
size_of(const json_t *object, const char *key)
{
    gint64 bytes = ferry_json_get_int(object, key, -1);

    return bytes >= 0 ? ferry_format_size(bytes) : NULL;
}

static void
print_time(const json_t *record, const char *name, const char *key)
{
    const char *iso = ferry_json_get_string(record, key);

    if (!iso)
        return;
    g_autofree char *time = ferry_format_time(iso);
    g_autofree char *text = g_strdup_printf("%s UTC", time);
    ferry_say_fact(name, text);
}

static void
print_progress(const json_t *record)
{
    if (!json_is_object(json_object_get(record, "progress")))
        return;
    g_autofree char *text = ferry_progress_line_render(record, /* columns= */ 0);
    print_fact("progress", text);
}

/* What holds for a migration that is not over, or was changed by order. */
static void
print_limits(const json_t *parameters)
{
    gint64 bandwidth_mibps = ferry_json_get_int(parameters, "bandwidth_mib_s", -1);
    g_autofree char *downtime = duration_of(parameters, "downtime_ms");
    g_autofree char *pause = duration_of(parameters, "max_pause_ms");
    g_autofree char *limit =
        bandwidth_mibps > 0 ? g_strdup_printf("%" G_GINT64_FORMAT " MiB/s", bandwidth_mibps) : NULL;

    print_fact("bandwidth", bandwidth_mibps == 0 ? "no limit" : limit);
    print_fact("max downtime", downtime);
    print_fact("max pause", pause);
    print_fact("policy", ferry_json_get_string(parameters, "policy"));
}

static void
print_wait(const json_t *waits_for)
{
    const char *host = ferry_json_get_string(waits_for, "slot_of");
    const json_t *before = json_object_get(waits_for, "before");
    g_autoptr(GString) text = g_string_new(NULL);
    size_t index = 0;
    const json_t *each = NULL;

    if (!host)
        return;
    g_string_append_printf(text, "a free slot of %s%s", host,
                           json_array_size(before) > 0 ? ", after " : "");
    json_array_foreach(before, index, each) {
        const char *name = ferry_json_get_string(each, "instance");

        g_string_append_printf(text, "%s%s", index > 0 ? ", " : "", name ? name : "?");
    }
    print_fact("waits for", text->str);
}

void
ferry_report_print_record(const json_t *record)
{
    const json_t *instance = json_object_get(record, "instance");

    print_fact("migration", ferry_json_get_string(record, "migration_id"));
    print_fact("instance", ferry_json_get_string(instance, "name"));
    print_fact("uuid", ferry_json_get_string(instance, "uuid"));
    print_fact("role", ferry_json_get_string(record, "role"));
    print_fact("source", ferry_json_get_string(record, "source"));
    print_fact("destination", ferry_json_get_string(record, "destination"));
    print_fact("status", ferry_json_get_string(record, "status"));
    print_fact("phase", ferry_json_get_string(record, "phase"));
    print_wait(json_object_get(record, "waits_for"));
    print_progress(record);
    print_fact("priority", ferry_json_get_string(record, "priority"));
    print_limits(json_object_get(record, "parameters"));
    print_time(record, "created", "created_at");
    print_time(record, "updated", "updated_at");
    print_time(record, "ended", "ended_at");
    print_time(record, "expires", "expires_at");
    ferry_report_print_outcome(record);
}

static void
print_error(const json_t *error)
{
    const char *code = ferry_json_get_string(error, "code");
    const char *message = ferry_json_get_string(error, "message");

    if (!message)
        return;
    g_autofree char *plain = ferry_words_translate(message);
    g_autofree char *text = g_strdup_printf("%s: %s", code ? code : "?", plain);
    g_autofree char *hint = ferry_words_translate(ferry_json_get_string(error, "hint"));
    print_fact("error", text);
    print_fact("hint", hint);
}

/* The step `transfer` is done when libvirt's call has returned, whatever it returned. */
static const char *
state_of(const json_t *step, const char *status)
{
    const char *state = ferry_json_get_string(step, "state");
    bool moved = g_strcmp0(status, "failed") != 0 && g_strcmp0(status, "cancelled") != 0;
    bool unclear = g_strcmp0(ferry_json_get_string(step, "name"), "transfer") == 0 &&
                   g_strcmp0(state, "done") == 0;

    return unclear && !moved ? "ended" : state;
}

/* @status: of the record. */
static void
print_steps(const json_t *steps, const char *status)
{
    static const char *const titles[] = {"STEP", "STATE", "BEGAN (UTC)", ">TOOK", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    size_t index = 0;
    const json_t *step = NULL;

    if (json_array_size(steps) == 0)
        return;
    json_array_foreach(steps, index, step) {
        g_autofree char *began = ferry_format_time(ferry_json_get_string(step, "started_at"));
        g_autofree char *took = duration_of(step, "duration_ms");
        const char *const cells[] = {ferry_json_get_string(step, "name"), state_of(step, status),
                                     began, took, NULL};

        ferry_table_add(table, cells);
    }
    ferry_say("%s", "");
    ferry_table_print(table);
}

static void
print_disks(const json_t *disks)
{
    static const char *const titles[] = {"DISK",        ">CAPACITY", ">USED BEFORE",
                                         ">USED AFTER", "FORMAT",    NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    size_t index = 0;
    const json_t *disk = NULL;

    if (json_array_size(disks) == 0)
        return;
    json_array_foreach(disks, index, disk) {
        g_autofree char *capacity = size_of(disk, "capacity_bytes");
        g_autofree char *before = size_of(disk, "allocation_before_bytes");
        g_autofree char *after = size_of(disk, "allocation_after_bytes");
        const char *const cells[] = {ferry_json_get_string(disk, "target"), capacity, before, after,
                                     ferry_json_get_string(disk, "format"), NULL};

        ferry_table_add(table, cells);
    }
    ferry_say("%s", "");
    ferry_table_print(table);
}

/* What could not be removed, or was to stay, and why. */
static void
print_kept(const json_t *kept)
{
    static const char *const titles[] = {"KEPT", "WHAT", "WHY", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    size_t index = 0;
    const json_t *one = NULL;

    if (json_array_size(kept) == 0)
        return;
    json_array_foreach(kept, index, one) {
        const char *path = ferry_json_get_string(one, "path");
        g_autofree char *why = ferry_words_translate(ferry_json_get_string(one, "why"));
        const char *const cells[] = {path ? path : ferry_json_get_string(one, "pool"),
                                     ferry_json_get_string(one, "kind"), why, NULL};

        ferry_table_add(table, cells);
    }
    ferry_say("%s", "");
    ferry_table_print(table);
}

static void
print_duration(const json_t *report, const char *name, const char *key)
{
    g_autofree char *text = duration_of(report, key);

    print_fact(name, text);
}

void
ferry_report_print_outcome(const json_t *record)
{
    const json_t *report = json_object_get(record, "report");
    const json_t *steps = json_object_get(report, "steps");
    g_autofree char *moved = size_of(report, "moved_bytes");

    print_error(json_object_get(record, "error"));
    print_duration(report, "total time", "total_ms");
    print_duration(report, "disk phase", "disk_phase_ms");
    print_duration(report, "memory phase", "memory_phase_ms");
    print_duration(report, "downtime", "downtime_ms");
    print_fact("bytes moved", moved);
    print_steps(steps ? steps : json_object_get(record, "steps"),
                ferry_json_get_string(record, "status"));
    print_disks(json_object_get(report, "disks"));
    print_kept(json_object_get(report, "kept"));
}
