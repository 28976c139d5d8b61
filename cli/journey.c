#include "config.h"

#include "journey.h"

#include "ferry/json.h"

#define PROGRESS_TYPE "migration.progress"

struct FerryJourney {
    char *migration_id;
    char *source;
    FerryStatus status;
    json_t *latest;
    gint64 seq;    /* of the newest numbered event */
    gint64 sample; /* of the newest progress */
    gint64 elapsed_ms;
};

FerryJourney *
ferry_journey_new(const char *migration_id, const char *source)
{
    FerryJourney *journey = g_new0(FerryJourney, 1);
    journey->migration_id = g_strdup(migration_id);
    journey->source = g_strdup(source);
    journey->status = FERRY_STATUS_ACCEPTED;
    return journey;
}

void
ferry_journey_free(FerryJourney *journey)
{
    if (journey == NULL)
        return;
    g_free(journey->migration_id);
    g_free(journey->source);
    json_decref(journey->latest);
    g_free(journey);
}

/* The destination tells of the same migration too, with numbers of its own. */
static bool
is_ours(const FerryJourney *journey, const json_t *payload)
{
    const char *id = ferry_json_get_string(payload, "migration_id");
    return id != NULL && g_ascii_strcasecmp(id, journey->migration_id) == 0 &&
           g_strcmp0(ferry_json_get_string(payload, "role"), "source") == 0 &&
           g_strcmp0(ferry_json_get_string(payload, "source"), journey->source) == 0;
}

static void
take(FerryJourney *journey, const json_t *payload)
{
    /* A status that this version does not know changes nothing here but what is shown. */
    ferry_status_from_string(ferry_json_get_string(payload, "status"), &journey->status);
    json_decref(journey->latest);
    journey->latest = json_incref((json_t *)payload);
}

/* An agent that was started again counts its samples from one again, but not the time. */
static bool
take_progress(FerryJourney *journey, const json_t *payload)
{
    gint64 sample = ferry_json_get_int(payload, "sample", 0);
    gint64 elapsed_ms = ferry_json_get_int(json_object_get(payload, "progress"), "elapsed_ms", 0);
    bool newer = sample > journey->sample || elapsed_ms > journey->elapsed_ms;
    if (ferry_json_get_int(payload, "seq", 0) < journey->seq || !newer)
        return false;
    journey->sample = sample;
    journey->elapsed_ms = elapsed_ms;
    take(journey, payload);
    return true;
}

bool
ferry_journey_take_event(FerryJourney *journey, const json_t *body)
{
    const json_t *payload = json_object_get(body, "payload");
    if (ferry_journey_is_over(journey) || !is_ours(journey, payload))
        return false;
    if (g_strcmp0(ferry_json_get_string(body, "event_type"), PROGRESS_TYPE) == 0)
        return take_progress(journey, payload);
    gint64 seq = ferry_json_get_int(payload, "seq", 0);
    if (seq <= journey->seq)
        return false;
    journey->seq = seq;
    take(journey, payload);
    return true;
}

bool
ferry_journey_take_record(FerryJourney *journey, const json_t *record)
{
    gint64 seq = ferry_json_get_int(record, "seq", 0);
    if (ferry_journey_is_over(journey) || !is_ours(journey, record) || seq < journey->seq)
        return false;
    journey->seq = seq;
    take(journey, record);
    return true;
}

bool
ferry_journey_is_over(const FerryJourney *journey)
{
    return ferry_status_is_terminal(journey->status);
}

FerryStatus
ferry_journey_status(const FerryJourney *journey)
{
    return journey->status;
}

const json_t *
ferry_journey_latest(const FerryJourney *journey)
{
    return journey->latest;
}
