#include "config.h"

#include "virt/virt.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/lock.h"
#include "runtime/detached-call.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/domain-cache.h"
#include "virt/error.h"
#include "virt/host.h"
#include "virt/lending.h"
#include "virt/opening.h"
#include "virt/time-limits.h"
#include "virt/warm-up.h"

/* How often a libvirtd that is gone is tried again without anybody asking. */
#define RETRY_MS 3000
#define FREE_WAIT_MS 2000
/* How often is looked whether the emulator's file is a new one. */
#define EMULATOR_MS 20000
/* After so long it is said that libvirt does not answer. */
#define SILENCE_MS 1500

struct FerryVirt {
    char *uri;                 /* immutable */
    GThread *events;           /* immutable */
    gint stopping;             /* atomic */
    int retry_timer;           /* libvirt's event loop only */
    int emulator_timer;        /* immutable */
    int silence_timer;         /* immutable */
    FerryWarmUp *warm_up;      /* guards itself */
    FerryDomainCache *cache;   /* guards itself */
    FerryVirtWatches *watches; /* guards itself */
    FerryLending *lending;     /* guards itself */

    GMutex lock;
    virConnectPtr connection;          /* guarded by lock; tells of events, and is asked nothing */
    bool alive;                        /* guarded by lock */
    gint64 since_us;                   /* guarded by lock; when `connection` was opened */
    gint64 listening_us;               /* guarded by lock; since when it tells, 0: not yet */
    char *version;                     /* guarded by lock; of the libvirt there */
    bool told_away;                    /* guarded by lock; it has been said that libvirt is away */
    FerryDetachedCall *opening;        /* guarded by lock; the last one, NULL before the first */
    FerryVirtArrivalFunc arrival_func; /* guarded by lock */
    gpointer arrival_data;             /* guarded by lock */
};

/* Wakes the watches of @domain; @summary may be NULL. */
static void
notify_watches(FerryVirt *virt, virDomainPtr domain, const FerryJobSummary *summary)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virDomainGetUUIDString(domain, uuid);
    ferry_virt_watches_notify(virt->watches, uuid, summary);
}

static FerryDetachedCall *begin_opening(FerryVirt *virt);

/* Says once that libvirt is away, until it is back. */
static void
tell_away(FerryVirt *virt, const char *why)
{
    g_mutex_lock(&virt->lock);
    bool told = virt->told_away || virt->alive;

    virt->told_away = virt->told_away || !virt->alive;
    g_mutex_unlock(&virt->lock);
    if (!told && !g_atomic_int_get(&virt->stopping))
        g_warning("%s. It is tried again every %d s", why, RETRY_MS / 1000);
}

/* An opening that hangs fails much later. */
static void
on_silence(int timer, void *opaque)
{
    FerryVirt *virt = opaque;

    virEventUpdateTimeout(virt->silence_timer, -1);
    g_autofree char *why = g_strdup_printf("libvirt at '%s' does not answer", virt->uri);

    if (!ferry_virt_is_connected(virt))
        tell_away(virt, why);
}

/* --- libvirt's event thread ------------------------------------------------------------------- */

/* Any of its events may bring it another name; only an active one is kept. */
static void
keep_domain_cache(FerryVirt *virt, virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virDomainGetUUIDString(domain, uuid);
    ferry_domain_cache_remove(virt->cache, uuid);
    if (virDomainGetID(domain) != (unsigned)-1)
        ferry_domain_cache_put(virt->cache, ferry_domain_cache_generation(virt->cache),
                               virDomainGetName(domain), uuid);
}

static void
tell_arrival(FerryVirt *virt, virDomainPtr domain, bool runs)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    FERRY_LOCK_SCOPE(&virt->lock);

    virDomainGetUUIDString(domain, uuid);
    if (virt->arrival_func)
        virt->arrival_func(uuid, runs, virt->arrival_data);
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *opaque)
{
    keep_domain_cache(opaque, domain);
    notify_watches(opaque, domain, NULL);
    /* One that arrives is told to be resumed at the end of it, also where it stays paused. */
    if (event == VIR_DOMAIN_EVENT_STARTED || event == VIR_DOMAIN_EVENT_RESUMED)
        tell_arrival(opaque, domain,
                     event == VIR_DOMAIN_EVENT_RESUMED ||
                         detail != VIR_DOMAIN_EVENT_STARTED_MIGRATED);
    return 0;
}

