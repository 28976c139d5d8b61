/* input.h: an input taken byte by byte, or as a script of answers. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of it. */
typedef struct {
    const uint8_t *next;
    size_t left;
} FerryFuzzInput;

/** Returns: the next byte; 0 at the end. */
guint8 ferry_fuzz_take_byte(FerryFuzzInput *input);

/**
 * ferry_fuzz_next_answer:
 * @script: an array of answers; one that is {"error": ...} is a failure
 * @next: the place in it, which is moved on
 * @error: that failure, or FERRY_ERROR_DESTINATION_UNREACHABLE at the end
 * Returns: (transfer full)
 */
json_t *ferry_fuzz_next_answer(const json_t *script, size_t *next, GError **error);
