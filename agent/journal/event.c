#include "config.h"

#include "journal/event.h"

#include "ferry/bus.h"
#include "ferry/clock.h"
#include "ferry/json.h"

static void
set_time(json_t *payload, gint64 time_us)
{
    g_autofree char *text = time_us ? ferry_clock_format_iso(time_us) : NULL;

    json_object_set_new(payload, "at", ferry_json_text(text));
}

json_t *
ferry_event_payload(const FerryRecord *record, gint64 seq)
{
    json_t *payload = ferry_record_core_to_json(record);
    json_t *evidence = json_object_get(record->report, "evidence");

    json_object_set_new(payload, "seq", json_integer(seq));
    set_time(payload, record->updated_us);
    if (ferry_status_is_terminal(record->status))
        json_object_set_new(payload, "report",
                            record->report ? json_incref(record->report) : json_null());
    if (evidence)
        json_object_set(payload, "evidence", evidence);
    if (record->stalled)
        json_object_set(payload, "stalled", record->stalled);
    return payload;
}

json_t *
ferry_event_sample_payload(const FerryRecord *record, guint64 sample, gint64 now_us)
{
    json_t *payload = ferry_event_payload(record, record->seq);

    set_time(payload, now_us);
    json_object_set_new(payload, "sample", json_integer((json_int_t)sample));
    return payload;
}

json_t *
ferry_event_agent_payload(const char *host, gint64 now_us)
{
    json_t *payload = json_pack("{s:o, s:s, s:s}", "host", ferry_json_text(host), "version",
                                PACKAGE_VERSION, "api_version", FERRY_API_VERSION);

    set_time(payload, now_us);
    return payload;
}
