/* call.h: one call of a method: what it works with, what it was asked, and its one answer.
 *
 * Threads: any but main (dispatch.h runs methods in its pool; each may block), unless the table
 * says that a method is run at once.
 */
#pragma once

#include "destination/destination.h"
#include "ferry/request.h"
#include "model/json-field.h"
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
    const char *started_at; /* when the agent did, ISO 8601 */
} FerryMethodContext;

/* A value on the stack of whoever runs the method. */
typedef struct {
    const FerryMethodContext *context;
    FerryRequest *request;
    FerryFieldScope args; /* from strangers: read them with json-field.h's readers only */
    bool answered;
} FerryMethodCall;

/** Returns: a call that nobody has answered. @context and @request outlive it. */
FerryMethodCall ferry_method_call_of(const FerryMethodContext *context, FerryRequest *request);

/**
 * ferry_method_answer:
 * The one way to answer, once in each call that succeeds: as the last thing that a method does, or,
 * where the caller shall not wait for the work, in the midst of it. Acknowledges the delivery, too.
 * @answer: (transfer full) (nullable): NULL sends nothing: what should have made it has failed
 * Returns: true when there was an answer.
 */
bool ferry_method_answer(FerryMethodCall *call, json_t *answer);
