#include "config.h"

#include "load.h"

#include <malloc.h>

/* What the library would keep for the next message of this size, which hardly ever comes. */
#define TRIM_BYTES (1024 * 1024)

struct FerryLoad {
    gsize limit_bytes; /* immutable */
    gsize bytes;       /* atomic */
};

FerryLoad *
ferry_load_new(gsize limit_bytes)
{
    FerryLoad *self = g_atomic_rc_box_new0(FerryLoad);

    self->limit_bytes = limit_bytes;
    return self;
}

FerryLoad *
ferry_load_ref(FerryLoad *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
ferry_load_unref(FerryLoad *self)
{
    g_atomic_rc_box_release(self);
}

static gsize
load_bytes(FerryLoad *self)
{
    return (gsize)g_atomic_pointer_get(&self->bytes);
}

bool
ferry_load_fits(FerryLoad *self, gsize bytes)
{
    gsize held = load_bytes(self);

    return held == 0 || held + bytes <= self->limit_bytes;
}

void
ferry_load_add(FerryLoad *self, gsize bytes)
{
    (void)g_atomic_pointer_add(&self->bytes, (gssize)bytes);
}

void
ferry_load_remove(FerryLoad *self, gsize bytes)
{
    (void)g_atomic_pointer_add(&self->bytes, -(gssize)bytes);
    if (bytes >= TRIM_BYTES)
        (void)malloc_trim(0);
}
