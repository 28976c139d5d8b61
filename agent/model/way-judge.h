/* way-judge.h: what was seen of the way between two hosts, as checks. Pure, any thread. */
#pragma once

#include <glib.h>

#include <jansson.h>

#include "model/check.h"
#include "model/host-versions.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "model/reach.h"

/** Adds `versions`: warns of a destination that is older, and of what is not known. */
void ferry_way_judge_versions(FerryChecks *checks,
                              const FerryHostVersions *here,
                              const FerryHostVersions *there);

/** Adds `versions` where a post-copy that breaks off could not be taken up again. */
void ferry_way_judge_post_copy(FerryChecks *checks, const FerryHostVersions *there);

/** Adds `post-copy`, failed, where QEMU of one of the hosts refuses what @options say of post-copy
 * and connections, or may. */
void ferry_way_judge_connections(FerryChecks *checks,
                                 const FerryOrderOptions *options,
                                 const FerryHostVersions *here,
                                 const FerryHostVersions *there);

/**
 * ferry_way_judge_tls:
 * @options: settled
 * @priority: (nullable): the TLS priority that libvirt here gives to QEMU's migrations
 * Adds `tls`, a warning, where the encryption of so much memory may crash QEMU here.
 */
void ferry_way_judge_tls(FerryChecks *checks,
                         const FerryInstance *instance,
                         const FerryOrderOptions *options,
                         const char *priority);

/** Returns: true when @instance may have come here since its boot, with queues that QEMU
 * there refuses. */
bool ferry_way_may_bring_long_queues(const FerryInstance *instance,
                                     const FerryHostVersions *here,
                                     const FerryHostVersions *there);

/** Returns: true when QEMU here gives such queues to what it boots, or may: it is not known. */
bool ferry_way_has_long_queues(const FerryInstance *instance,
                               const FerryHostVersions *here,
                               const FerryHostVersions *there);

/* What QEMU here told of them. */
typedef struct {
    bool asked;        /* it was, and answered */
    const char *found; /* (nullable): one that is too long, in words */
    const char *why;   /* where it was not: why */
} FerryQueuesSeen;

/** Adds `virtqueues`, where they may be too long: fails or passes where QEMU was asked, else
 * warns. */
void ferry_way_judge_virtqueues(FerryChecks *checks,
                                const FerryInstance *instance,
                                const FerryHostVersions *there,
                                const FerryQueuesSeen *seen);

/* Clocks that differ by less are set well enough: leases and reports count in seconds. */
#define FERRY_CLOCK_TOLERANCE_US (5 * G_USEC_PER_SEC)

/**
 * ferry_way_judge_clock:
 * @asked_us, @answered_us: by the source's clock; @there_us: by the destination's, in between
 * Adds `clock`: warns of a difference that their distance does not explain.
 */
void
ferry_way_judge_clock(FerryChecks *checks, gint64 asked_us, gint64 answered_us, gint64 there_us);

/* What an agent keeps of an instance that arrives, and agents of before did not. */
#define FERRY_WAY_KEEPS_AUTOSTART "autostart"
#define FERRY_WAY_KEEPS_MEDIA "persistent-media"

/**
 * ferry_way_judge_keeps:
 * @keeps: (nullable): array of what the destination's agent tells that it keeps
 * Adds `destination-agent` where @instance would lose something: fails where it could not start
 * there again.
 */
void ferry_way_judge_keeps(FerryChecks *checks, const FerryInstance *instance, const json_t *keeps);

/**
 * ferry_way_judge_seeds:
 * @seeds: (nullable): array of the formats that the destination's agent takes as seeds
 * Adds `storage-strategy` and fails where the order insists on one that it does not take.
 */
void ferry_way_judge_seeds(FerryChecks *checks,
                           const FerryInstance *instance,
                           const FerryOrderOptions *options,
                           const json_t *seeds);

/* Ports of the range that QEMU listens at during a migration, at which the destination's agent
 * listened for this look. */
typedef struct {
    const char *address;
    guint16 first; /* of the range; 0 where it is not known */
    guint16 last;
    const FerryProbe *probes; /* those that were tried */
    gsize count;
    const char *why; /* with none: why */
} FerryPortsSeen;

/** Adds `migration-ports`: passes where each port was reached, and warns where none was tried. */
void ferry_way_judge_ports(FerryChecks *checks, const FerryPortsSeen *seen);
