/* file-carrier.h: brings one file of the source to the destination: asks there what is missing,
 * sends it, has it verified. The source's side; the destination's is import.h.
 *
 * Goes on through restarts of either agent and of the destination's libvirt: what has arrived is
 * asked for again and the rest is sent. Threads: any but main; blocks until the file is there.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "files/rate.h"
#include "model/carried-file.h"
#include "runtime/agent.h"

/* For whom and whereto. A value that borrows all it points to. */
typedef struct {
    const FerryAgent *agent;
    const char *migration_id;  /* prepared on the destination */
    const char *destination;   /* host, whose agent is asked */
    const char *libvirt_uri;   /* that host's libvirt, as its agent gave it; checked */
    FerryRate *rate;           /* the limit; it may change meanwhile */
    GCancellable *cancellable; /* when it ends the file is given up */
} FerryFileCarrier;

/**
 * FerryCarrierFunc:
 * @sent_bytes: put on the link for this file so far; what an earlier life of the agent sent is
 *   guessed
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
 * @file: path, kind, format, sizes; the digest is computed and set when it is NULL
 * @error: FERRY_ERROR_CANCELLED when the carrier's cancellable ended; the destination's refusal;
 *   FERRY_ERROR_DESTINATION_UNREACHABLE or FERRY_ERROR_HYPERVISOR_UNAVAILABLE when nothing moved
 *   for outcome_timeout
 */
bool ferry_file_carrier_bring(const FerryFileCarrier *carrier,
                              FerryCarriedFile *file,
                              FerryCarrierFunc func,
                              gpointer data,
                              FerryCarrierResult *ret_result,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
