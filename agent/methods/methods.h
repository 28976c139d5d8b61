/* methods.h: what each method of the protocol does; the contract's part 2, method by method.
 *
 * A method gets arguments of unknown types: it checks them and refuses with FERRY_ERROR_INVALID_
 * REQUEST. Threads: any but main (dispatch.h runs them in its pool); each may block.
 */
#pragma once

#include "destination/destination.h"
#include "ferry/request.h"
#include "runtime/agent.h"
#include "source/source.h"

/* What methods work with; immutable pointers. */
typedef struct {
    const FerryAgent *agent;
    FerrySource *source;
    FerryDestination *destination;
    FerryResolver *resolver;
    /** Called when a destination's lease began or ended; any thread. */
    void (*leases_changed)(gpointer data);
    gpointer leases_data;
} FerryMethodContext;

/** Returns: (transfer full): the result, or NULL with @error. */
typedef json_t *(*FerryMethodFunc)(const FerryMethodContext *context,
                                   FerryRequest *request,
                                   GError **error);

/** Returns: the table that the bus serves by; ends with a NULL name. `ping` is in it, too. */
const FerryMethod *ferry_methods_table(void);

/** Returns: what runs the method; NULL for a name that is not in the table, and for `ping`. */
FerryMethodFunc ferry_methods_find(const char *name);
