/* plain-text.h: makes text from elsewhere harmless for a terminal, and measures its width. Pure. */
#pragma once

#include <glib.h>

/** Returns: (transfer full): @text as valid UTF-8 on one line. U+FFFD replaces control characters,
 * line breaks and marks that change the direction of writing: a name cannot move the cursor or
 * disguise what follows. */
char *ferry_plain_text(const char *text);

/** Returns: how many columns @text, made by ferry_plain_text(), takes. */
guint ferry_plain_text_columns(const char *text);

/** Returns: (transfer full): @text, if necessary cut to @columns and then ending with "...". */
char *ferry_plain_text_clip(const char *text, guint columns);

/** Returns: (transfer full) (element-type utf8): @text, made by ferry_plain_text(), in lines of at
 * most @columns. Lines break at blanks only: a longer word has a line of its own. 0 @columns: one
 * line. */
GPtrArray *ferry_plain_text_wrap(const char *text, guint columns);
