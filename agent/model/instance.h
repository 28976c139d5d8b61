/* instance.h: an instance as this agent describes it to its peer: contract's `instance_info`.
 *
 * Made on the source from the domain's XML (xml/domain.h) and from what libvirt and the images'
 * headers say, sent as JSON, read again on the destination, where it is input from a stranger:
 * reading checks types, sizes and names. Plain values; the owner frees, nobody shares while
 * changing.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/file-owner.h"
#include "model/host-versions.h"
#include "model/qcow2.h"

/* A file below a disk's top image. */
typedef struct {
    char *type;   /* file, block, network ... */
    char *path;   /* or name, as the live XML resolves it */
    char *format; /* as the XML says: qcow2, raw */
    char *pool;   /* name of the source's pool that holds it, or NULL */
    guint64 capacity_bytes;
    guint64 allocation_bytes;
    guint64 file_bytes; /* its length; 0 where it could not be looked at */
    FerryQcow2 qcow2;   /* known only for qcow2 */
} FerryLayer;

typedef struct {
    char *target;      /* vda */
    char *bus;         /* virtio; may be NULL */
    char *device;      /* disk, cdrom, floppy, lun */
    char *type;        /* file, block, network, volume, dir, nvme, vhostuser */
    char *source;      /* path or name; NULL: an empty drive */
    char *format;      /* the XML's driver type: raw, qcow2 ...; "raw" where the XML says nothing */
    char *pool;        /* name of the source's pool that holds it, or NULL */
    char *volume_pool; /* where the XML names it as a volume: of that pool, or NULL */
    char *volume_name;
    FerryFileOwner owner;        /* of its file */
    FerryFileOwner folder_owner; /* of the folder that it lies in */
    bool readonly;
    bool shareable;
    bool transient;
    char *startup_policy;     /* of a drive whose file is gone: optional, requisite ...; or NULL */
    bool encrypted;           /* the XML names an encryption */
    char *secret_uuid;        /* of a LUKS image's passphrase, or NULL */
    guint64 capacity_bytes;   /* virtual size */
    guint64 allocation_bytes; /* really used on the source */
    guint64 file_bytes;       /* length of the file; 0 where it could not be looked at */
    char **backing_chain;     /* paths or names below the top image, nearest first; never NULL */
    GPtrArray *layers;        /* FerryLayer; the same, with all that is known of them */
    bool chain_told;          /* the XML says where the chain ends; not part of the JSON */
    FerryQcow2 qcow2;         /* of a qcow2 image; qcow2.known is false where it was not read */
    bool attached;            /* the order vouches that both hosts reach it; nothing is copied */
    bool migrate;             /* by the plan: it is copied */
    bool carry;               /* by the plan: its file is brought along as it is */
    char *why;                /* the reason, for a person */
    bool seeded;              /* storage-strategy.h: frozen and sent, where others are mirrored */
    bool seed_wanted;         /* as seeded, of a qcow2 image, for a destination that knows how: an
                                 agent of before takes `seeded` for raw. Until it is prepared */
    bool may_seed;            /* it could be, and the order leaves it to us */
    bool arrives_full;  /* at the destination: no mirror keeps it thin. Not part of the JSON */
    char *strategy_why; /* the reason, or NULL where nothing was chosen */
} FerryDisk;

typedef struct {
    char *type; /* network, bridge, direct ... */
    char *mac;
    char *source; /* network's, bridge's or device's name, or NULL */
    char *model;
    char *target; /* tap device, or NULL */
} FerryInterface;

/* Something of the instance that this version cannot carry; found in the XML. */
typedef struct {
    char *name;    /* stable, e.g. "host-device", "nvram", "tpm", "filesystem", "shared-memory" */
    char *message; /* what, on which object */
    char *hint;
} FerryObstacle;

/* libvirt's word for what stopped it: a write or read that failed, most often for want of room. */
#define FERRY_STATE_REASON_IO_ERROR "I/O error"
/* ... a person, here or on the host that it came from. */
#define FERRY_STATE_REASON_USER "user"

