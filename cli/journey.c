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
    FerryJourney *self = g_new0(FerryJourney, 1);

    self->migration_id = g_strdup(migration_id);
    self->source = g_strdup(source);
    self->status = FERRY_STATUS_ACCEPTED;
    return self;
}

void
ferry_journey_free(FerryJourney *self)
{
    if (!self)
        return;
    g_free(self->migration_id);
    g_free(self->source);
    json_decref(self->latest);
    g_free(self);
}

/* The destination sends events of the same migration, too, with sequence numbers of its own. */
static bool
is_ours(const FerryJourney *self, const json_t *payload)
{
    const char *id = ferry_json_get_string(payload, "migration_id");

    return id && g_ascii_strcasecmp(id, self->migration_id) == 0 &&
           g_strcmp0(ferry_json_get_string(payload, "role"), "source") == 0 &&
           g_strcmp0(ferry_json_get_string(payload, "source"), self->source) == 0;
}

static void
take(FerryJourney *self, const json_t *payload)
{
    /* A status that this version does not know is shown, and changes nothing else. */
    ferry_status_from_string(ferry_json_get_string(payload, "status"), &self->status);
    json_decref(self->latest);
    self->latest = json_incref((json_t *)payload);
}

/* An agent that was restarted counts its samples from one again; the elapsed time goes on. */
static bool
take_progress(FerryJourney *self, const json_t *payload)
{
    gint64 sample = ferry_json_get_int(payload, "sample", 0);
    gint64 elapsed_ms = ferry_json_get_int(json_object_get(payload, "progress"), "elapsed_ms", 0);
    bool newer = sample > self->sample || elapsed_ms > self->elapsed_ms;

    if (ferry_json_get_int(payload, "seq", 0) < self->seq || !newer)
        return false;
    self->sample = sample;
    self->elapsed_ms = elapsed_ms;
    take(self, payload);
    return true;
}

bool
ferry_journey_take_event(FerryJourney *self, const json_t *body)
{
    const json_t *payload = json_object_get(body, "payload");

    if (ferry_journey_is_over(self) || !is_ours(self, payload))
        return false;
    if (g_strcmp0(ferry_json_get_string(body, "event_type"), PROGRESS_TYPE) == 0)
        return take_progress(self, payload);
    gint64 seq = ferry_json_get_int(payload, "seq", 0);
    if (seq <= self->seq)
        return false;
    self->seq = seq;
    take(self, payload);
    return true;
}

bool
ferry_journey_take_record(FerryJourney *self, const json_t *record)
{
    gint64 seq = ferry_json_get_int(record, "seq", 0);

    if (ferry_journey_is_over(self) || !is_ours(self, record) || seq < self->seq)
        return false;
    self->seq = seq;
    take(self, record);
    return true;
}

bool
ferry_journey_is_over(const FerryJourney *self)
{
    return ferry_status_is_terminal(self->status);
}

FerryStatus
ferry_journey_status(const FerryJourney *self)
{
    return self->status;
}

const json_t *
ferry_journey_latest(const FerryJourney *self)
{
    return self->latest;
}
