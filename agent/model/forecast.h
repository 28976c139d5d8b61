/* forecast.h: how much there is still to do, and how long it will take, at the present pace. Pure;
 * one thread a value.
 *
 * What the guest makes anew while its data is under way is work, too. Of a disk the rates of what
 * is moved and of what is left tell it. Of memory QEMU tells at the end of each pass what has
 * become dirty in it; in the first pass nobody knows, and a tenth of the link's rate is assumed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/status.h"
#include "ferry/transfer-policy.h"
#include "model/transfer-policy.h"

typedef struct {
    gint64 time_us; /* monotonic */
    FerryPhase phase;
    double moved;         /* bytes, of everything, so far */
    double disk_left;     /* bytes of files and disks */
    double memory_left;   /* bytes that QEMU knows of */
    double dirty_bytes_s; /* of memory, over the last pass that is over; 0 where unknown */
    guint64 iteration;    /* of memory: rises at the end of each pass */
    guint64 allowed_ms;   /* the pause that QEMU was told; 0 where unknown */
} FerryForecastReading;

/* A rate in bytes a second: the mean of the first seconds in which something moved, and then what
 * follows its readings slowly. */
typedef struct {
    bool begun;
    bool known;
    double bytes_s;
    double age_s;
    double held_bytes; /* not in the rate so far: the lump that is under way */
    double held_s;
    bool stood; /* since the last lump */
} FerryRate;

/* All zero at first, but for what is declared. */
typedef struct {
    FerryForecastReading last;
    bool any;
    FerryRate throughput;       /* bytes that were moved */
    FerryRate closing;          /* bytes by which the rest shrank */
    double link_bytes_s;        /* the throughput, as long as there is enough to move */
    gint64 memory_us;           /* when the memory phase began; 0 before */
    gint64 pass_us;             /* when the pass of memory began */
    gint64 pass_time_us;        /* how long the one before took */
    double pass_bytes;          /* what there was to do at its begin */
    double former_bytes;        /* likewise of the one before */
    FerryTransferPolicy policy; /* declared; no name: none */
    FerryPolicyMoment moment;   /* declared: what of it does not change */
} FerryForecast;

/** Takes a reading. Counters that jump where a phase begins are no movement. @jumped: so do these.
 */
void ferry_forecast_take(FerryForecast *forecast, const FerryForecastReading *reading, bool jumped);

/** Returns: bytes that have to be moved until the end as it looks now; a negative number where
 * there is no end at this pace. */
double ferry_forecast_work_left(const FerryForecast *forecast);

/** Returns: milliseconds until the end, with the pauses that the policy will allow; -1 where that
 * is unknown. */
gint64 ferry_forecast_eta_ms(const FerryForecast *forecast);
