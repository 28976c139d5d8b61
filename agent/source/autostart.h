/* autostart.h: whether the source's host starts an instance at boot, where the journal does not
 * say: the agent that described the instance noted no such thing.
 *
 * Threads: the migration's saga thread; blocks for a limited time.
 */
#pragma once

#include "source/migration.h"

/**
 * ferry_source_autostart_recall:
 * Looks while this host still has the definition, and journals what it found; where a definition is
 * kept for a quarantine, with that, too. Afterwards nobody can tell, and nothing is assumed: the
 * record goes on saying nothing. Does nothing where the journal tells.
 */
void ferry_source_autostart_recall(FerryMigration *migration);
