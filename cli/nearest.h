/* nearest.h: which of some names was meant by one that is none of them. Pure. */
#pragma once

#include <glib.h>

/** @names: NULL-terminated; NULL: none. Returns: (transfer none) (nullable): the name that differs
 * from @word by the fewest letters (left out, added, another, two exchanged), if they are few
 * enough for a slip of the finger. */
const char *ferry_nearest(const char *word, const char *const *names);
