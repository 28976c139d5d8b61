#include "config.h"

#include "files/rate.h"

#include "ferry/lock.h"

struct FerryRate {
    GMutex lock;
    guint64 mibps; /* guarded by lock */
};

FerryRate *
ferry_rate_new(guint64 mibps)
{
    FerryRate *self = g_atomic_rc_box_new0(FerryRate);

    g_mutex_init(&self->lock);
    self->mibps = mibps;
    return self;
}

FerryRate *
ferry_rate_ref(FerryRate *self)
{
    return self ? g_atomic_rc_box_acquire(self) : NULL;
}

static void
rate_clear(gpointer data)
{
    FerryRate *self = data;

    g_mutex_clear(&self->lock);
}

void
ferry_rate_unref(FerryRate *self)
{
    if (self)
        g_atomic_rc_box_release_full(self, rate_clear);
}

void
ferry_rate_set(FerryRate *self, guint64 mibps)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->mibps = mibps;
}

guint64
ferry_rate_get(FerryRate *self)
{
    if (!self)
        return 0;
    FERRY_LOCK_SCOPE(&self->lock);
    return self->mibps;
}
