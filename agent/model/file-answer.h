/* file-answer.h: what a destination answers to prepare_file and publish_file: what is to be done
 * next about a file that is sent. Made in destination/import.c. A plain value; pure, any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum {
    FERRY_FILE_PRESENT, /* it is there, complete */
    FERRY_FILE_WAIT,    /* ask again: it is read, or another migration sends it */
    FERRY_FILE_COPY,    /* send it, from an offset on */
} FerryFileState;

typedef struct {
    FerryFileState state;
    char *path;           /* where to; NULL but for COPY */
    guint64 offset_bytes; /* what has arrived; 0 but for COPY */
} FerryFileAnswer;

/** @object: (nullable). @error: FERRY_ERROR_MIGRATION_ERROR: it makes no sense. */
FerryFileAnswer *ferry_file_answer_from_json(const json_t *object,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_file_answer_free(FerryFileAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFileAnswer, ferry_file_answer_free)
