#include "config.h"

#include "config-sections.h"

#include "ferry/config.h"

#include <string.h>

#define DAY_S 86400
#define TOPIC_MAX 240 /* with dot and priority it names a queue */

/* QEMU's limit: a bandwidth in bytes that fits a signed 64-bit number. */
#define BANDWIDTH_MAX_MIBPS ((guint64)G_MAXINT64 >> 20)
#define SIZE_MAX_BYTES (G_GUINT64_CONSTANT(1) << 62)

#define AT(field) offsetof(FerryConfig, field)
#define M_AT(field) offsetof(FerryMessagingOptions, field)

/* A row of the tables: key, kind, offset, default, and the rules for the value. */
/* Each version of clang-format lays braces in macros out another way. */
/* clang-format off */
#define ROW(key, type, place, value, ...)                                                          \
    {.name = key, .kind = FERRY_SETTING_##type, .offset = place, .fallback = value, __VA_ARGS__}
#define END {.name = NULL}
/* clang-format on */
#define RANGE(lowest, highest) .min = (lowest), .max = (highest)
#define RULE(function, text) .check = (function), .expected = (text)

static const char *const schemes[] = {"tls", "tcp", "ssh", NULL};
const char *const ferry_timeout_action_names[] = {"abort", "force_complete", NULL};
const char *const ferry_source_disks_names[] = {"keep", "delete", "quarantine", NULL};
const char *const ferry_disk_writes_names[] = {"auto", "background", "synchronous", NULL};
const char *const ferry_priority_names[] = {"low", "normal", "high", NULL};
static const char *const drivers[] = {"noop", "messagingv2", NULL};

G_STATIC_ASSERT(FERRY_TIMEOUT_ACTION_ABORT == 0 && FERRY_TIMEOUT_ACTION_FORCE_COMPLETE == 1);
G_STATIC_ASSERT(FERRY_SOURCE_DISKS_KEEP == 0 && FERRY_SOURCE_DISKS_DELETE == 1);
G_STATIC_ASSERT(FERRY_SOURCE_DISKS_QUARANTINE == 2);
G_STATIC_ASSERT(FERRY_DISK_WRITES_AUTO == 0 && FERRY_DISK_WRITES_BACKGROUND == 1);
G_STATIC_ASSERT(FERRY_DISK_WRITES_SYNCHRONOUS == 2);
G_STATIC_ASSERT(FERRY_PRIORITY_LOW == 0 && FERRY_PRIORITY_NORMAL == 1 && FERRY_PRIORITY_HIGH == 2);
G_STATIC_ASSERT(sizeof(FerryDiskWrites) == sizeof(guint));
G_STATIC_ASSERT(sizeof(FerryPriority) == sizeof(guint));
G_STATIC_ASSERT(sizeof(FerryTimeoutAction) == sizeof(guint));
G_STATIC_ASSERT(sizeof(FerrySourceDisks) == sizeof(guint));

static bool
is_made_of(const char *text, const char *more)
{
    for (; *text != '\0'; text++) {
        if (!g_ascii_isalnum(*text) && !strchr(more, *text))
            return false;
    }
    return true;
}

static bool
is_host(const char *text)
{
    return strlen(text) <= FERRY_HOST_NAME_MAX && is_made_of(text, "-_.");
}

static bool
is_exchange(const char *text)
{
    return strlen(text) <= FERRY_AMQP_NAME_MAX;
}

static bool
is_topic(const char *text)
{
    return strlen(text) <= TOPIC_MAX;
}

static bool
is_address(const char *text)
{
    return is_made_of(text, "-_.:[]");
}

static bool
is_absolute(const char *text)
{
    return g_path_is_absolute(text);
}

static bool
is_uri_of_host(const char *text)
{
    const char *percent = strchr(text, '%');

    return percent && percent[1] == 's' && !strchr(percent + 1, '%');
}

#define EXCHANGE_RULE RULE(is_exchange, "a name of at most 255 bytes")
#define TOPIC_RULE RULE(is_topic, "names of at most 240 bytes, separated by commas")
#define HOST_RULE                                                                                  \
    RULE(is_host, "a host name of letters, digits, '-', '_' and '.', at most 200 characters")
#define ADDRESS_RULE RULE(is_address, "a host name or an IP address")
#define PATH_RULE RULE(is_absolute, "an absolute path")
#define URI_RULE RULE(is_uri_of_host, "a libvirt URI with one %s for the host and no other %")

static const FerrySetting default_settings[] = {
    ROW("host", TEXT, AT(host), NULL, HOST_RULE),
    ROW("state_path", TEXT, AT(state_path), "/var/lib/virt-ferry", PATH_RULE),
    ROW("max_concurrent_live_migrations",
        UINT,
        AT(max_concurrent_live_migrations),
        "1",
        RANGE(0, 1000)),
    ROW("debug", BOOL, AT(debug), "false"),
    ROW("log_file", TEXT_OR_NONE, AT(log_file), NULL),
    ROW("log_dir", TEXT_OR_NONE, AT(log_dir), NULL, PATH_RULE),
    END,
};

const FerrySetting ferry_transport_settings[] = {
    ROW("transport_url", TEXT, M_AT(transport_url), "rabbit://guest:guest@localhost:5672/"),
    ROW("control_exchange", TEXT, M_AT(control_exchange), "virt-ferry", EXCHANGE_RULE),
    END,
};

static const FerrySetting libvirt_settings[] = {
    ROW("connection_uri", TEXT, AT(connection_uri), "qemu:///system"),
    ROW("live_migration_uri", TEXT_OR_NONE, AT(live_migration_uri), NULL, URI_RULE),
    ROW("live_migration_scheme", TEXT, AT(live_migration_scheme), "tls", .words = schemes),
    ROW("live_migration_inbound_addr", TEXT, AT(live_migration_inbound_addr), NULL, ADDRESS_RULE),
    ROW("live_migration_bandwidth",
        SIZE,
        AT(live_migration_bandwidth_mibps),
        "0",
        RANGE(0, BANDWIDTH_MAX_MIBPS)),
    ROW("live_migration_downtime",
        UINT,
        AT(live_migration_downtime_ms),
        "500",
        RANGE(1, FERRY_DOWNTIME_MAX_MS)),
    ROW("live_migration_downtime_steps",
        UINT,
        AT(live_migration_downtime_steps),
        "10",
        RANGE(1, 1000)),
    ROW("live_migration_downtime_delay",
        UINT,
        AT(live_migration_downtime_delay_s),
        "75",
        RANGE(1, DAY_S)),
    ROW("live_migration_completion_timeout",
        UINT,
        AT(live_migration_completion_timeout_s),
        "800",
        RANGE(0, 7 * DAY_S)),
    ROW("live_migration_timeout_action",
        WORD,
        AT(live_migration_timeout_action),
        "abort",
        .words = ferry_timeout_action_names),
    ROW("live_migration_permit_post_copy", BOOL, AT(live_migration_permit_post_copy), "false"),
    ROW("live_migration_permit_auto_converge",
        BOOL,
        AT(live_migration_permit_auto_converge),
        "false"),
    ROW("live_migration_with_native_tls", BOOL, AT(live_migration_with_native_tls), "false"),
    ROW("live_migration_parallel_connections",
        UINT,
        AT(live_migration_parallel_connections),
        "1",
        RANGE(1, 255)),
    END,
};

static const FerrySetting storage_settings[] = {
    ROW("allowed_paths", PATHS, AT(allowed_paths), "/var/lib/libvirt/images"),
    ROW("source_disks", WORD, AT(source_disks), "keep", .words = ferry_source_disks_names),
    ROW("quarantine_hours", HOURS, AT(quarantine_s), "24", RANGE(1, 3650 * DAY_S)),
    ROW("reserved_bytes", SIZE, AT(reserved_bytes), "1073741824", RANGE(0, SIZE_MAX_BYTES)),
    END,
};

static const FerrySetting migration_settings[] = {
    ROW("allowed_destinations", LIST, AT(allowed_destinations), "*"),
    ROW("prepare_timeout", UINT, AT(prepare_timeout_s), "600", RANGE(1, 7 * DAY_S)),
    ROW("progress_interval", SECONDS, AT(progress_interval_ms), "1.0", RANGE(100, 3600000)),
    ROW("max_concurrent_incoming", UINT, AT(max_concurrent_incoming), "2", RANGE(1, 1000)),
    ROW("history", UINT, AT(history_days), "30", RANGE(1, 36500)),
    ROW("outcome_timeout", UINT, AT(outcome_timeout_s), "300", RANGE(1, 7 * DAY_S)),
    ROW("policy", TEXT, AT(policy), "minimal-downtime"),
    ROW("max_pause", UINT, AT(max_pause_ms), "5000", RANGE(1, FERRY_DOWNTIME_MAX_MS)),
    ROW("disk_writes", WORD, AT(disk_writes), "auto", .words = ferry_disk_writes_names),
    ROW("priority", WORD, AT(priority), "normal", .words = ferry_priority_names),
    ROW("disk_stall_timeout", UINT, AT(disk_stall_timeout_s), "120", RANGE(0, 7 * DAY_S)),
    ROW("memory_window", UINT, AT(memory_window_s), "40", RANGE(5, DAY_S)),
    ROW("memory_timeout", UINT, AT(memory_timeout_s), "0", RANGE(0, 7 * DAY_S)),
    ROW("auto_converge_initial", UINT, AT(auto_converge_initial), "20", RANGE(1, 99)),
    ROW("auto_converge_increment", UINT, AT(auto_converge_increment), "10", RANGE(1, 99)),
    ROW("switchover_bandwidth",
        SIZE,
        AT(switchover_bandwidth_mibps),
        "0",
        RANGE(0, BANDWIDTH_MAX_MIBPS)),
    ROW("monitor_commands", BOOL, AT(monitor_commands), "false"),
    END,
};

const FerrySetting ferry_rabbit_settings[] = {
    ROW("ssl", BOOL, M_AT(ssl), "false"),
    ROW("ssl_ca_file", TEXT_OR_NONE, M_AT(ssl_ca_file), NULL, PATH_RULE),
    ROW("ssl_cert_file", TEXT_OR_NONE, M_AT(ssl_cert_file), NULL, PATH_RULE),
    ROW("ssl_key_file", TEXT_OR_NONE, M_AT(ssl_key_file), NULL, PATH_RULE),
    ROW("ssl_enforce_hostname_verification", BOOL, M_AT(ssl_enforce_hostname_verification), "true"),
    ROW("heartbeat_timeout_threshold",
        UINT,
        M_AT(heartbeat_timeout_threshold),
        "60",
        RANGE(0, 65535)),
    ROW("amqp_durable_queues", BOOL, M_AT(amqp_durable_queues), "false"),
    ROW("amqp_auto_delete", BOOL, M_AT(amqp_auto_delete), "false"),
    ROW("rabbit_ha_queues", BOOL, M_AT(rabbit_ha_queues), "false"),
    ROW("rabbit_quorum_queue", BOOL, M_AT(rabbit_quorum_queue), "false"),
    ROW("rabbit_transient_quorum_queue", BOOL, M_AT(rabbit_transient_quorum_queue), "false"),
    ROW("rabbit_quorum_delivery_limit",
        UINT,
        M_AT(rabbit_quorum_delivery_limit),
        "0",
        RANGE(0, G_MAXINT32)),
    ROW("rabbit_transient_queues_ttl",
        UINT,
        M_AT(rabbit_transient_queues_ttl),
        "1800",
        RANGE(1, G_MAXINT32 / 1000)), /* milliseconds in the broker */
    ROW("rabbit_retry_interval", UINT, M_AT(rabbit_retry_interval), "1", RANGE(1, DAY_S)),
    ROW("rabbit_retry_backoff", UINT, M_AT(rabbit_retry_backoff), "2", RANGE(0, DAY_S)),
    ROW("rabbit_interval_max", UINT, M_AT(rabbit_interval_max), "30", RANGE(1, DAY_S)),
    ROW("kombu_missing_consumer_retry_timeout",
        UINT,
        M_AT(kombu_missing_consumer_retry_timeout),
        "60",
        RANGE(0, DAY_S)),
    END,
};

static const FerrySetting notification_settings[] = {
    ROW("topics", LIST, AT(notification_topics), "notifications", TOPIC_RULE),
    ROW("driver", BOOL, AT(notifications), "messagingv2", .words = drivers),
    END,
};

const FerryConfigSection ferry_config_sections[] = {
    {.name = "DEFAULT", .settings = default_settings},
    {.name = "DEFAULT", .settings = ferry_transport_settings, .messaging = true},
    {.name = "libvirt", .settings = libvirt_settings},
    {.name = "storage", .settings = storage_settings, .own = true},
    {.name = "migration", .settings = migration_settings, .own = true},
    {.name = "oslo_messaging_rabbit", .settings = ferry_rabbit_settings, .messaging = true},
    {.name = "oslo_messaging_notifications", .settings = notification_settings},
    {.name = NULL},
};
