#include "config.h"

#include "source/steps/files.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/carried-file.h"
#include "source/completion.h"
#include "source/migration-progress.h"

/* The step's own view: all files, and how far they are. */
typedef struct {
    FerryMigration *migration;
    FerryProgress *progress;
    GPtrArray *files;
    guint64 total_bytes; /* data of the files that are not known to be there */
    guint64 sent_bytes;  /* of files that are done */
    json_t *report;      /* what became of each */
} Step;

static void
tell(Step *self, guint64 sent_bytes)
{
    FerryProgressSample sample = {.phase = FERRY_PHASE_NONE, .time_us = g_get_monotonic_time()};

    ferry_progress_set_files(self->progress, self->total_bytes, sent_bytes);
    ferry_progress_update(self->progress, &sample);
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
}

static void
on_sent(const FerryCarriedFile *file, guint64 sent_bytes, gpointer data)
{
    Step *self = data;

    tell(self, self->sent_bytes + sent_bytes);
}

/* What was there need not move; what was sent is what had to, zeros and resumed parts left out. */
static void
note(Step *self, const FerryCarriedFile *file, const FerryCarrierResult *result)
{
    guint64 planned = MIN(file->data_bytes, self->total_bytes - self->sent_bytes);

    self->total_bytes = self->total_bytes - planned + result->sent_bytes;
    self->sent_bytes += result->sent_bytes;
    json_array_append_new(self->report,
                          json_pack("{s:o, s:s, s:b, s:I, s:o}", "path",
                                    ferry_json_text(file->path), "kind", file->kind, "present",
                                    result->present, "sent_bytes", (json_int_t)result->sent_bytes,
                                    "digest", ferry_json_text(file->digest)));
    tell(self, self->sent_bytes);
}

static bool
bring_all(gpointer data, GError **error)
{
    Step *self = data;
    FerryFileCarrier carrier = ferry_migration_file_carrier(self->migration);

    for (guint i = 0; i < self->files->len; i++) {
        FerryCarriedFile *file = g_ptr_array_index(self->files, i);
        FerryCarrierResult result = {0};

        if (!ferry_file_carrier_bring(&carrier, file, on_sent, self, &result, error)) {
            g_prefix_error(error, "File '%s': ", file->path);
            return false;
        }
        note(self, file, &result);
    }
    return true;
}

FerryStepEnd
ferry_files_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);
    g_autoptr(FerryProgress) progress = ferry_source_progress_new(migration, false);
    g_autoptr(FerryJson) report = json_array();
    Step self = {.migration = migration, .progress = progress, .files = files, .report = report};

    if (files->len == 0)
        return FERRY_STEP_DONE;
    for (guint i = 0; i < files->len; i++)
        self.total_bytes += ((const FerryCarriedFile *)g_ptr_array_index(files, i))->data_bytes;
    if (!ferry_completion_run(migration, bring_all, &self, error))
        return ferry_saga_step_broken(migration);
    ferry_migration_add_report(migration, json_pack("{s:O}", "files", report));
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}
