/* config.h: the configuration of the agent (and the messaging part of it for the command).
 *
 * INI as oslo.config reads it: several files, later ones win, continuation lines are indented,
 * comments begin with # or ;. Sections and keys are listed in docs/virt-ferryd.conf.5 and in
 * etc/virt-ferryd.conf. A plain value, immutable once loaded; any thread may read it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/messaging-options.h"
#include "ferry/transfer-policy.h"

typedef enum {
    FERRY_TIMEOUT_ACTION_ABORT,
    FERRY_TIMEOUT_ACTION_FORCE_COMPLETE,
} FerryTimeoutAction;

typedef enum {
    FERRY_SOURCE_DISKS_KEEP,
    FERRY_SOURCE_DISKS_DELETE,
    FERRY_SOURCE_DISKS_QUARANTINE,
} FerrySourceDisks;

typedef enum {
    FERRY_DISK_WRITES_AUTO,
    FERRY_DISK_WRITES_BACKGROUND,
    FERRY_DISK_WRITES_SYNCHRONOUS,
} FerryDiskWrites;

/* Of a migration that waits for others. */
typedef enum {
    FERRY_PRIORITY_LOW,
    FERRY_PRIORITY_NORMAL,
    FERRY_PRIORITY_HIGH,
} FerryPriority;

typedef struct {
    /* [DEFAULT], [oslo_messaging_rabbit] */
    FerryMessagingOptions *messaging;
    char *host;
    char *state_path;
    guint max_concurrent_live_migrations; /* 0: no limit, as in nova */
    bool debug;
    char *log_file; /* absolute; NULL: standard error */
    char *log_dir;  /* where a log_file that is not absolute lies; NULL: it must be absolute */

    /* [libvirt] */
    char *connection_uri;
    char *live_migration_uri;    /* with one %s for the host; NULL: made from the scheme */
    char *live_migration_scheme; /* tls, tcp, ssh */
    char *live_migration_inbound_addr;
    guint64 live_migration_bandwidth_mibps; /* 0: no limit */
    guint live_migration_downtime_ms;
    guint live_migration_downtime_steps;
    guint live_migration_downtime_delay_s;
    guint live_migration_completion_timeout_s; /* for each GiB that moves; 0: none */
    FerryTimeoutAction live_migration_timeout_action;
    bool live_migration_permit_post_copy;
    bool live_migration_permit_auto_converge;
    bool live_migration_with_native_tls;
    guint live_migration_parallel_connections;

    /* [storage] */
    char **allowed_paths;
    FerrySourceDisks source_disks;
    guint quarantine_s;
    guint64 reserved_bytes;

    /* [migration] */
    char **allowed_destinations; /* globs */
    guint prepare_timeout_s;
    guint progress_interval_ms;
    guint max_concurrent_incoming;
    guint history_days;
    guint outcome_timeout_s; /* how long both hosts are asked before OutcomeUnknown */
    char *policy;            /* the name of one that ferry_config_policy() finds */
    guint max_pause_ms;      /* not below live_migration_downtime_ms */
    FerryDiskWrites disk_writes;
    FerryPriority priority;
    guint disk_stall_timeout_s;         /* 0: none */
    guint memory_window_s;              /* for which memory has to come no nearer to be stalled */
    guint memory_timeout_s;             /* 0: none */
    guint auto_converge_initial;        /* percent */
    guint auto_converge_increment;      /* percent */
    guint64 switchover_bandwidth_mibps; /* what the link takes; 0: not told */
    bool monitor_commands; /* whether QEMU may be asked itself, which taints the instance */
    GPtrArray *policies;   /* of FerryTransferPolicy: the sections [policy NAME] */

    /* [oslo_messaging_notifications] */
    char **notification_topics;
    bool notifications; /* driver messagingv2; false: noop */

    GHashTable *origins; /* for ferry_config_origin() */
} FerryConfig;

/**
 * ferry_config_read:
 * @files: NULL-terminated paths, later ones win; an empty list gives the defaults
 * @mistakes: takes a GError of FERRY_ERROR_CONFIG (transfer full) for each value that is wrong:
 *   file, section, key, what was found and what was expected. The result has its default.
 * Values may name others, as ferry/expansion.h says; they are looked at once all files are read.
 * Warns once, by g_warning(), with file and line, of each unknown key in our own sections, and of a
 * section or key elsewhere that is almost one that we read.
 * Returns: (transfer full): the configuration; NULL with a mistake where a file cannot be read.
 */
FerryConfig *ferry_config_read(const char *const *files,
                               GPtrArray *mistakes) G_GNUC_WARN_UNUSED_RESULT;

/** The same for who takes no configuration with a mistake. @error: the first. */
FerryConfig *ferry_config_load(const char *const *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_config_free(FerryConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryConfig, ferry_config_free)

/** Returns: (transfer none) (nullable): "FILE:LINE" where the value of @key stands; NULL: it is the
 * default. */
const char *ferry_config_origin(const FerryConfig *config, const char *section, const char *key);

/** Returns: (transfer none) (nullable): the policy of that name, the operator's or
 * a built-in one. */
const FerryTransferPolicy *ferry_config_policy(const FerryConfig *config, const char *name);

bool ferry_timeout_action_from_string(const char *text, FerryTimeoutAction *ret_action);
bool ferry_source_disks_from_string(const char *text, FerrySourceDisks *ret_disks);
const char *ferry_source_disks_to_string(FerrySourceDisks disks);
bool ferry_disk_writes_from_string(const char *text, FerryDiskWrites *ret_writes);
const char *ferry_disk_writes_to_string(FerryDiskWrites writes);
bool ferry_priority_from_string(const char *text, FerryPriority *ret_priority);
