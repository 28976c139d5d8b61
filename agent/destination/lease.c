/* A preparation's lease: who uses it renews it. What happens at its end is in expiry.c. */
#include "config.h"

#include "destination/destination-private.h"
#include "ferry/clock.h"

gint64
ferry_destination_lease_us(const FerryDestination *self)
{
    return (gint64)self->agent->config->prepare_timeout_s * G_USEC_PER_SEC;
}

void
ferry_destination_renew_lease(const FerryDestination *self, FerryRecord *record)
{
    record->expires_us = ferry_clock_now_us() + ferry_destination_lease_us(self);
}
