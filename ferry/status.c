#include "config.h"

#include "ferry/status.h"

#define BIT(status) (1u << FERRY_STATUS_##status)

static const char *const role_names[] = {
    [FERRY_ROLE_SOURCE] = "source",
    [FERRY_ROLE_DESTINATION] = "destination",
};

static const char *const phase_names[] = {
    [FERRY_PHASE_NONE] = NULL,
    [FERRY_PHASE_DISK] = "disk",
    [FERRY_PHASE_MEMORY] = "memory",
    [FERRY_PHASE_POST_COPY] = "post-copy",
    [FERRY_PHASE_SWITCHOVER] = "switchover",
};

/* For each status its name, and for each role its event and the statuses that may follow. */
static const struct {
    const char *name;
    bool terminal;
    const char *source_event;
    const char *destination_event;
    unsigned source_next;
    unsigned destination_next;
} statuses[FERRY_STATUS_COUNT] = {
    [FERRY_STATUS_ACCEPTED] =
        {
            .name = "accepted",
            .source_event = "migration.accepted",
            /* Straight to running: an order that brings the destination's migrate_data along. */
            .source_next = BIT(QUEUED) | BIT(PREPARING) | BIT(RUNNING) | BIT(CANCELLED) |
                           BIT(FAILED) | BIT(ERROR),
        },
    [FERRY_STATUS_QUEUED] =
        {
            .name = "queued",
            .source_event = "migration.queued",
            .source_next =
                BIT(PREPARING) | BIT(RUNNING) | BIT(CANCELLED) | BIT(FAILED) | BIT(ERROR),
        },
    [FERRY_STATUS_PREPARING] =
        {
            .name = "preparing",
            .source_event = "migration.preparing",
            .destination_event = "migration.destination.preparing",
            .source_next = BIT(RUNNING) | BIT(FAILED) | BIT(CANCELLED) | BIT(ERROR),
            .destination_next = BIT(PREPARED) | BIT(ROLLED_BACK) | BIT(ERROR),
        },
    [FERRY_STATUS_RUNNING] =
        {
            .name = "running",
            .source_event = "migration.running",
            .source_next = BIT(POST_MIGRATING) | BIT(FAILED) | BIT(CANCELLED) | BIT(ERROR),
        },
    [FERRY_STATUS_POST_MIGRATING] =
        {
            .name = "post-migrating",
            .source_event = "migration.post_migrating",
            .source_next = BIT(COMPLETED) | BIT(FAILED) | BIT(ERROR),
        },
    [FERRY_STATUS_COMPLETED] =
        {
            .name = "completed",
            .terminal = true,
            .source_event = "migration.completed",
            .destination_event = "migration.destination.completed",
        },
    [FERRY_STATUS_FAILED] =
        {
            .name = "failed",
            .terminal = true,
            .source_event = "migration.failed",
        },
    [FERRY_STATUS_CANCELLED] =
        {
            .name = "cancelled",
            .terminal = true,
            .source_event = "migration.cancelled",
        },
    [FERRY_STATUS_ERROR] =
        {
            .name = "error",
            .terminal = true,
            .source_event = "migration.error",
            .destination_event = "migration.destination.error",
            .source_next = BIT(COMPLETED) | BIT(FAILED),
            .destination_next = BIT(COMPLETED) | BIT(ROLLED_BACK),
        },
    [FERRY_STATUS_PREPARED] =
        {
            .name = "prepared",
            .destination_event = "migration.destination.prepared",
            .destination_next = BIT(COMPLETED) | BIT(ROLLED_BACK) | BIT(ERROR),
        },
    [FERRY_STATUS_ROLLED_BACK] =
        {
            .name = "rolled-back",
            .terminal = true,
            .destination_event = "migration.destination.rolled_back",
        },
};

/* Returns: the index of @text in @names, or -1. */
static int
find_name(const char *const *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (g_strcmp0(names[i], text) == 0)
            return (int)i;
    }
    return -1;
}

const char *
ferry_role_to_string(FerryRole role)
{
    return role_names[role];
}

bool
ferry_role_from_string(const char *text, FerryRole *ret_role)
{
    int role = find_name(role_names, G_N_ELEMENTS(role_names), text);

    if (role < 0)
        return false;
    *ret_role = (FerryRole)role;
    return true;
}

const char *
ferry_status_to_string(FerryStatus status)
{
    return statuses[status].name;
}

bool
ferry_status_from_string(const char *text, FerryStatus *ret_status)
{
    for (unsigned status = 0; status < FERRY_STATUS_COUNT; status++) {
        if (g_strcmp0(statuses[status].name, text) == 0) {
            *ret_status = (FerryStatus)status;
            return true;
        }
    }
    return false;
}

const char *
ferry_phase_to_string(FerryPhase phase)
{
    return phase_names[phase];
}

bool
ferry_phase_from_string(const char *text, FerryPhase *ret_phase)
{
    int phase = find_name(phase_names, G_N_ELEMENTS(phase_names), text);

    if (phase < 0)
        return false;
    *ret_phase = (FerryPhase)phase;
    return true;
}

bool
ferry_status_is_terminal(FerryStatus status)
{
    return statuses[status].terminal;
}

bool
ferry_status_may_follow(FerryRole role, FerryStatus from, FerryStatus to)
{
    unsigned next =
        role == FERRY_ROLE_SOURCE ? statuses[from].source_next : statuses[from].destination_next;

    return (next & (1u << to)) != 0;
}

const char *
ferry_status_event_type(FerryRole role, FerryStatus status)
{
    return role == FERRY_ROLE_SOURCE ? statuses[status].source_event
                                     : statuses[status].destination_event;
}
