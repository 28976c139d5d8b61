/* The calls: noted, failed, held up; and libvirt's errors. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <stdlib.h>
#include <string.h>

#define AWAIT_US (10 * G_USEC_PER_SEC)

GMutex fake_lock;
GCond fake_changed;

typedef struct {
    char *call;
    char *about;
} Call;

typedef struct {
    char *call;
    guint times;
    int code;
    char *message;
} Fault;

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
} Hook;

/* All guarded by fake_lock. */
static GPtrArray *calls;
static GPtrArray *faults;
static GHashTable *blocked; /* a set of names */
static GHashTable *hooks;   /* name to Hook */

static void
call_free(gpointer data)
{
    Call *call = data;

    g_free(call->call);
    g_free(call->about);
    g_free(call);
}

static void
fault_free(gpointer data)
{
    Fault *fault = data;

    g_free(fault->call);
    g_free(fault->message);
    g_free(fault);
}

static void
reset_calls(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&calls, g_ptr_array_unref);
    g_clear_pointer(&faults, g_ptr_array_unref);
    g_clear_pointer(&blocked, g_hash_table_unref);
    g_clear_pointer(&hooks, g_hash_table_unref);
    calls = g_ptr_array_new_with_free_func(call_free);
    faults = g_ptr_array_new_with_free_func(fault_free);
    blocked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    hooks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Each noun is named here, so that the linker takes all of the stand-in or nothing of it. */
void
fake_libvirt_reset(void)
{
    reset_calls();
    fake_params_reset();
    fake_connections_reset();
    fake_domains_reset();
    fake_jobs_reset();
    fake_block_jobs_reset();
    fake_monitor_reset();
    fake_pools_reset();
    fake_volumes_reset();
    fake_streams_reset();
    fake_host_reset();
}

/* --- what the test says ----------------------------------------------------------------------- */

void
fake_call_fail_times(const char *call, guint times, int code, const char *message)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    Fault *fault = g_new0(Fault, 1);

    *fault = (Fault){g_strdup(call), times, code, g_strdup(message)};
    g_ptr_array_add(faults, fault);
}

void
fake_call_fail(const char *call, int code, const char *message)
{
    fake_call_fail_times(call, 1, code, message);
}

void
fake_call_block(const char *call)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_add(blocked, g_strdup(call));
}

void
fake_call_release(const char *call)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_remove(blocked, call);
    g_cond_broadcast(&fake_changed);
}

void
fake_call_hook(const char *call, void (*func)(gpointer data), gpointer data)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    Hook *hook = g_new0(Hook, 1);

    *hook = (Hook){func, data};
    g_hash_table_replace(hooks, g_strdup(call), hook);
}

/* Under the lock. */
static guint
count_calls(const char *name)
{
    guint count = 0;

    for (guint i = 0; i < calls->len; i++)
        count += strcmp(((const Call *)g_ptr_array_index(calls, i))->call, name) == 0;
    return count;
}

guint
fake_call_count(const char *call)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return count_calls(call);
}

void
fake_call_await(const char *call, guint count)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_US;
    FERRY_LOCK_SCOPE(&fake_lock);

    while (count_calls(call) < count)
        if (!g_cond_wait_until(&fake_changed, &fake_lock, deadline))
            g_error("%s was called %u times, not %u", call, count_calls(call), count);
}

char *
fake_calls_list(const char *const *names)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < calls->len; i++) {
        const Call *call = g_ptr_array_index(calls, i);

        if (g_strv_contains(names, call->call))
            g_string_append_printf(list, "%s %s\n", call->call, call->about);
    }
    return g_string_free(list, FALSE);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void
free_error(gpointer error)
{
    virFreeError(error);
}

static GPrivate last_error = G_PRIVATE_INIT(free_error);

void
fake_forget_error(void)
{
    g_private_replace(&last_error, NULL);
}

static void
set_error(int code, const char *message)
{
    virErrorPtr error = g_new0(virError, 1);
    bool lost = code == VIR_ERR_RPC || code == VIR_ERR_NO_CONNECT;

    error->code = code;
    error->domain = lost ? VIR_FROM_RPC : VIR_FROM_QEMU;
    error->message = g_strdup(message);
    error->level = VIR_ERR_ERROR;
    g_private_replace(&last_error, error);
}

int
fake_refuse(int code, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_autofree char *message = g_strdup_vprintf(format, values);
    va_end(values);
    set_error(code, message);
    return -1;
}

virErrorPtr
virGetLastError(void)
{
    return g_private_get(&last_error);
}

const char *
virGetLastErrorMessage(void)
{
    virErrorPtr error = virGetLastError();

    return error ? error->message : "no error";
}

virErrorPtr
virSaveLastError(void)
{
    virErrorPtr error = virGetLastError();
    virErrorPtr copy = g_new0(virError, 1);

    if (error) {
        *copy = *error;
        copy->message = g_strdup(error->message);
    }
    return copy;
}

void
virFreeError(virErrorPtr error)
{
    if (!error)
        return;
    g_free(error->message);
    g_free(error);
}

void
virResetLastError(void)
{
    fake_forget_error();
}

void
virSetErrorFunc(void *user_data, virErrorFunc handler)
{
}

/* --- a call ----------------------------------------------------------------------------------- */

/* Returns: false when the test wants this call to fail. */
static bool
meet_fault(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < faults->len; i++) {
        Fault *fault = g_ptr_array_index(faults, i);

        if (strcmp(fault->call, name) != 0)
            continue;
        set_error(fault->code, fault->message);
        if (--fault->times == 0)
            g_ptr_array_remove_index(faults, i);
        return false;
    }
    return true;
}

static void
note_call(const char *name, char *about, Hook *ret_hook)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    const Hook *hook = g_hash_table_lookup(hooks, name);
    Call *call = g_new0(Call, 1);

    *call = (Call){g_strdup(name), about};
    g_ptr_array_add(calls, call);
    g_cond_broadcast(&fake_changed);
    if (hook)
        *ret_hook = *hook;
}

static void
wait_until_released(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    while (g_hash_table_contains(blocked, name))
        g_cond_wait(&fake_changed, &fake_lock);
}

bool
fake_begin(const char *name, const char *format, ...)
{
    Hook hook = {0};
    va_list values;

    va_start(values, format);
    char *about = g_strdup_vprintf(format, values);
    va_end(values);
    fake_forget_error();
    note_call(name, about, &hook);
    if (hook.func)
        hook.func(hook.data);
    wait_until_released(name);
    return meet_fault(name);
}

int
virInitialize(void)
{
    return 0;
}
