/* frame-builder.h: AMQP frames as a broker sends them, for the targets that read them. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/** Appends the lowest @size bytes of @number, the highest first. */
void ferry_fuzz_put_number(GByteArray *bytes, guint64 number, guint size);

/** Appends a whole frame with @method. */
void
ferry_fuzz_put_method(GByteArray *sent, guint channel, guint32 method, const GByteArray *arguments);

/** Appends frames with right lengths and ends, by orders of a few bytes each: mostly messages on
 * the open channel, and what else the library's decoder knows. */
void ferry_fuzz_build_frames(const uint8_t *data, size_t size, GByteArray *sent);
