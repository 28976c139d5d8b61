/* record.h: one migration as the journal keeps it and as get_migration tells it.
 *
 * A plain value. Its writer is the saga or the destination's work for this migration; everybody
 * else reads a copy from the journal.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/status.h"

typedef struct {
    char *migration_id; /* UUID, lower case */
    FerryRole role;
    char *instance_name;
    char *instance_uuid;
    char *source; /* host names */
    char *destination;
    FerryStatus status;
    FerryPhase phase;
    json_t *order;         /* {"method", "args", "digest"}; see ferry_record_take_order() */
    json_t *instance_info; /* NULL until described */
    json_t *migrate_data;  /* NULL until the destination is prepared */
    json_t *progress;      /* the last one, NULL before the transfer */
    json_t *error;         /* NULL while all is well */
    json_t *report;        /* NULL until it ended */
    gint64 created_us;
    gint64 updated_us;
    gint64 ended_us;    /* 0 while open */
    gint64 expires_us;  /* a destination's lease; 0: none */
    gint64 seq;         /* of the last event journaled for it */
    json_t *stalled;    /* of the event that is made of it; not journaled. NULL: of no stall */
    bool abort_ordered; /* orders about it that were acknowledged; written by themselves */
    bool force_ordered;
} FerryRecord;

/* For errors about a record that makes no sense. */
#define FERRY_RECORD_UNSOUND_HINT                                                                  \
    "Look at the instance on both hosts; virt-ferry resolve asks both again. Nothing was deleted"

FerryRecord *ferry_record_new(const char *migration_id, FerryRole role);
FerryRecord *ferry_record_copy(const FerryRecord *record);
void ferry_record_free(FerryRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRecord, ferry_record_free)

/** Replaces a json_t field by @value (transfer full, may be NULL). */
void ferry_record_take(json_t **field, json_t *value);

/** Keeps @order, {"method", "args"} as it came, without the large arguments that have columns of
 * their own; a digest of all of it tells a repetition from a misuse. */
void ferry_record_take_order(FerryRecord *record, const json_t *order);

/** Returns: true when @order is the one that @record was made of. */
bool ferry_record_is_of_order(const FerryRecord *record, const json_t *order);

/** Returns: true when an open record can be taken up: it is in a status that its role may be in
 * while it is open, and says which instance goes where.
 * @error: FERRY_ERROR_OUTCOME_UNKNOWN: why not. */
bool ferry_record_check(const FerryRecord *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: the error of a record that makes no sense: @why is the end of a sentence. */
GError *ferry_record_unsound_error(const FerryRecord *record, const char *why);

/** Returns: (transfer none): the order's options; NULL when it had none. */
json_t *ferry_record_options(const FerryRecord *record);

/**
 * ferry_record_to_json:
 * @steps: (nullable) (transfer none): array of the journal's steps
 * Returns: (transfer full): what get_migration and list_migrations answer.
 */
json_t *ferry_record_to_json(const FerryRecord *record, json_t *steps);

/** Returns: (transfer full): the fields that a record and an event about it (event.h) share. */
json_t *ferry_record_core_to_json(const FerryRecord *record);