static void
fill_domain_cache(FerryVirt *virt, virConnectPtr connection)
{
    virDomainPtr *domains = NULL;
    guint generation = ferry_domain_cache_generation(virt->cache);
    int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    for (int i = 0; i < count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN] = "";

        virDomainGetUUIDString(domains[i], uuid);
        ferry_domain_cache_put(virt->cache, generation, virDomainGetName(domains[i]), uuid);
        virDomainFree(domains[i]);
    }
    free(domains);
}

static void
on_iteration(virConnectPtr connection, virDomainPtr domain, int iteration, void *opaque)
{
    notify_watches(opaque, domain, NULL);
}

static void
on_block_job(virConnectPtr connection,
             virDomainPtr domain,
             const char *disk,
             int type,
             int status,
             void *opaque)
{
    notify_watches(opaque, domain, NULL);
}

static void
on_job_completed(virConnectPtr connection,
                 virDomainPtr domain,
                 virTypedParameterPtr params,
                 int nparams,
                 void *opaque)
{
    FerryJobSummary summary = {.valid = true};
    unsigned long long value = 0;

    if (virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_DOWNTIME, &value) == 1)
        summary.downtime_ms = value;
    if (virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_MEMORY_PROCESSED, &value) == 1)
        summary.memory_processed_bytes = value;
    if (virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_DISK_PROCESSED, &value) == 1)
        summary.disk_processed_bytes = value;
    if (virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_MEMORY_ITERATION, &value) == 1)
        summary.memory_iterations = value;
    notify_watches(opaque, domain, &summary);
}

/* Returns: true when it will be told of what becomes of domains. */
static bool
register_events(FerryVirt *virt, virConnectPtr connection)
{
    bool lifecycle = true;
    /* Of the one type that compilers let become any other. */
    const struct {
        int id;
        GCallback callback;
    } wanted[] = {
        {VIR_DOMAIN_EVENT_ID_LIFECYCLE, G_CALLBACK(on_lifecycle)},
        {VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, G_CALLBACK(on_iteration)},
        {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, G_CALLBACK(on_block_job)},
        {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, G_CALLBACK(on_job_completed)},
    };

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (virConnectDomainEventRegisterAny(connection, NULL, wanted[i].id,
                                             VIR_DOMAIN_EVENT_CALLBACK(wanted[i].callback), virt,
                                             NULL) >= 0)
            continue;
        g_warning("libvirt refuses events of kind %d: %s", wanted[i].id, virGetLastErrorMessage());
        lifecycle = lifecycle && wanted[i].id != VIR_DOMAIN_EVENT_ID_LIFECYCLE;
    }
    return lifecycle;
}

static void
on_retry(int timer, void *opaque)
{
    FerryVirt *virt = opaque;

    virEventUpdateTimeout(virt->retry_timer, -1);
    if (!g_atomic_int_get(&virt->stopping))
        ferry_detached_call_abandon(begin_opening(virt));
}

static void
on_emulator_timer(int timer, void *opaque)
{
    const FerryVirt *virt = opaque;

    if (ferry_virt_is_connected(opaque))
        ferry_warm_up_look(virt->warm_up);
}

static void
on_closed(virConnectPtr connection, int reason, void *opaque)
{
    FerryVirt *virt = opaque;

    g_mutex_lock(&virt->lock);
    if (virt->connection == connection) {
        virt->alive = false;
        virt->told_away = true;
        ferry_domain_cache_clear(virt->cache);
    }
    g_mutex_unlock(&virt->lock);
    ferry_virt_watches_notify(virt->watches, NULL, NULL);
    if (!g_atomic_int_get(&virt->stopping))
        g_warning("Lost the connection to libvirt at '%s'", virt->uri);
    virEventUpdateTimeout(virt->retry_timer, RETRY_MS);
}

static gpointer
run_events(gpointer data)
{
    FerryVirt *virt = data;

    while (!g_atomic_int_get(&virt->stopping)) {
        if (virEventRunDefaultImpl() < 0) {
            g_warning("libvirt's event loop failed: %s", virGetLastErrorMessage());
            g_usleep(100 * 1000);
        }
    }
    return NULL;
}

/* --- the connection --------------------------------------------------------------------------- */

