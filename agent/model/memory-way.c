#include "config.h"

#include "model/memory-way.h"

/* 7.2 and 11.1 do it; 10.0 says that it does not. */
#define REFUSED_FROM "8.0.0"
#define REFUSED_BEFORE "10.1.0"
#define TLS_IS_SOUND_FROM "10.2.0"

static bool
refuses(const FerryHostVersions *host)
{
    return ferry_version_is_at_least(host->qemu, REFUSED_FROM) &&
           ferry_version_is_before(host->qemu, REFUSED_BEFORE);
}

const FerryHostVersions *
ferry_memory_way_refuser(const FerryHostVersions *here, const FerryHostVersions *there)
{
    if (refuses(there))
        return there;
    return refuses(here) ? here : NULL;
}

void
ferry_memory_way_settle(FerryOrderOptions *options,
                        const FerryHostVersions *here,
                        const FerryHostVersions *there)
{
    bool known = here->qemu && there->qemu;
    bool together = known && !ferry_memory_way_refuser(here, there);

    if (options->post_copy && options->parallel_connections > 1 && !together) {
        if (!options->post_copy_said)
            options->post_copy = false;
        else if (!options->connections_said)
            options->parallel_connections = 1;
    }
    options->auto_converge |= options->auto_converge_else && !options->post_copy;
}

bool
ferry_memory_way_tls_is_sound(const char *qemu)
{
    return ferry_version_is_at_least(qemu, TLS_IS_SOUND_FROM);
}
