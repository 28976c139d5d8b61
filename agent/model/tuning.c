#include "config.h"

#include "model/tuning.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/host-versions.h"
#include "model/json-field.h"

/* Before, it waits 30 s for the migration's own job, and fails. */
#define LIBVIRT_LIMITS_MIRRORS "11.3.0"
#define LIBVIRT_TELLS_THE_LINK "11.1.0"

static const char *const keys[] = {"bandwidth_mib_s", "downtime_ms", "max_pause_ms", "policy"};

FerryTuning
ferry_tuning_of(const FerryOrderOptions *options)
{
    return (FerryTuning){options->bandwidth_mibps, options->downtime_ms, options->max_pause_ms,
                         options->policy};
}

void
ferry_tuning_apply(const FerryTuning *tuning, FerryOrderOptions *options)
{
    options->bandwidth_mibps = tuning->bandwidth_mibps;
    options->downtime_ms = tuning->downtime_ms;
    options->max_pause_ms = tuning->max_pause_ms;
    options->policy = tuning->policy;
}

bool
ferry_tuning_equal(const FerryTuning *a, const FerryTuning *b)
{
    return a->bandwidth_mibps == b->bandwidth_mibps && a->downtime_ms == b->downtime_ms &&
           a->max_pause_ms == b->max_pause_ms && a->policy == b->policy;
}

static bool
refuse(const char *hint, const char *message, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint, "%s", message);
    return false;
}

static bool
has_any(const json_t *changes)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const json_t *value = json_object_get(changes, keys[i]);

        if (value && !json_is_null(value))
            return true;
    }
    return false;
}

static bool
check_together(const FerryTuning *tuning, const FerryOrderOptions *options, GError **error)
{
    if (tuning->downtime_ms > tuning->max_pause_ms) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Give the other one, too",
                        "\"downtime_ms\", %u, would be above \"max_pause_ms\", %u",
                        tuning->downtime_ms, tuning->max_pause_ms);
        return false;
    }
    if (tuning->policy->at_end == FERRY_POLICY_POST_COPY && !options->post_copy)
        return refuse("Abort it, and order it anew with that policy; post-copy has to be permitted "
                      "on both hosts",
                      "\"policy\" ends in post-copy, and the migration was begun without", error);
    return true;
}

bool
ferry_tuning_change(FerryTuning *tuning,
                    const json_t *changes,
                    const FerryOrderOptions *options,
                    const FerryConfig *config,
                    GError **error)
{
    const FerryFieldScope scope = {changes, "args"};
    FerryOrderOptions read = {0};

    if (!has_any(changes))
        return refuse("Give \"bandwidth_mib_s\", \"downtime_ms\", \"max_pause_ms\" or \"policy\"",
                      "There is nothing to change", error);
    ferry_tuning_apply(tuning, &read);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (!ferry_order_options_read(&read, &scope, keys[i], config, error))
            return false;

    const FerryTuning changed = ferry_tuning_of(&read);

    if (!check_together(&changed, options, error))
        return false;
    *tuning = changed;
    return true;
}

/* The order's own stands, which was settled already. */
static bool
may_end_in_post_copy(const FerryTuning *tuning, const FerryOrderOptions *options)
{
    return options->post_copy || tuning->policy == options->policy ||
           tuning->policy->at_end != FERRY_POLICY_POST_COPY;
}

static void
warn_not_followed(const char *migration_id, const char *why)
{
    g_warning("Migration '%s': of what was changed of it before, one thing is not followed: %s",
              migration_id, why);
}

FerryTuning
ferry_tuning_recall(const json_t *parameters,
                    const FerryOrderOptions *options,
                    const FerryConfig *config,
                    const char *migration_id)
{
    const FerryFieldScope scope = {parameters, "parameters"};
    FerryTuning tuning = ferry_tuning_of(options);
    FerryOrderOptions read = {0};

    ferry_tuning_apply(&tuning, &read);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GError) why = NULL;

        if (!ferry_order_options_read(&read, &scope, keys[i], config, &why))
            warn_not_followed(migration_id, why->message);
    }
    tuning = ferry_tuning_of(&read);
    tuning.max_pause_ms = MAX(tuning.max_pause_ms, tuning.downtime_ms);
    if (!may_end_in_post_copy(&tuning, options)) {
        warn_not_followed(migration_id, "\"policy\" ends in post-copy, which is not permitted");
        tuning.policy = options->policy;
    }
    return tuning;
}

json_t *
ferry_tuning_to_json(const FerryTuning *tuning)
{
    return json_pack("{s:I, s:i, s:i, s:s}", "bandwidth_mib_s", (json_int_t)tuning->bandwidth_mibps,
                     "downtime_ms", (int)tuning->downtime_ms, "max_pause_ms",
                     (int)tuning->max_pause_ms, "policy", tuning->policy->name);
}

guint64
ferry_switchover_mibps(const FerryTuning *tuning,
                       const FerryConfig *config,
                       const char *libvirt_here,
                       const char *libvirt_there)
{
    bool known = ferry_version_is_at_least(libvirt_here, LIBVIRT_TELLS_THE_LINK) &&
                 ferry_version_is_at_least(libvirt_there, LIBVIRT_TELLS_THE_LINK);

    return known && tuning->bandwidth_mibps > 0 ? config->switchover_bandwidth_mibps : 0;
}

FerryMirrorLimit
ferry_mirror_limit_of(const char *libvirt_version, const FerryConfig *config)
{
    if (ferry_version_is_at_least(libvirt_version, LIBVIRT_LIMITS_MIRRORS))
        return FERRY_MIRROR_LIMIT_LIBVIRT;
    return config->monitor_commands ? FERRY_MIRROR_LIMIT_MONITOR : FERRY_MIRROR_LIMIT_STAYS;
}
