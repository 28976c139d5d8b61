/* arrival-watch.h: how far the instance of a prepared migration came here: seen by looking and by
 * libvirt's events, noted (journal/arrivals.h), and never taken back because it is gone again.
 *
 * A transient instance that has run here and was shut down looks like one that never came, and its
 * images may be the only ones that are up to date. Threads: any but main; may block as long as
 * libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/arrivals.h"
#include "journal/record.h"
#include "model/outcome.h"
#include "runtime/agent.h"

/**
 * ferry_arrival_look:
 * Looks at the instance of @record, a destination's, and notes what is seen.
 * @ret_observed: now; may be FERRY_OBSERVED_UNREACHABLE
 * @ret_note: all that was ever seen
 * @error: the journal
 */
bool ferry_arrival_look(const FerryAgent *agent,
                        virConnectPtr connection,
                        const FerryRecord *record,
                        FerryObservedState *ret_observed,
                        FerryArrivalNote *ret_note,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** From now on what arrives is awaited: events that come are heard from here on. A failure is
 * logged: less is proved then. */
void ferry_arrival_await(const FerryAgent *agent, const FerryRecord *record);

/** Returns: true unless all that was made and brought for the migration is gone, or as it was
 * before the instance could write to it. */
bool ferry_arrival_may_hold_data(const FerryAgent *agent,
                                 virConnectPtr connection,
                                 const char *migration_id);

/** Returns: true unless it is certain that the instance of @record was never here: nothing was
 * seen, and either libvirt's events were heard all the while, or what was made holds nothing. */
bool ferry_arrival_may_have_been(const FerryAgent *agent,
                                 virConnectPtr connection,
                                 const FerryRecord *record,
                                 const FerryArrivalNote *note);

/** libvirt's event about the instance @uuid: it begins to arrive, and the files that were made for
 * it are noted (nvram.h), or it @runs. */
void ferry_arrival_note(const FerryAgent *agent, const char *uuid, bool runs);

/** From now on, until ferry_arrival_unwatch(), ferry_arrival_note() is called for each event, on a
 * thread of its own. */
void ferry_arrival_watch(const FerryAgent *agent);
void ferry_arrival_unwatch(const FerryAgent *agent);
