#include "config.h"

#include "source/steps/trim.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "runtime/bounded-call.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/time-limits.h"
#include "virt/trim.h"
#include "virt/virt.h"

typedef struct {
    const FerryAgent *agent;
    char *uuid;
} Call;

static void
call_free(gpointer data)
{
    Call *call = data;

    g_free(call->uuid);
    g_free(call);
}

static bool
trim(gpointer data, GError **error)
{
    const Call *call = data;
    g_autoptr(virConnect) connection = ferry_virt_connect(call->agent->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, call->uuid, error) : NULL;

    return domain && ferry_virt_trim(domain, error);
}

static void
tell(FerryMigration *migration, const GError *why, gint64 begun_us)
{
    if (why)
        g_message("Migration '%s' goes on without trimming: %s", ferry_migration_id(migration),
                  why->message);
    ferry_migration_add_report(migration,
                               json_pack("{s:{s:b, s:o, s:I}}", "fstrim", "done", !why, "message",
                                         ferry_json_text(why ? why->message : NULL), "duration_ms",
                                         (json_int_t)(g_get_monotonic_time() - begun_us) / 1000));
    ferry_migration_save(migration);
}

FerryStepEnd
ferry_trim_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    gint64 begun_us = g_get_monotonic_time();
    g_autoptr(GError) why = NULL;

    if (!ferry_migration_options(migration)->fstrim)
        return FERRY_STEP_DONE;

    Call *call = g_new0(Call, 1);
    FerryDetachedWork work = {
        .thread = "vf-trim", .func = trim, .data = call, .free_data = call_free};

    call->agent = ferry_migration_agent(migration);
    call->uuid = g_strdup(ferry_migration_record(migration)->instance_uuid);
    call = ferry_bounded_call(&work, FERRY_TRIM_CALL_LIMIT_S, "Trimming in the guest",
                              ferry_migration_cancellable(migration), &why);
    g_clear_pointer(&call, call_free);
    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_CANCELLED)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return ferry_saga_step_broken(migration);
    }
    tell(migration, why, begun_us);
    return FERRY_STEP_DONE;
}
