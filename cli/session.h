/* session.h: the command's way to the agents: the bus with what the command line and the
 * configuration say about it. Main thread, but for the calls themselves. */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/bus.h"
#include "invocation.h"

typedef struct FerrySession FerrySession;

/**
 * ferry_session_new:
 * @error: FERRY_ERROR_CONFIG; nothing has been connected
 * Callbacks of the bus run in the default main context.
 */
FerrySession *ferry_session_new(const FerryInvocation *invocation,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends pending calls, waits for them, and leaves the broker. */
void ferry_session_free(FerrySession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySession, ferry_session_free)

/** Hears every event of every agent, progress included, once connected; call it before that. */
void ferry_session_listen(FerrySession *session, FerryNotificationFunc func, gpointer user_data);

/** Waits for the broker. @error: FERRY_ERROR_DESTINATION_UNREACHABLE, or what it refused. */
bool ferry_session_connect(FerrySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What commands that only ask do first: new and connect in one. */
FerrySession *ferry_session_open(const FerryInvocation *invocation,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks the agent of @host and waits; see ferry_bus_call(). For commands without a main loop.
 * @args: (transfer full). */
json_t *ferry_session_call(FerrySession *session,
                           const char *host,
                           const char *method,
                           json_t *args,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same without waiting: @callback runs in the main loop and takes the answer by
 * ferry_session_call_finish(). @question: a timeout of 0 is the command line's; its cancellable is not
 * looked at, the session has its own. */
void ferry_session_call_async(FerrySession *session,
                              const FerryCall *question,
                              GAsyncReadyCallback callback,
                              gpointer user_data);

/** Ends the calls that are under way and waits until their callbacks have run. No call may follow. */
void ferry_session_drain(FerrySession *session);
json_t *ferry_session_call_finish(GAsyncResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_session_hosts:
 * @error: FERRY_ERROR_DESTINATION_UNREACHABLE: no broker, or no agent answered
 * Returns: (transfer full): array of what describe_host answered, by host name.
 */
json_t *ferry_session_hosts(FerrySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @host alone, or, where it is NULL, the names of all agents that
 * answer; NULL-terminated. NULL with @error set as by ferry_session_hosts(). */
char **ferry_session_host_names(FerrySession *session,
                                const char *host,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
