/* words.h: what an agent says in the words of the protocol, in those of the command. Pure. */
#pragma once

#include <glib.h>

/** @text: (nullable). Returns: (transfer full) (nullable): @text with the command in the place of
 * each method ("list_migrations": "'virt-ferry list'") and the option in the place of each key of
 * an order ("Option \"pool_map\"", "options.pool_map", "pool_map": "--pool-map"). A key of the
 * configuration stays ("[storage] source_disks"). */
char *ferry_words_translate(const char *text);