/* libvirt prints every error to standard error unless told otherwise; ours are logged where they
 * are handled. */
static void
keep_silent(void *data, virErrorPtr error)
{
}

static gpointer
initialise_libvirt(gpointer data)
{
    virSetErrorFunc(NULL, keep_silent);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        g_error("libvirt cannot be initialised: %s", virGetLastErrorMessage());
    return NULL;
}

FerryVirt *
ferry_virt_new(const char *uri)
{
    static GOnce once = G_ONCE_INIT;
    FerryVirt *virt = g_new0(FerryVirt, 1);

    g_once(&once, initialise_libvirt, NULL);
    virt->uri = g_strdup(uri);
    virt->watches = ferry_virt_watches_new();
    virt->cache = ferry_domain_cache_new();
    virt->lending = ferry_lending_new(uri);
    g_mutex_init(&virt->lock);
    virt->retry_timer = virEventAddTimeout(0, on_retry, virt, NULL);
    virt->warm_up = ferry_warm_up_new(uri);
    virt->silence_timer = virEventAddTimeout(SILENCE_MS, on_silence, virt, NULL);
    virt->emulator_timer = virEventAddTimeout(EMULATOR_MS, on_emulator_timer, virt, NULL);
    virt->events = g_thread_new("vf-virt-events", run_events, virt);
    return virt;
}

static void
nudge(int timer, void *opaque)
{
}

/* A thread that hangs in libvirt still uses us; the process ends anyway. */
static bool
is_free_of_threads(FerryVirt *virt)
{
    g_mutex_lock(&virt->lock);
    g_autoptr(FerryDetachedCall) opening =
        virt->opening ? ferry_detached_call_ref(virt->opening) : NULL;
    g_mutex_unlock(&virt->lock);

    return (!opening || ferry_detached_call_wait(opening, FREE_WAIT_MS, NULL) == FERRY_CALL_OVER) &&
           ferry_virt_watches_is_empty(virt->watches);
}

void
ferry_virt_free(FerryVirt *virt)
{
    if (!virt)
        return;
    g_atomic_int_set(&virt->stopping, 1);
    virEventUpdateTimeout(virt->retry_timer, -1);
    /* A timer that is due makes the loop turn once and see the flag. */
    int timer = virEventAddTimeout(0, nudge, NULL, NULL);

    g_thread_join(virt->events);
    virEventRemoveTimeout(timer);
    virEventRemoveTimeout(virt->retry_timer);
    virEventRemoveTimeout(virt->emulator_timer);
    virEventRemoveTimeout(virt->silence_timer);
    if (!is_free_of_threads(virt))
        return;
    if (virt->connection) {
        virConnectUnregisterCloseCallback(virt->connection, on_closed);
        virConnectClose(virt->connection);
    }
    ferry_virt_watches_free(virt->watches);
    ferry_domain_cache_free(virt->cache);
    ferry_lending_free(virt->lending);
    ferry_warm_up_free(virt->warm_up);
    ferry_detached_call_abandon(virt->opening);
    g_mutex_clear(&virt->lock);
    g_free(virt->version);
    g_free(virt->uri);
    g_free(virt);
}

void
ferry_virt_set_arrival_func(FerryVirt *virt, FerryVirtArrivalFunc func, gpointer user_data)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    virt->arrival_func = func;
    virt->arrival_data = user_data;
}

FerryVirtWatch *
ferry_virt_watch(FerryVirt *virt, const char *uuid)
{
    return ferry_virt_watch_new(virt->watches, uuid);
}

bool
ferry_virt_knows_active(FerryVirt *virt, const char *name_or_uuid, char **ret_name, char **ret_uuid)
{
    return ferry_domain_cache_find(virt->cache, name_or_uuid, ret_name, ret_uuid);
}

bool
ferry_virt_is_connected(FerryVirt *virt)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    return virt->alive;
}

gint64
ferry_virt_standing(FerryVirt *virt, char **ret_version)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    *ret_version = virt->alive ? g_strdup(virt->version) : NULL;
    return virt->alive ? virt->since_us : 0;
}

gint64
ferry_virt_listening(FerryVirt *virt)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    return virt->alive ? virt->listening_us : 0;
}

static bool
stands(FerryVirt *virt)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    /* A look at the socket only: a close that came before the callback was set shows here. */
    if (virt->alive && virConnectIsAlive(virt->connection) != 1)
        virt->alive = false;
    return virt->alive;
}

