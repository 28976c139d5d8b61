/* plain-text.h: text from elsewhere made harmless for a terminal, and its width there. Pure. */
#pragma once

#include <glib.h>

/** Returns: (transfer full): @text as valid UTF-8 on one line; control characters, line breaks and
 * marks that change the direction of writing become U+FFFD, so that a name cannot move the cursor
 * or disguise what follows. */
char *ferry_plain_text(const char *text);

/** Returns: the columns that @text, made by ferry_plain_text(), fills. */
guint ferry_plain_text_columns(const char *text);

/** Returns: (transfer full): @text cut to at most @columns; what was cut ends with "...". */
char *ferry_plain_text_clip(const char *text, guint columns);
