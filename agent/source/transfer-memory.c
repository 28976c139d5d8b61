#include "config.h"

#include "source/transfer-private.h"

#include "ferry/error.h"
#include "model/transfer-policy.h"

#define MIB 1048576.0
/* From this part of its limit on the limit is what the link carries. */
#define OF_LIMIT 0.75
/* So many iterations show that a step does not do. */
#define LAST_STEP_ITERATIONS 2

void
ferry_transfer_enter_memory(FerryTransfer *self, gint64 now)
{
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;

    self->memory_us = now;
    self->copying = true;
    self->memory = ferry_memory_convergence_new((gint64)config->memory_window_s * G_USEC_PER_SEC);
    ferry_transfer_limit_memory(self);
}

/* --- the allowed pause ------------------------------------------------------------------------ */

static FerryPolicyMoment
moment_of(const FerryTransfer *self, const FerryJobInfo *info)
{
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;

    return (FerryPolicyMoment){
        /* QEMU counts the one that runs. */
        .iterations = info->sample.memory_iteration - MIN(info->sample.memory_iteration, 1),
        .memory_us = self->memory_us ? info->sample.time_us - self->memory_us : 0,
        .downtime_ms = self->options->downtime_ms,
        .clock_steps = config->live_migration_downtime_steps,
        .clock_delay_s = config->live_migration_downtime_delay_s,
        .memory_bytes = self->instance->memory_bytes,
    };
}

/* Where the last step did not do, either, an order that allows more than it gets it. */
static bool
has_tried_all_steps(const FerryTransferPolicy *policy, const FerryPolicyMoment *moment)
{
    FerryPolicyMoment before = *moment;

    if (policy->by_clock || policy->at_end == FERRY_POLICY_POST_COPY ||
        moment->iterations < LAST_STEP_ITERATIONS)
        return false;
    before.iterations -= LAST_STEP_ITERATIONS;
    return ferry_transfer_policy_is_at_end(policy, &before);
}

static guint
allowed_by_policy(const FerryTransfer *self, const FerryPolicyMoment *moment)
{
    const FerryTransferPolicy *policy = self->options->policy;

    return has_tried_all_steps(policy, moment) ? moment->downtime_ms
                                               : ferry_transfer_policy_allowed_ms(policy, moment);
}

