/* order-options.h: the `options` of an order, read and checked. Pure, any thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/config.h"
#include "model/json-field.h"

/* Three states, because the default of some comes from the instance or the configuration. */
typedef enum { FERRY_OPTION_DEFAULT = -1, FERRY_OPTION_NO = 0, FERRY_OPTION_YES = 1 } FerryOption;

typedef enum {
    FERRY_STORAGE_AUTO,
    FERRY_STORAGE_MIRROR,
    FERRY_STORAGE_SEEDED
} FerryStorageStrategy;

typedef struct {
    char **disks;                      /* NULL: the default set */
    char **attached_disks;             /* both hosts reach them: not copied; NULL: none */
    guint64 bandwidth_mibps;           /* 0: no limit */
    guint downtime_ms;                 /* not above max_pause_ms */
    guint max_pause_ms;                /* longest pause of any kind before the guest runs there */
    const FerryTransferPolicy *policy; /* the configuration's; never NULL */
    FerryDiskWrites disk_writes;
    FerryPriority priority;     /* in the queue of the source */
    guint disk_stall_timeout_s; /* no byte of a disk moves; 0: no limit */
    guint memory_timeout_s;     /* the memory phase; 0: no limit */
    /* The first two are settled once the instance is described (model/memory-way.h). */
    bool auto_converge;
    bool auto_converge_else; /* on where post_copy is not after all */
    bool post_copy;
    bool post_copy_said;        /* by the order or its policy; else a default */
    guint parallel_connections; /* 1: none beside the main one */
    bool connections_said;      /* by the order or the configuration */
    bool tls;
    guint completion_timeout_s;  /* for the whole transfer; 0: none. Only when given by the order */
    bool has_completion_timeout; /* false: the configuration's seconds a GiB hold */
    FerryTimeoutAction timeout_action;
    FerryOption persistent; /* DEFAULT: as the source is */
    bool undefine_source;
    FerrySourceDisks source_disks;
    FerryStorageStrategy storage_strategy;
    json_t *pool_map;     /* {source's pool or folder: pool or folder here}; NULL: none */
    json_t *disk_formats; /* {target: "raw" or "qcow2"}; NULL: none */
    bool flatten;         /* images at the destination have no backing files */
    bool sparsify;
    bool fstrim;
    char *dest_name;      /* NULL: the name that it has */
    char *listen_address; /* an IP address of the destination, or NULL */
    bool paused;
    guint progress_interval_ms;
} FerryOrderOptions;

/**
 * ferry_order_options_recall:
 * @order: (nullable): {"args": {"options"}}, as the journal has it of an order that was accepted
 * Returns: (transfer full): its options, never NULL. What this version does not know, or this
 * host's configuration does not permit any more, is left out; where what should become of the
 * source's disks cannot be read they are kept.
 */
FerryOrderOptions *ferry_order_options_recall(const json_t *order, const FerryConfig *config);

/**
 * ferry_order_options_parse:
 * @object: (nullable): the order's `options`; NULL or JSON null for none
 * @config: where defaults come from, and policies, which it must outlive; post_copy is on by
 *   default where permitted, unless paused or several connections rule it out, auto_converge where
 *   permitted, post_copy is off and the policy ends in neither a pause nor post-copy; with tls
 *   there are two connections by default, unless post_copy is ordered
 * @error: FERRY_ERROR_INVALID_REQUEST naming the option, what was found and what was expected;
 *   also for auto_converge or post_copy where the configuration does not permit it; for post_copy
 *   together with paused; for a policy that ends in post-copy where that is not to be had; and for
 *   every unknown name
 * Of downtime_ms and max_pause_ms the one that is given holds, the other keeps within it.
 */
FerryOrderOptions *ferry_order_options_parse(const json_t *object,
                                             const FerryConfig *config,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_order_options_free(FerryOrderOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryOrderOptions, ferry_order_options_free)

/** Reads @key of @scope into @options as ferry_order_options_parse() does, alone; where it is
 * absent or null nothing changes. @error: FERRY_ERROR_INVALID_REQUEST. */
bool ferry_order_options_read(FerryOrderOptions *options,
                              const FerryFieldScope *scope,
                              const char *key,
                              const FerryConfig *config,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_order_options_for_destination:
 * @options: (nullable): of an order
 * @settled: (nullable): what they mean on the source; NULL on the destination
 * Returns: (transfer full) (nullable): those that concern the destination. What is the source's
 * alone is left out: an older agent does not know it, and policies are the source's own. Where the
 * order or its policy ends in post-copy they say post_copy.
 */
json_t *ferry_order_options_for_destination(const json_t *options,
                                            const FerryOrderOptions *settled);

/** Returns: the name of an option of the protocol, by its index; NULL past the last one. */
const char *ferry_order_option_name(guint index);
