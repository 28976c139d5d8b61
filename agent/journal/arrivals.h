/* arrivals.h: the table of how far the instance of a prepared migration was seen to come here.
 *
 * Written by itself, by whoever sees it: ferry_journal_save() does not touch it. Threads and errors
 * as in journal.h.
 */
#pragma once

#include "journal/journal.h"

/* What was seen last remains, whatever libvirt shows afterwards. */
typedef enum {
    FERRY_ARRIVAL_AWAITED,
    FERRY_ARRIVAL_BEGUN, /* its QEMU was here, and may have run */
    FERRY_ARRIVAL_CAME,  /* it has run here, stood here as it has to, or was defined */
} FerryArrivalStage;

/* A plain value. */
typedef struct {
    FerryArrivalStage stage;
    guint64 attempt;     /* for which its images were made anew; 0: none, or of no number */
    gint64 listening_us; /* the connection whose events told of it from the beginning (virt.h); 0:
                          * none did */
} FerryArrivalNote;

/** @ret_note: awaited, and not listened for, where the journal has nothing of it, as of an agent of
 * before. */
bool ferry_journal_arrival_get(FerryJournal *journal,
                               const char *migration_id,
                               FerryArrivalNote *ret_note,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** It is prepared for; see FerryArrivalNote. Over what was noted before. */
bool ferry_journal_arrival_await(FerryJournal *journal,
                                 const char *migration_id,
                                 gint64 listening_us,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** It came as far as @stage, at least. */
bool ferry_journal_arrival_reach(FerryJournal *journal,
                                 const char *migration_id,
                                 FerryArrivalStage stage,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Its images were made anew for this @attempt (0: of no number), which has not begun. */
bool ferry_journal_arrival_renew(FerryJournal *journal,
                                 const char *migration_id,
                                 guint64 attempt,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