static void
begin_to_listen(FerryVirt *virt)
{
    FERRY_LOCK_SCOPE(&virt->lock);

    virt->listening_us = ferry_clock_now_us();
}

static void
adopt(FerryVirt *virt, virConnectPtr fresh)
{
    char *version = ferry_virt_host_libvirt_version(fresh);

    g_mutex_lock(&virt->lock);
    virConnectPtr old = virt->connection;

    virt->connection = fresh;
    virt->alive = true;
    virt->told_away = false;
    virt->since_us = ferry_clock_now_us();
    virt->listening_us = 0;
    g_free(virt->version);
    virt->version = version;
    g_mutex_unlock(&virt->lock);

    ferry_domain_cache_clear(virt->cache);
    if (old)
        virConnectClose(old);
    virConnectRegisterCloseCallback(fresh, on_closed, virt, NULL);
    if (register_events(virt, fresh))
        begin_to_listen(virt);
    fill_domain_cache(virt, fresh);
    ferry_warm_up_begin(virt->warm_up);
    g_message("Connected to libvirt at '%s'", virt->uri);
}

/* In the call's thread. */
static bool
run_opening(gpointer data, GError **error)
{
    FerryVirt *virt = data;
    const FerryOpening opening = ferry_opening_of_host(virt->uri, NULL);
    virConnectPtr connection = ferry_opening_run(&opening, error);

    if (connection) {
        adopt(virt, connection);
    } else {
        tell_away(virt, (*error)->message);
        virEventUpdateTimeout(virt->retry_timer, RETRY_MS);
    }
    return connection != NULL;
}

/* Opening can hang: it has a thread that nobody has to wait for. Returns: (transfer full): NULL
 * when a connection stands. */
static FerryDetachedCall *
begin_opening(FerryVirt *virt)
{
    FerryDetachedWork work = {.thread = "vf-virt-open", .func = run_opening, .data = virt};
    FERRY_LOCK_SCOPE(&virt->lock);

    if (virt->alive)
        return NULL;
    if (!virt->opening || ferry_detached_call_wait(virt->opening, 0, NULL) == FERRY_CALL_OVER) {
        ferry_detached_call_abandon(virt->opening);
        virt->opening = ferry_detached_call_start(&work);
    }
    return ferry_detached_call_ref(virt->opening);
}

/* Returns: true when the connection stands that tells of events: then libvirt answers others. */
static bool
await_connection(FerryVirt *virt, GError **error)
{
    if (stands(virt))
        return true;

    g_autoptr(FerryDetachedCall) opening = begin_opening(virt);
    bool over = !opening || ferry_detached_call_wait(opening, FERRY_OPEN_LIMIT_S * 1000, NULL) ==
                                FERRY_CALL_OVER;

    if (stands(virt))
        return true;
    if (opening && over && !ferry_detached_call_result(opening, error))
        return false;
    ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                    ferry_libvirt_hint(FERRY_LIBVIRT_IS_AWAY),
                    over ? "libvirt at '%s' went away at once"
                         : "libvirt at '%s' takes connections but does not answer",
                    virt->uri);
    return false;
}

virConnectPtr
ferry_virt_connect(FerryVirt *virt, GError **error)
{
    return await_connection(virt, error) ? ferry_lending_take(virt->lending, error) : NULL;
}

virConnectPtr
ferry_virt_connect_apart(FerryVirt *virt, GError **error)
{
    const FerryOpening opening = ferry_opening_of_host(virt->uri, "vf-virt-apart");

    return await_connection(virt, error)
               ? ferry_opening_run_bounded(&opening, /* cancellable= */ NULL, error)
               : NULL;
}

virConnectPtr
ferry_virt_connect_to(const char *uri, GCancellable *cancellable, GError **error)
{
    const FerryOpening opening = {.uri = uri,
                                  .thread = "vf-virt-far",
                                  .keepalive_s = FERRY_FAR_KEEPALIVE_S,
                                  .keepalive_count = FERRY_FAR_KEEPALIVE_COUNT};

    return ferry_opening_run_bounded(&opening, cancellable, error);
}

bool
ferry_virt_connection_stands(virConnectPtr connection)
{
    return virConnectIsAlive(connection) == 1;
}