typedef struct {
    char *name;
    char *uuid;         /* with dashes, lower case */
    char *state;        /* running, paused, shutoff, crashed ...: libvirt's word */
    char *state_reason; /* libvirt's word: booted, migration, migrated, postcopy failed ... */
    bool persistent;
    bool autostart;        /* its host starts it at boot */
    bool autostart_told;   /* false: an agent of before described it, and noted no such thing */
    char *libvirt_version; /* of its host, "9.0.0"; NULL where an agent of before described it */
    char *qemu_version;    /* likewise, "7.2.22" */
    char *virt_type;       /* kvm, qemu */
    char *arch;            /* x86_64 */
    char *machine;         /* pc-i440fx-7.2 */
    char *emulator;
    char *cpu_xml;       /* the <cpu> element, or NULL where the domain has none */
    char *loader;        /* file of the firmware's code, or NULL */
    char *loader_digest; /* of what it holds on the source (files/firmware-digest.h), or NULL */
    char *nvram;         /* file of the firmware's variables, or NULL */
    bool tpm;            /* an emulated one */
    guint vcpus;
    guint64 memory_bytes;
    GPtrArray *disks;      /* FerryDisk */
    GPtrArray *interfaces; /* FerryInterface */
    GPtrArray *obstacles;  /* FerryObstacle; not part of the JSON */
    GPtrArray *warnings;   /* FerryObstacle: what is worth saying and stops nothing; likewise */
    char *domain_xml;      /* migratable, with secrets left out */
    /* Of an instance that runs: its persistent definition, which its next start uses. */
    char *persistent_xml;        /* as domain_xml; NULL: it has none, or would not keep it */
    GPtrArray *persistent_disks; /* FerryDisk: media that it alone names, and that are carried */
    /* Addresses at which displays and ports listen. */
    char **own_addresses;    /* those of the source's own; or NULL */
    json_t *moved_addresses; /* at the destination: {its: ours}; NULL: none. Not part of the JSON */
} FerryInstance;

FerryInstance *ferry_instance_new(void);
void ferry_instance_free(FerryInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryInstance, ferry_instance_free)

FerryLayer *ferry_layer_new(void);
void ferry_layer_free(FerryLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLayer, ferry_layer_free)

FerryDisk *ferry_disk_new(void);
void ferry_disk_free(FerryDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDisk, ferry_disk_free)

/** Says for a person why the plan does with @disk what it does. */
void ferry_disk_explain(FerryDisk *disk, const char *why);

/** Returns: true when libvirt takes @name for a domain of QEMU: it becomes part of paths there. */
bool ferry_instance_is_name(const char *name);

/** Adds an obstacle; the texts are copied. @name: one of the table of checks (check.h). */
void ferry_instance_add_obstacle(FerryInstance *instance,
                                 const char *name,
                                 const char *message,
                                 const char *hint);

/** The same for what stops nothing. */
void ferry_instance_add_warning(FerryInstance *instance,
                                const char *name,
                                const char *message,
                                const char *hint);

/** Returns: true for one that does not run: its files are carried, and nothing is transferred
 * live. */
bool ferry_instance_is_shut_off(const FerryInstance *instance);

/** @disks: (element-type FerryDisk). Returns: (transfer none) (nullable): the one of this
 * target. */
FerryDisk *ferry_disks_find(const GPtrArray *disks, const char *target);

/** Returns: (transfer none) (nullable): the disk with this target. */
FerryDisk *ferry_instance_find_disk(const FerryInstance *instance, const char *target);

/** Returns: those of the host that describes it; borrowed. */
FerryHostVersions ferry_instance_host_versions(const FerryInstance *instance);

/** Returns: (transfer full): the object of the protocol; qcow2 details under "image". */
json_t *ferry_instance_to_json(const FerryInstance *instance);

/**
 * ferry_instance_from_json:
 * @object: (transfer none): from the wire
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field, what was found and what was expected
 * Unknown keys are ignored, so that a newer source can talk to an older destination. Missing: name,
 * uuid, disks and the source of a disk that moves are required, the rest has defaults. Names with
 * control characters, sizes below 0 or above 2^62, more than 256 disks, names and paths above
 * 4 KiB, other strings above 64 KiB (domain_xml: 1 MiB) are refused.
 */
FerryInstance *ferry_instance_from_json(const json_t *object,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
