/* quarantine-private.h: what the files of quarantine.h share; private to agent/quarantine*.c.
 *
 * A quarantine is an array of FerryQuarantined, never empty: the files of one migration.
 */
#pragma once

#include "journal/quarantine.h"
#include "storage/quarantine.h"

/** Something came or went: look when the next one is over. */
void ferry_quarantine_changed(FerryQuarantine *quarantine);

/** Returns: the file that speaks for all: instance, destination and times are the same. */
const FerryQuarantined *ferry_quarantine_first(const GPtrArray *files);

/** Returns: one state for all: of files that differ those that are not yet where they will be. */
FerryQuarantineState ferry_quarantine_state_of(const GPtrArray *files);

/** Returns: (transfer full): a quarantine as the protocol shows it. */
json_t *ferry_quarantine_to_json(const GPtrArray *files);

/** Returns: (transfer container) (element-type GPtrArray): @files, whose order is the journal's, as
 * quarantines; the elements stay those of @files. */
GPtrArray *ferry_quarantine_by_migration(const GPtrArray *files);