static void
allow_downtime(FerryTransfer *self, const FerryJobInfo *info)
{
    const FerryPolicyMoment moment = moment_of(self, info);
    guint allowed = MAX(allowed_by_policy(self, &moment), self->conceded_ms);
    g_autoptr(GError) error = NULL;

    ferry_progress_set_policy(self->progress, self->options->policy, &moment);
    if (allowed == self->downtime_ms)
        return;
    if (ferry_virt_set_downtime(self->domain, allowed, &error))
        self->downtime_ms = allowed;
    else
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

/* --- memory that does not converge ------------------------------------------------------------ */

/* Who has permitted that it is forced wants that rather than a failure. */
static FerryPolicyEnd
end_of_policy(const FerryTransfer *self)
{
    FerryPolicyEnd end = self->options->policy->at_end;

    if (end != FERRY_POLICY_FAIL ||
        self->options->timeout_action != FERRY_TIMEOUT_ACTION_FORCE_COMPLETE)
        return end;
    return self->options->post_copy ? FERRY_POLICY_POST_COPY : FERRY_POLICY_PAUSE;
}

static FerryMemoryMeans
means_of(const FerryTransfer *self, gint64 now)
{
    return (FerryMemoryMeans){
        .at_end = end_of_policy(self),
        .downtime_ms = self->options->downtime_ms,
        .max_pause_ms = self->options->max_pause_ms,
        .post_copy = self->options->post_copy,
        .time_left_us = self->deadline_us == G_MAXINT64 ? G_MAXINT64 : self->deadline_us - now,
    };
}

static const char *
name_of_action(FerryMemoryAction action)
{
    switch (action) {
    case FERRY_MEMORY_GO_ON:
        return NULL;
    case FERRY_MEMORY_SWITCH:
        return "switch";
    case FERRY_MEMORY_PAUSE:
        return "pause";
    case FERRY_MEMORY_POST_COPY:
        return "post-copy";
    case FERRY_MEMORY_FAIL:
        return "fail";
    }
    return NULL;
}

static void
add_rate(GError *error, const char *key, guint64 value)
{
    ferry_error_set_detail(error, key, json_integer((json_int_t)MIN(value, G_MAXINT64)));
}

void
ferry_transfer_add_rates(const FerryTransfer *self, GError *error, const char *budget)
{
    const FerryMemoryState state = ferry_memory_convergence_state(self->memory);

    ferry_error_set_detail(error, "budget", json_string(budget));
    if (state.since_us)
        ferry_error_set_detail(error, "reason", json_string("not-converging"));
    add_rate(error, "writes_bytes_s", state.writes_bytes_s);
    add_rate(error, "link_bytes_s", state.link_bytes_s);
    add_rate(error, "remaining_bytes", state.left_bytes);
    add_rate(error, "needed_pause_ms", state.pause_ms);
    add_rate(error, "allowed_downtime_ms", self->downtime_ms);
}

/* The order's own limit, where that is all that the link carries; "" otherwise. */
static char *
hint_of_limit(const FerryTransfer *self, const FerryMemoryState *state)
{
    guint64 limit = self->options->bandwidth_mibps;

    if (limit == 0 || (double)state->link_bytes_s < (double)limit * MIB * OF_LIMIT)
        return g_strdup("");
    return g_strdup_printf(
        "Its limit of %" G_GUINT64_FORMAT " MiB/s holds it back: order more bandwidth_mib_s, or "
        "lift the limit while it moves (virt-ferry tune ID --bandwidth 0), or say in [migration] "
        "switchover_bandwidth what the link takes. Otherwise: ",
        limit);
}

/* A link that is cut: no order may allow a pause that would do. */
static bool
carries_nothing(const FerryMemoryState *state)
{
    return state->pause_ms > FERRY_DOWNTIME_MAX_MS;
}

/* Returns: (transfer full): the order that allows the pause that is needed. */
static char *
hint_of_pause(const FerryTransfer *self, const FerryMemoryState *state)
{
    const char *policy = "\"policy\" suspend-if-needed";

    if (state->pause_ms == 0)
        return g_strdup(policy);
    if (state->pause_ms <= self->options->max_pause_ms)
        return g_strdup_printf("%s (a pause of about %.1f s)", policy,
                               (double)state->pause_ms / 1000.0);
    return g_strdup_printf("%s with max_pause_ms %" G_GUINT64_FORMAT, policy,
                           MIN(state->pause_ms * 5 / 4, FERRY_DOWNTIME_MAX_MS));
}

/* What would do, as the rates look now. */
static char *
hint_of(const FerryTransfer *self, const FerryMemoryState *state)
{
    bool permitted =
        ferry_migration_agent(self->migration)->config->live_migration_permit_post_copy;
    g_autofree char *pause = hint_of_pause(self, state);
    g_autofree char *limit = hint_of_limit(self, state);

    if (carries_nothing(state))
        return g_strdup("Look at the migration network between the hosts, which carries next to "
                        "nothing; then order it anew");
    return g_strdup_printf(
        "%s%s %s%s%s; or move it when it writes less", limit, *limit ? "order" : "Order", pause,
        permitted ? ", or \"policy\" post-copy"
                  : ", or post-copy where live_migration_permit_post_copy is on",
        self->options->auto_converge ? ""
                                     : ", or auto_converge, which slows the guest down, where "
                                       "live_migration_permit_auto_converge is on");
}

/* Returns: (transfer full): "" where the link's rate is not known yet. */
static char *
tell_pause(const FerryTransfer *self, const FerryMemoryState *state)
{
    if (state->pause_ms == 0)
        return g_strdup("");
    if (carries_nothing(state))
        return g_strdup("; no pause would do");
    return g_strdup_printf("; it would have to pause for %.1f s, and %.1f s are allowed by policy "
                           "'%s'",
                           (double)state->pause_ms / 1000.0, (double)self->downtime_ms / 1000.0,
                           self->options->policy->name);
}

GError *
ferry_transfer_memory_error(const FerryTransfer *self)
{
    const FerryMemoryState state = ferry_memory_convergence_state(self->memory);
    g_autofree char *hint = hint_of(self, &state);
    g_autofree char *pause = tell_pause(self, &state);

    return ferry_error_new(
        FERRY_ERROR_MIGRATION_TIMEOUT, hint,
        "The memory of '%s' %s: it writes %.1f MiB/s anew, the link carries %.1f MiB/s%s",
        self->instance->name,
        state.since_us ? "does not converge" : "did not arrive in memory_timeout_s",
        (double)state.writes_bytes_s / MIB, (double)state.link_bytes_s / MIB, pause);
}

bool
ferry_transfer_is_short(const FerryTransfer *self)
{
    const FerryMemoryState state = ferry_memory_convergence_state(self->memory);

    return !state.link_is_ill && state.pause_ms > 0 &&
           (self->options->post_copy || state.pause_ms <= self->options->max_pause_ms);
}

static void
fail(FerryTransfer *self)
{
    GError *error = ferry_transfer_memory_error(self);

    ferry_transfer_add_rates(self, error, self->conceded_ms ? "switch" : "memory");
    ferry_transfer_abort(self, error);
}

static void
start_post_copy(FerryTransfer *self)
{
    g_autoptr(GError) error = NULL;

    if (ferry_transfer_force(self, &error))
        return;
    g_warning("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
    fail(self);
}

static void
act(FerryTransfer *self, FerryMemoryAction action)
{
    switch (action) {
    case FERRY_MEMORY_GO_ON:
        return;
    case FERRY_MEMORY_SWITCH:
        self->conceded_ms = self->options->downtime_ms;
        break;
    case FERRY_MEMORY_PAUSE:
        self->conceded_ms = self->options->max_pause_ms;
        break;
    case FERRY_MEMORY_POST_COPY:
        start_post_copy(self);
        break;
    case FERRY_MEMORY_FAIL:
        fail(self);
        return;
    }
    g_message("Migration '%s': memory does not converge; policy '%s': %s",
              ferry_migration_id(self->migration), self->options->policy->name,
              name_of_action(action));
}

static void
show(FerryTransfer *self, const FerryMemoryMeans *means)
{
    const FerryMemoryState state = ferry_memory_convergence_state(self->memory);
    gint64 in_us = 0;
    FerryMemoryAction next = ferry_memory_convergence_prospect(self->memory, means, &in_us);
    FerryConvergence convergence = {.converging = state.converging,
                                    .allowed_downtime_ms = self->downtime_ms};

    if (state.since_us)
        convergence.stall = (FerryStall){
            .of = "memory",
            .writes_bytes_s = state.writes_bytes_s,
            .link_bytes_s = state.link_bytes_s,
            .doing = name_of_action(state.done),
            .action = name_of_action(next),
            .action_in_ms = (guint64)(in_us / G_TIME_SPAN_MILLISECOND),
        };
    ferry_progress_set_convergence(self->progress, &convergence);
    if (state.since_us && !self->stalled)
        ferry_transfer_tell_stall(self, &convergence.stall, state.since_us);
    self->stalled = state.since_us != 0;
}

/* A guest that stands still or runs there is not in the way any more. */
static void
show_end(FerryTransfer *self)
{
    const FerryConvergence convergence = {.converging = FERRY_CONVERGING_YES,
                                          .allowed_downtime_ms = self->downtime_ms};

    ferry_progress_set_convergence(self->progress, &convergence);
}

void
ferry_transfer_steer_memory(FerryTransfer *self, const FerryJobInfo *info)
{
    const FerryMemoryReading reading = {
        .time_us = info->sample.time_us,
        .iteration = info->sample.memory_iteration,
        .remaining_bytes = info->sample.memory_remaining_bytes,
        .moved_bytes = info->sample.memory_processed_bytes,
        .throttle_percent = info->sample.throttle_percent,
    };
    const FerryMemoryMeans means = means_of(self, info->sample.time_us);

    if (self->phase <= FERRY_PHASE_MEMORY)
        allow_downtime(self, info);
    if (self->phase > FERRY_PHASE_MEMORY || (self->forced && self->memory))
        show_end(self);
    if (self->phase != FERRY_PHASE_MEMORY || !self->memory || self->forced)
        return;
    ferry_memory_convergence_add(self->memory, &reading);
    show(self, &means);
    if (!self->aborting)
        act(self, ferry_memory_convergence_decide(self->memory, &means));
}
