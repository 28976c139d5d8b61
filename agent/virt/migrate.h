/* migrate.h: the transfer calls of libvirt, with its units and parameters translated.
 *
 * Threads: any but main. libvirt mixes units (MiB/s, bytes/s, ms): only this file knows which.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/order-options.h"
#include "model/progress.h"

typedef struct {
    const char *libvirt_uri;  /* of the destination's libvirt */
    const char *migrate_uri;  /* where QEMU connects to, e.g. tcp://kvm02 */
    const char *const *disks; /* targets to copy; never empty with storage */
    const char *const *unmap; /* those of them whose zeroes are to become holes; NULL: none. Only
                               * where both hosts' libvirts know that (model/thin-way.h) */
    bool in_full;             /* backing files are copied along, for all disks */
    const char *dest_name;    /* NULL: the name that it has */
    const char *dest_xml;     /* both or neither; NULL: it arrives as it is */
    const char *persist_xml;
    guint64 disk_bandwidth_mibps; /* for each disk; 0: no limit */
    bool offline; /* the definition alone, of a domain that is shut off; of the rest only the URI */
    bool persist_destination;
    bool undefine_source;
    bool paused;
    bool auto_converge;
    guint auto_converge_initial;   /* percent */
    guint auto_converge_increment; /* percent */
    guint64 switchover_mibps;      /* what the link takes at the switchover; 0: not told. Only where
                                    * both hosts' libvirts know that (model/tuning.h) */
    bool post_copy;
    bool resume_post_copy;   /* take up one that broke off: the disks are over there already */
    bool tls;                /* the destination's certificate must name the host of migrate_uri */
    bool synchronous_writes; /* the guest's writes wait until the destination has them, too */
    guint parallel_connections;
} FerryTransferParameters;

/**
 * ferry_virt_migrate:
 * Blocks until the peer-to-peer migration ended; it goes on in libvirtd when the caller dies.
 * @error: FERRY_ERROR_MIGRATION_ERROR: libvirt says it failed. Its word is not the outcome: ask
 *   both hosts
 */
bool ferry_virt_migrate(virDomainPtr domain,
                        const FerryTransferParameters *parameters,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_migrate_rehearse:
 * Has libvirt look whether it would carry the domain with these @disks, without doing it: the call
 * of a migration to a libvirt that cannot be there. libvirt asks QEMU for its migration blockers
 * and looks at the domain before it connects; the domain is not touched, and not tainted as asking
 * QEMU by monitor command would. It has a job for the milliseconds that this takes.
 * @error: FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: libvirt refused, in its words and QEMU's (details)
 */
bool ferry_virt_migrate_rehearse(virDomainPtr domain,
                                 const char *const *disks,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What one look at the running job showed. */
typedef struct {
    bool active;                /* a job runs */
    bool outgoing;              /* it carries the domain away, as far as libvirt says */
    bool has_memory;            /* memory counters are there: the disks are done */
    FerryProgressSample sample; /* phase is the caller's to set */
} FerryJobInfo;

/** @error: FERRY_ERROR_INSTANCE_NOT_FOUND once the domain is gone. */
bool ferry_virt_job_info(virDomainPtr domain,
                         FerryJobInfo *ret_info,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true with @ret_cur of @ret_end when @target has a block job now. */
bool ferry_virt_disk_describe(virDomainPtr domain,
                              const char *target,
                              guint64 *ret_cur,
                              guint64 *ret_end);

/** All five: false with @error when libvirt refuses, e.g. because no job runs (any more). */
bool ferry_virt_job_abort(virDomainPtr domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ferry_virt_set_downtime(virDomainPtr domain,
                             guint downtime_ms,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @mibps: 0: no limit. @post_copy: of that phase. */
bool ferry_virt_set_memory_bandwidth(virDomainPtr domain,
                                     guint64 mibps,
                                     bool post_copy,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ferry_virt_pause(virDomainPtr domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ferry_virt_start_post_copy(virDomainPtr domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
