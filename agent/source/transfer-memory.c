#include "config.h"

#include "source/transfer-private.h"

#include "model/downtime-steps.h"

void
ferry_transfer_enter_memory(FerryTransfer *self, gint64 now)
{
    g_autoptr(GError) error = NULL;

    self->memory_us = now;
    self->copying = true;
    /* The disks had to share the limit; memory has it alone. */
    if (self->options->bandwidth_mibps > 0 &&
        !ferry_virt_set_memory_bandwidth(self->domain, self->options->bandwidth_mibps, &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

void
ferry_transfer_steer_memory(FerryTransfer *self, const FerryJobInfo *info)
{
    gint64 now = info->sample.time_us;
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;
    FerryDowntimeSteps steps = {.maximum_ms = self->options->downtime_ms,
                                .steps = config->live_migration_downtime_steps,
                                .delay_s = config->live_migration_downtime_delay_s,
                                .data_gib = ferry_downtime_data_gib(self->instance)};
    guint allowed = ferry_downtime_allowed_ms(&steps, self->memory_us ? now - self->memory_us : 0);
    g_autoptr(GError) error = NULL;

    if (allowed == self->downtime_ms)
        return;
    if (ferry_virt_set_downtime(self->domain, allowed, &error))
        self->downtime_ms = allowed;
    else
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}
