/* table.h: the methods that an agent serves: one row each, and nowhere else. Read-only, any
 * thread. */
#pragma once

#include "ferry/bus.h"
#include "methods/call.h"

/**
 * FerryMethodFunc:
 * Returns: true once it has answered by ferry_method_answer(); false with @error, which is the
 * answer then, and nothing sent.
 */
typedef bool (*FerryMethodFunc)(FerryMethodCall *call, GError **error);

typedef struct {
    FerryMethod served; /* name, flags, names of arguments: what the bus checks by itself */
    FerryMethodFunc run;
} FerryMethodRow;

/** Returns: the rows; the last one has no name. */
const FerryMethodRow *ferry_method_rows(void);

/** Returns: (nullable): the row of that name. */
const FerryMethodRow *ferry_method_find(const char *name);

/** Returns: of each row what the bus serves by; ends with a NULL name. */
const FerryMethod *ferry_methods_served(void);
