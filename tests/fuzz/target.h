/* target.h: what each fuzz target defines; driven by libFuzzer or by replay.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Feeds one input to the code under test; a wrong answer aborts. Returns: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Turns the log off: refusals are the code's daily work here, not news. Returns: 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
