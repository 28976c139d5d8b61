/* host-survey.h: which agents there are, and what they say of their hosts. Main thread; blocks. */
#pragma once

#include <jansson.h>

#include "ferry/bus.h"

/**
 * ferry_host_survey:
 * Asks all agents by fanout. One that answers the ping and is slow with its description is waited
 * for some seconds more, and then listed with what the ping said.
 * @error: FERRY_ERROR_DESTINATION_UNREACHABLE: no broker, or no agent answered
 * Returns: (transfer full): array of what describe_host answered, by host name.
 */
json_t *ferry_host_survey(FerryBus *bus, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_host_survey_names:
 * Asks all agents who they are.
 * @error: FERRY_ERROR_DESTINATION_UNREACHABLE: no broker, or no agent answered
 * Returns: (transfer full): their hosts' names in order.
 */
char **ferry_host_survey_names(FerryBus *bus, GError **error) G_GNUC_WARN_UNUSED_RESULT;
