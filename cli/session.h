/* session.h: the command's connection to the agents: a bus, set up by the command line and the
 * configuration. Main thread; calls run in threads of their own. */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/bus.h"
#include "ferry/config.h"
#include "invocation.h"

typedef struct FerrySession FerrySession;

/** Reads the files of --config-file; without it the host's configuration, if the user may: it holds
 * the broker's password. @error: FERRY_ERROR_CONFIG. */
FerryConfig *ferry_session_load_config(const FerryInvocation *invocation,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_session_new:
 * @error: FERRY_ERROR_CONFIG; nothing has been connected
 * Callbacks of the bus run in the default main context.
 */
FerrySession *ferry_session_new(const FerryInvocation *invocation,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends pending calls, waits for them, and disconnects from the broker. */
void ferry_session_free(FerrySession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySession, ferry_session_free)

/** Has @func called for every event of every agent, progress included. Call it before
 * ferry_session_connect(). */
void ferry_session_listen(FerrySession *session, FerryNotificationFunc func, gpointer user_data);

/** Connects and waits for the broker. @error: FERRY_ERROR_DESTINATION_UNREACHABLE, with the reason
 * if the broker refused us. */
bool ferry_session_connect(FerrySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Does ferry_session_new() and ferry_session_connect(), for commands that listen to no events. */
FerrySession *ferry_session_open(const FerryInvocation *invocation,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Calls @method of the agent on @host and waits; see ferry_bus_call(). For commands without a main
 * loop. @args: (transfer full). */
json_t *ferry_session_call(FerrySession *session,
                           const char *host,
                           const char *method,
                           json_t *args,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same without waiting. @callback runs in the main loop and gets the answer from
 * ferry_session_call_finish(). @question: a timeout of 0 is that of the command line; its
 * cancellable is not looked at, the session has its own. */
void ferry_session_call_async(FerrySession *session,
                              const FerryCall *question,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
json_t *ferry_session_call_finish(GAsyncResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends the calls that are under way and waits until their callbacks have run. No call may be made
 * after this. */
void ferry_session_drain(FerrySession *session);

/** Asks all agents by fanout; @func gets each answer that comes within the window. Failures end it
 * without a word. */
void ferry_session_survey(FerrySession *session,
                          const char *method,
                          guint window_ms,
                          FerrySurveyFunc func,
                          gpointer user_data);

/**
 * ferry_session_hosts:
 * @error: FERRY_ERROR_DESTINATION_UNREACHABLE: no broker, or no agent answered
 * Returns: (transfer full): array of what describe_host answered, by host name.
 */
json_t *ferry_session_hosts(FerrySession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @host: (nullable). Returns: (transfer full): a NULL-terminated list of @host alone, or with NULL
 * of all hosts whose agents answer a ping; NULL with @error set as by ferry_session_hosts(). Takes
 * at most two seconds, also where the agent of @host is dead. */
char **ferry_session_host_names(FerrySession *session,
                                const char *host,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
