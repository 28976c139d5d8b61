/* lease-clock.h: wakes the destination when a lease is over; asleep while none is open.
 *
 * A thread of its own sleeps and works. Threads: new and free on main; wake from any.
 */
#pragma once

#include "destination.h"

typedef struct FerryLeaseClock FerryLeaseClock;

FerryLeaseClock *ferry_lease_clock_new(FerryDestination *destination);
void ferry_lease_clock_free(FerryLeaseClock *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLeaseClock, ferry_lease_clock_free)

/** A lease began or ended: look when the next one is over. */
void ferry_lease_clock_wake(gpointer clock);
