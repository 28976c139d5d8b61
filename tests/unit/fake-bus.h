/* fake-bus.h: a stand-in for the broker and for the agents of other hosts: include/ferry/bus.h, in
 * the test's own process.
 *
 * It defines all of bus.h's functions, so that the linker takes them in place of rpc's, in each
 * test that names one of the functions below, and in no other. Calls are answered as the test said;
 * a call that it said nothing of is one that nobody answers (FERRY_ERROR_DESTINATION_UNREACHABLE).
 * No envelope, no queue, no thread: the wire suite and the laboratory prove those.
 *
 * Threads: any, one lock inside. Texts are copied.
 */
#pragma once

#include "ferry/bus.h"
#include "ferry/error.h"

/** A bus that knows of nobody. Returns: what FerryAgent.bus is to be. */
FerryBus *fake_bus_reset(void);

/** The next call of @method to @host is answered by @result (transfer full). Answers to one method
 * are given in their order, the last one again and again. */
void fake_bus_answer(const char *host, const char *method, json_t *result);
/** The same with an error. @error: (transfer full). */
void fake_bus_refuse(const char *host, const char *method, GError *error);
/** Takes back what the test said of it. */
void fake_bus_forget(const char *host, const char *method);
/** The host's agent shows the instance so: an answer to describe_instance; NULL: it has none. */
void fake_bus_observe(const char *host, const char *observed_state);

/** Such calls wait until they are released, or their cancellable ends. */
void fake_bus_block(const char *method);
void fake_bus_release(const char *method);

/** @func: runs in the caller's thread at the beginning of such a call. */
void fake_bus_hook(const char *method, void (*func)(gpointer data), gpointer data);

/** Returns: how often @host was asked for it. */
guint fake_bus_count(const char *host, const char *method);
/** Returns: (transfer full) (nullable): the arguments of the last such call. */
json_t *fake_bus_args(const char *host, const char *method);

/** Returns: how many notifications of this type were handed over. */
guint fake_bus_notified(const char *event_type);
/** Waits for so many; fails the test after some seconds. */
void fake_bus_await_notified(const char *event_type, guint count);
/** Returns: (transfer full) (nullable): the payload of the last such notification. */
json_t *fake_bus_payload(const char *event_type);
