#include "config.h"

#include "model/memory-way.h"

/* 8.0 to 10.0 say that they do not. 7.2 begins it, and its guest was lost each time, with and
 * without TLS: the destination's QEMU ends. */
#define DOES_BOTH_FROM "10.1.0"
#define TLS_IS_SOUND_FROM "10.2.0"

const FerryHostVersions *
ferry_memory_way_refuser(const FerryHostVersions *here, const FerryHostVersions *there)
{
    if (!ferry_version_is_at_least(there->qemu, DOES_BOTH_FROM))
        return there;
    return ferry_version_is_at_least(here->qemu, DOES_BOTH_FROM) ? NULL : here;
}

void
ferry_memory_way_settle(FerryOrderOptions *options, const FerryInstance *instance)
{
    bool is_paused = g_strcmp0(instance->state, "paused") == 0;

    /* libvirt refuses it of a paused one; one that is shut off has no memory. */
    if (ferry_instance_is_shut_off(instance) || (is_paused && !options->post_copy_said))
        options->post_copy = false;
    options->auto_converge |= options->auto_converge_else && !options->post_copy;
}

bool
ferry_memory_way_tls_is_sound(const char *qemu)
{
    return ferry_version_is_at_least(qemu, TLS_IS_SOUND_FROM);
}
