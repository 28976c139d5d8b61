#include "config.h"

#include "virt/lending.h"

#include "ferry/error.h"
#include "ferry/lock.h"
#include "runtime/detached-call.h"
#include "virt/opening.h"
#include "virt/time-limits.h"

/* As many as an agent without much to do uses at once. */
#define MAX_IDLE 4

/* Reference counted in this file: by its owner, by what is lent and by the opening. */
struct FerryLending {
    char *uri; /* immutable */

    /* Guarded by lock. */
    bool ended;
    GQueue idle;                /* of virConnectPtr; the last one used comes first */
    FerryDetachedCall *opening; /* the last one, NULL before the first */
};

static GMutex lock;      /* of all of this file */
static GHashTable *lent; /* guarded by lock; connection -> FerryLending, to which it goes back */

static void
clear(gpointer data)
{
    FerryLending *self = data;

    g_free(self->uri);
}

static void
unref(gpointer self)
{
    g_atomic_rc_box_release_full(self, clear);
}

FerryLending *
ferry_lending_new(const char *uri)
{
    FerryLending *self = g_atomic_rc_box_new0(FerryLending);

    self->uri = g_strdup(uri);
    g_queue_init(&self->idle);
    return self;
}

void
ferry_lending_free(FerryLending *self)
{
    virConnectPtr connection = NULL;

    if (!self)
        return;
    g_mutex_lock(&lock);
    self->ended = true;
    /* It has a reference to us. */
    g_clear_pointer(&self->opening, ferry_detached_call_abandon);
    g_mutex_unlock(&lock);
    /* Nobody adds to them any more. */
    while ((connection = g_queue_pop_head(&self->idle)))
        virConnectClose(connection);
    unref(self);
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Returns: (nullable): one that stands. Others are closed, which needs no answer. */
static virConnectPtr
take_idle(FerryLending *self)
{
    virConnectPtr connection = NULL;
    FERRY_LOCK_SCOPE(&lock);

    /* A look at the socket only. */
    while ((connection = g_queue_pop_head(&self->idle)) && virConnectIsAlive(connection) != 1)
        virConnectClose(connection);
    if (!connection)
        return NULL;
    if (!lent)
        lent = g_hash_table_new(NULL, NULL);
    g_hash_table_insert(lent, connection, g_atomic_rc_box_acquire(self));
    return connection;
}

/* Returns: true when it waits for the next one. */
static bool
keep(FerryLending *self, virConnectPtr connection)
{
    FERRY_LOCK_SCOPE(&lock);

    if (self->ended || self->idle.length >= MAX_IDLE)
        return false;
    g_queue_push_head(&self->idle, connection);
    return true;
}

/* In the call's thread; may hang. */
static bool
run_opening(gpointer data, GError **error)
{
    FerryLending *self = data;
    const FerryOpening opening = ferry_opening_of_host(self->uri, NULL);
    virConnectPtr connection = ferry_opening_run(&opening, error);

    if (!connection)
        return false;
    if (!keep(self, connection))
        virConnectClose(connection);
    return true;
}

/* Returns: (transfer full) */
static FerryDetachedCall *
begin_opening(FerryLending *self)
{
    FerryDetachedWork work = {.thread = "vf-virt-lend", .func = run_opening, .free_data = unref};
    FERRY_LOCK_SCOPE(&lock);

    if (!self->opening || ferry_detached_call_wait(self->opening, 0, NULL) == FERRY_CALL_OVER) {
        ferry_detached_call_abandon(self->opening);
        work.data = g_atomic_rc_box_acquire(self);
        self->opening = ferry_detached_call_start(&work);
    }
    return ferry_detached_call_ref(self->opening);
}

virConnectPtr
ferry_lending_take(FerryLending *self, GError **error)
{
    const gint64 until_us = g_get_monotonic_time() + FERRY_OPEN_LIMIT_S * G_USEC_PER_SEC;

    for (;;) {
        virConnectPtr connection = take_idle(self);

        if (connection)
            return connection;

        g_autoptr(FerryDetachedCall) opening = begin_opening(self);
        const gint64 left_us = MAX(0, until_us - g_get_monotonic_time());

        if (ferry_detached_call_wait(opening, (guint)(left_us / 1000), NULL) != FERRY_CALL_OVER) {
            ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                            "Look whether libvirtd answers: virsh list",
                            "libvirt at '%s' takes connections but does not answer", self->uri);
            return NULL;
        }
        /* Another may be faster to take what was opened. */
        if (!ferry_detached_call_result(opening, error))
            return NULL;
    }
}

/* --- giving back ------------------------------------------------------------------------------ */

static bool
close_connection(gpointer connection, GError **error)
{
    virConnectClose(connection);
    return true;
}

/* Closing asks libvirtd, and may hang. */
static void
close_apart(virConnectPtr connection)
{
    FerryDetachedWork work = {
        .thread = "vf-virt-close", .func = close_connection, .data = connection};

    ferry_detached_call_abandon(ferry_detached_call_start(&work));
}

static FerryLending *
take_back(virConnectPtr connection)
{
    gpointer self = NULL;
    FERRY_LOCK_SCOPE(&lock);

    if (lent)
        g_hash_table_steal_extended(lent, connection, NULL, &self);
    return self;
}

void
ferry_virt_let_go(virConnectPtr connection)
{
    FerryLending *self = take_back(connection);

    if (!self || virConnectIsAlive(connection) != 1)
        virConnectClose(connection);
    else if (!keep(self, connection))
        close_apart(connection);
    if (self)
        unref(self);
}
