#include "config.h"

#include "model/downtime-steps.h"

#define GIB (G_GUINT64_CONSTANT(1) << 30)
#define MIN_GIB 2

static guint64
count_gib(guint64 bytes)
{
    guint64 gib = bytes / GIB + (bytes % GIB != 0);
    return MAX(gib, MIN_GIB);
}

guint64
ferry_downtime_memory_gib(guint64 memory_bytes)
{
    return count_gib(memory_bytes);
}

guint64
ferry_downtime_data_gib(const FerryInstance *instance)
{
    guint64 sum = count_gib(instance->memory_bytes);
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        if (disk->migrate)
            sum += count_gib(disk->allocation_bytes);
    }
    return sum;
}

/* How many delays are over, at most `steps`. */
static guint
steps_taken(const FerryDowntimeSteps *steps, gint64 elapsed_us)
{
    guint64 delay_us = 0;
    if (!g_uint64_checked_mul(&delay_us, steps->delay_s, steps->data_gib) ||
        !g_uint64_checked_mul(&delay_us, delay_us, G_USEC_PER_SEC))
        return 0;
    if (delay_us == 0)
        return steps->steps;
    guint64 taken = (guint64)MAX(elapsed_us, 0) / delay_us;
    return (guint)MIN(taken, steps->steps);
}

guint
ferry_downtime_allowed_ms(const FerryDowntimeSteps *steps, gint64 elapsed_us)
{
    guint64 maximum = MAX(steps->maximum_ms, 1);
    if (steps->steps <= 1)
        return (guint)maximum;
    guint64 first = maximum / steps->steps;
    guint64 allowed = first + (maximum - first) * steps_taken(steps, elapsed_us) / steps->steps;
    return (guint)MAX(allowed, 1);
}
