/* Jobs: the migration itself, and what is asked of it and told to it. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <libvirt/libvirt-qemu.h>
#include <string.h>

/* The migration; all guarded by fake_lock. */
static bool held;
static bool ended;
static int end_code;
static char *end_message;
static unsigned int last_flags;
static GHashTable *last_params;
static GQueue answers = G_QUEUE_INIT; /* char *, of the monitor */

void
fake_jobs_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    held = ended = false;
    last_flags = 0;
    g_queue_clear_full(&answers, g_free);
    g_clear_pointer(&end_message, g_free);
    g_clear_pointer(&last_params, g_hash_table_unref);
    last_params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* --- the test's side -------------------------------------------------------------------------- */

void
fake_job_set(const char *uuid, int type, int operation)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);

    domain->job_type = type;
    domain->job_operation = operation;
}

void
fake_domain_set_held(const char *uuid, bool is_held)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    fake_domain_get(uuid)->held = is_held;
}

void
fake_job_set_counter(const char *uuid, const char *name, guint64 value)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_replace(fake_domain_get(uuid)->counters, g_strdup(name),
                         g_memdup2(&value, sizeof value));
}

void
fake_job_set_completed_downtime(const char *uuid, guint64 downtime_ms)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);

    domain->has_downtime = true;
    domain->downtime_ms = downtime_ms;
}

void
fake_migration_hold(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    held = true;
    ended = false;
}

/* Under the lock. */
static void
end_migration(int code, const char *message)
{
    ended = true;
    end_code = code;
    g_free(end_message);
    end_message = g_strdup(message);
    g_cond_broadcast(&fake_changed);
}

void
fake_migration_end(int code, const char *message)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    end_migration(code, message);
}

unsigned int
fake_migration_flags(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return last_flags;
}

char *
fake_migration_param(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return g_strdup(g_hash_table_lookup(last_params, name));
}

void
fake_monitor_answer(const char *answer)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_queue_push_tail(&answers, g_strdup(answer));
}

/* --- the migration ---------------------------------------------------------------------------- */

static char *
param_text(const virTypedParameter *param)
{
    if (param->type == VIR_TYPED_PARAM_STRING)
        return g_strdup(param->value.s);
    if (param->type == VIR_TYPED_PARAM_ULLONG)
        return g_strdup_printf("%llu", param->value.ul);
    return g_strdup_printf("%d", param->value.i);
}

/* Under the lock. */
static void
note_order(virTypedParameterPtr params, unsigned int count, unsigned int flags)
{
    last_flags = flags;
    g_hash_table_remove_all(last_params);
    for (unsigned int i = 0; i < count; i++) {
        const char *before = g_hash_table_lookup(last_params, params[i].field);
        g_autofree char *text = param_text(&params[i]);

        g_hash_table_replace(last_params, g_strdup(params[i].field),
                             before ? g_strdup_printf("%s %s", before, text) : g_strdup(text));
    }
}

/* Under the lock. What becomes of the domain on the source. */
static void
leave(FakeDomain *domain, unsigned int flags)
{
    if (flags & VIR_MIGRATE_OFFLINE)
        return;
    if (flags & VIR_MIGRATE_UNDEFINE_SOURCE)
        domain->persistent = false;
    fake_domain_stop(domain, VIR_DOMAIN_SHUTOFF_MIGRATED);
}

/* A rehearsal names a socket where nobody listens; libvirt sees to all else before it connects. */
static int
fail_to_connect(const char *uri)
{
    return fake_refuse(VIR_ERR_SYSTEM_ERROR, "Failed to connect socket to '%s'",
                       strstr(uri, "socket=") + strlen("socket="));
}

int
virDomainMigrateToURI3(virDomainPtr handle,
                       const char *uri,
                       virTypedParameterPtr params,
                       unsigned int count,
                       unsigned int flags)
{
    if (!fake_begin(__func__, "%s %s", handle->name, uri))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    if (strstr(uri, "socket="))
        return fail_to_connect(uri);
    note_order(params, count, flags);
    domain->job_type = VIR_DOMAIN_JOB_UNBOUNDED;
    domain->job_operation = VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
    while (held && !ended)
        g_cond_wait(&fake_changed, &fake_lock);
    domain = fake_domain_of(handle);
    if (!domain)
        return -1;
    domain->job_type = VIR_DOMAIN_JOB_NONE;
    if (ended && end_code != VIR_ERR_OK)
        return fake_refuse(end_code, "%s", end_message);
    leave(domain, flags);
    return 0;
}

int
virDomainAbortJob(virDomainPtr handle)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    if (domain->job_type == VIR_DOMAIN_JOB_NONE)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "no job is active on the domain");
    end_migration(VIR_ERR_OPERATION_ABORTED, "operation aborted: migration out job");
    return 0;
}

int
virDomainMigrateStartPostCopy(virDomainPtr handle, unsigned int flags)
{
    return fake_begin(__func__, "%s", handle->name) ? 0 : -1;
}

int
virDomainMigrateSetMaxDowntime(virDomainPtr handle,
                               unsigned long long downtime_ms,
                               unsigned int flags)
{
    return fake_begin(__func__, "%s %llu", handle->name, downtime_ms) ? 0 : -1;
}

int
virDomainMigrateSetMaxSpeed(virDomainPtr handle, unsigned long mibps, unsigned int flags)
{
    return fake_begin(__func__, "%s %lu", handle->name, mibps) ? 0 : -1;
}

int
virDomainQemuMonitorCommand(virDomainPtr handle, const char *order, char **ret, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", order))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    char *answer = g_queue_pop_head(&answers);

    *ret = answer ? answer : g_strdup("{\"return\":{}}");
    return 0;
}

/* --- looking ---------------------------------------------------------------------------------- */

int
virDomainGetJobInfo(virDomainPtr handle, virDomainJobInfoPtr ret)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    memset(ret, 0, sizeof *ret);
    ret->type = domain->job_type;
    return 0;
}

int
virDomainGetControlInfo(virDomainPtr handle, virDomainControlInfoPtr ret, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    memset(ret, 0, sizeof *ret);
    ret->state = domain->held ? VIR_DOMAIN_CONTROL_OCCUPIED : VIR_DOMAIN_CONTROL_OK;
    return 0;
}

static void
list_counters(const FakeDomain *domain, virTypedParameterPtr *params, int *count)
{
    GHashTableIter iter;
    gpointer name = NULL;
    gpointer value = NULL;
    int capacity = 0;

    virTypedParamsAddInt(params, count, &capacity, VIR_DOMAIN_JOB_OPERATION, domain->job_operation);
    g_hash_table_iter_init(&iter, domain->counters);
    while (g_hash_table_iter_next(&iter, &name, &value))
        virTypedParamsAddULLong(params, count, &capacity, name, *(guint64 *)value);
}

int
virDomainGetJobStats(virDomainPtr handle,
                     int *ret_type,
                     virTypedParameterPtr *params,
                     int *count,
                     unsigned int flags)
{
    if (!fake_begin(__func__, "%s %u", handle->name, flags))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);
    bool completed = (flags & VIR_DOMAIN_JOB_STATS_COMPLETED) != 0;
    int capacity = 0;

    if (!domain)
        return -1;
    *ret_type = completed ? VIR_DOMAIN_JOB_COMPLETED : domain->job_type;
    if (!completed && domain->job_type != VIR_DOMAIN_JOB_NONE)
        list_counters(domain, params, count);
    if (completed && domain->has_downtime)
        virTypedParamsAddULLong(params, count, &capacity, VIR_DOMAIN_JOB_DOWNTIME,
                                domain->downtime_ms);
    return 0;
}
