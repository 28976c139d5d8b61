/* story.h: what becomes of migrations, as the log tells it: one line for each event, on both hosts,
 * with fields and message ids for systemd's journal. etc/virt-ferry.catalog explains the ids.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

#include "journal/record.h"

/* A kind of line. */
typedef struct {
    const char *event;      /* its type; NULL ends the table */
    const char *message_id; /* never changes: people search for it */
    const char *word;       /* what the instance or the order is now */
    const char *priority;   /* the syslog's number: a person asks for warnings only */
} FerryStoryKind;

extern const FerryStoryKind ferry_story_kinds[];

/** Tells of the event of @event_type, which is on disk. */
void ferry_story_tell(const FerryRecord *record, const char *event_type);

/** Tells that an order was refused. @migration_id, @instance: (nullable): as the order says. */
void ferry_story_tell_refusal(const char *method,
                              const char *migration_id,
                              const char *instance,
                              const GError *error);
