/* text.h: texts that are told to people have a greatest length. Pure, any thread. */
#pragma once

#include <glib.h>

/* Of the message and the hint of an error, a line of the log, the message of a check. */
#define FERRY_TEXT_MAX_BYTES 1024

/**
 * ferry_text_clip:
 * @text: (nullable): any bytes
 * Returns: (transfer full) (nullable): @text; if it is longer than @max_bytes, as much of it as
 * fits before "…", without half a character at the end. NULL for NULL.
 */
char *ferry_text_clip(const char *text, gsize max_bytes);

/** @names: (nullable): NULL-terminated. Returns: (transfer none) (nullable): the name that differs
 * from @word by the fewest letters (left out, added, another, two exchanged), whatever their case;
 * one or two at most, so that it may be a slip of the finger. */
const char *ferry_text_nearest(const char *word, const char *const *names);

/** Returns: (transfer full) (nullable): "Did you mean 'NAME'?", with the nearest; for a hint. */
char *ferry_text_suggest(const char *word, const char *const *names);
