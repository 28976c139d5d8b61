/* client.h: calls to other servers: sends the request and waits for the answer.
 *
 * Reference counted. Threads: any.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "consumer.h"
#include "ferry/bus.h"
#include "publisher.h"

typedef struct FerryClient FerryClient;

/** Holds references on @publisher and @consumer. */
FerryClient *
ferry_client_new(FerryTransport *transport, FerryPublisher *publisher, FerryConsumer *consumer);
FerryClient *ferry_client_ref(FerryClient *client);
void ferry_client_unref(FerryClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryClient, ferry_client_unref)

/** All calls that wait, and all that follow, end with FERRY_ERROR_CANCELLED. */
void ferry_client_close(FerryClient *client);

/** The consumer says whether the queue for answers is there. */
void ferry_client_set_ready(FerryClient *client, bool ready);

/** The consumer hands over an answer. @message: (transfer none). */
void ferry_client_take_reply(FerryClient *client, json_t *message);

/** See ferry_bus_call(). */
json_t *ferry_client_call(FerryClient *client,
                          const FerryCall *question,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** See ferry_bus_survey(). */
bool ferry_client_survey(FerryClient *client,
                         const FerrySurvey *survey,
                         FerrySurveyFunc func,
                         gpointer user_data,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
