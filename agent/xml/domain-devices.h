/* domain-devices.h: what the devices of a domain ask of a host's QEMU and file system. Pure, any
 * thread.
 *
 * Read at the destination from the XML that the source sent: untrusted, and only asked for, never
 * obeyed. Networks, displays' addresses and secrets are in domain-needs.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A device of which libvirt lists the kinds that a host's QEMU has (domain capabilities). */
typedef struct {
    const char *element; /* "video" */
    const char *list;    /* the list's name in the capabilities: "modelType" */
    char *value;         /* "qxl" */
} FerryDeviceKind;

/* A path of the host that a serial port, console or channel is tied to. */
typedef struct {
    char *path;
    bool itself; /* it has to be there; else it is made, and its folder has to be there */
    char *user;  /* for whom: "the log of a serial", "a channel" */
} FerryDevicePath;

typedef struct {
    GPtrArray *kinds;     /* FerryDeviceKind, each once */
    GPtrArray *paths;     /* FerryDevicePath, each once */
    GPtrArray *filters;   /* names of network filters (nwfilter), each once */
    char *nvram_template; /* of the firmware's variables, or NULL where libvirt chooses */
    bool scsi_iothread;   /* a virtio-scsi controller works in an iothread */
} FerryDeviceNeeds;

/**
 * ferry_device_needs_parse:
 * @xml: (nullable): a <domain>; NULL asks for nothing
 * @error: FERRY_ERROR_INVALID_REQUEST: not well-formed, a DTD, not a domain, larger than 1 MiB
 */
FerryDeviceNeeds *ferry_device_needs_parse(const char *xml,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_device_needs_free(FerryDeviceNeeds *needs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDeviceNeeds, ferry_device_needs_free)
