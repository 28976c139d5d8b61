/* file-carrier.h: brings one file of the source to the destination: asks there what is missing, sends
 * it, has it verified. The source's side; the destination's is import.h.
 *
 * Goes on through restarts of either agent and of the destination's libvirt: what has arrived is asked
 * for again and the rest is sent. Threads: the saga's; blocks until the file is there.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/carried-file.h"
#include "source/migration.h"

/**
 * FerryCarrierFunc:
 * @sent_bytes: put on the link for this file so far; what an earlier life of the agent sent is guessed
 * Called some times a second while the file is sent, and once at its end.
 */
typedef void (*FerryCarrierFunc)(const FerryCarriedFile *file, guint64 sent_bytes, gpointer data);

/* How a file came to be there. */
typedef struct {
    bool present;       /* it was there, or another migration brought it */
    guint64 sent_bytes; /* by this life of the agent */
} FerryCarrierResult;

/**
 * ferry_file_carrier_bring:
 * @migration: has checked migrate_data; its destination is prepared; its bandwidth limit holds
 * @file: path, kind, format, sizes; the digest is computed and set when it is NULL
 * @error: FERRY_ERROR_CANCELLED when the migration's cancellable ended; the destination's refusal;
 *   FERRY_ERROR_DESTINATION_UNREACHABLE or FERRY_ERROR_HYPERVISOR_UNAVAILABLE when nothing moved for
 *   outcome_timeout
 */
bool ferry_file_carrier_bring(FerryMigration *migration,
                              FerryCarriedFile *file,
                              FerryCarrierFunc func,
                              gpointer data,
                              FerryCarrierResult *ret_result,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
