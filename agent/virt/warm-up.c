#include "config.h"

#include "virt/warm-up.h"

#include "ferry/lock.h"
#include "runtime/detached-call.h"
#include "virt/auto.h"
#include "xml/host.h"

#include <libvirt/libvirt.h>

#include <stdlib.h>
#include <sys/stat.h>

/* Worth a line in the log: somebody may have waited. */
#define LONG_US (2 * (gint64)G_USEC_PER_SEC)

/* Reference counted in this file: a call that hangs outlives its owner. */
struct FerryWarmUp {
    char *uri; /* immutable */

    GMutex lock;
    /* Guarded by lock. */
    bool under_way;
    char *emulator; /* NULL: not known yet */
    struct stat file;
};

static void
clear(gpointer data)
{
    FerryWarmUp *self = data;

    g_mutex_clear(&self->lock);
    g_free(self->uri);
    g_free(self->emulator);
}

static void
unref(gpointer self)
{
    g_atomic_rc_box_release_full(self, clear);
}

FerryWarmUp *
ferry_warm_up_new(const char *uri)
{
    FerryWarmUp *self = g_atomic_rc_box_new0(FerryWarmUp);

    self->uri = g_strdup(uri);
    g_mutex_init(&self->lock);
    return self;
}

void
ferry_warm_up_free(FerryWarmUp *self)
{
    if (self)
        unref(self);
}

/* Returns: (transfer full) (nullable): libvirt's own choice of emulator. */
static char *
ask(const char *uri)
{
    g_autoptr(virConnect) connection = virConnectOpen(uri);
    g_autofree char *host = connection ? virConnectGetCapabilities(connection) : NULL;
    g_autofree char *xml =
        host ? virConnectGetDomainCapabilities(connection, NULL, NULL, NULL, NULL, 0) : NULL;
    g_autoptr(FerryDomainCapabilities) able =
        xml ? ferry_domain_capabilities_parse(xml, NULL) : NULL;

    return able ? g_strdup(able->emulator) : NULL;
}

static bool
run(gpointer data, GError **error)
{
    FerryWarmUp *self = data;
    const gint64 begun_us = g_get_monotonic_time();
    char *emulator = ask(self->uri);
    const gint64 lasted_us = g_get_monotonic_time() - begun_us;
    FERRY_LOCK_SCOPE(&self->lock);

    self->under_way = false;
    if (emulator) {
        g_free(self->emulator);
        self->emulator = emulator;
        if (stat(emulator, &self->file) < 0)
            self->file = (struct stat){0};
        if (lasted_us >= LONG_US)
            g_message("libvirt has learnt what '%s' can do, which took it %.1f s", emulator,
                      (double)lasted_us / G_USEC_PER_SEC);
    }
    return true;
}

/* Lock held. */
static void
begin(FerryWarmUp *self)
{
    FerryDetachedWork work = {.thread = "vf-virt-warm", .func = run, .free_data = unref};

    if (self->under_way)
        return;
    self->under_way = true;
    work.data = g_atomic_rc_box_acquire(self);
    ferry_detached_call_abandon(ferry_detached_call_start(&work));
}

void
ferry_warm_up_begin(FerryWarmUp *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    begin(self);
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void
ferry_warm_up_look(FerryWarmUp *self)
{
    struct stat now = {0};
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->emulator && stat(self->emulator, &now) == 0 && !is_same_file(&self->file, &now))
        begin(self);
}
