/* domain-needs.h: what a domain asks of the host that it shall run on. Pure, any thread.
 *
 * Read at the destination from the XML that the source sent: untrusted, and only asked for, never
 * obeyed. Disks, CPU and machine are in instance.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A display, or a serial port, console or channel, that listens at an address of the host. */
typedef struct {
    bool is_display;
    char *type;    /* vnc, spice, rdp; serial, console, channel ... */
    char *address; /* an address or a host's name */
    guint port;    /* of TCP; 0: libvirt chooses, or another protocol */
} FerryListenNeed;

typedef enum {
    FERRY_LINK_NETWORK, /* one of libvirt's */
    FERRY_LINK_BRIDGE,  /* of the host */
    FERRY_LINK_DEVICE,  /* a network device of the host, below a macvtap */
} FerryLinkKind;

/* What an interface is plugged into, or a display listens at. */
typedef struct {
    FerryLinkKind kind;
    char *name;
    char *user; /* for whom: "interface 52:54:00:...", "vnc display" */
} FerryLinkNeed;

/* A secret that QEMU gets from libvirt. */
typedef struct {
    char *uuid;  /* NULL where @usage names it */
    char *usage; /* the usage's name, e.g. a volume */
    char *type;  /* libvirt's usage type of it: volume, ceph, iscsi, tls, vtpm; or NULL */
    char *user;  /* for whom: "disk vda" */
} FerrySecretNeed;

/* A folder that the guest reaches by 9p. */
typedef struct {
    char *path;
    char *tag; /* by which the guest mounts it */
} FerryFolderNeed;

typedef struct {
    GPtrArray *listens; /* FerryListenNeed */
    GPtrArray *links;   /* FerryLinkNeed */
    GPtrArray *secrets; /* FerrySecretNeed */
    GPtrArray *folders; /* FerryFolderNeed */
    GArray *huge_pages; /* guint64: sizes in bytes; 0: the host's default size */
} FerryGuestNeeds;

/**
 * ferry_guest_needs_parse:
 * @xml: (nullable): a <domain>; NULL asks for nothing
 * @error: FERRY_ERROR_INVALID_REQUEST: not well-formed, a DTD, not a domain, larger than 1 MiB, or
 *   with a size that is none
 */
FerryGuestNeeds *ferry_guest_needs_parse(const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_guest_needs_free(FerryGuestNeeds *needs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryGuestNeeds, ferry_guest_needs_free)
