/* digest-line.h: how the digest of a file's content is written: "ferry1-sha256:" and 64 hexadecimal
 * digits. Computed by files/content-digest.h. Pure, any thread.
 */
#pragma once

#include <stdbool.h>

#define FERRY_DIGEST_PREFIX "ferry1-sha256:"
#define FERRY_DIGEST_DIGITS 64

/** @text: (nullable). Returns: true when it is written so. */
bool ferry_digest_line_is_valid(const char *text);
