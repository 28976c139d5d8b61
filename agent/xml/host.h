/* host.h: what a host can run, from libvirt's capabilities XML. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryHostCapabilities FerryHostCapabilities;

/** @xml: of virConnectGetCapabilities(). @error: FERRY_ERROR_INVALID_REQUEST: not capabilities. */
FerryHostCapabilities *ferry_host_capabilities_parse(const char *xml,
                                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_host_capabilities_free(FerryHostCapabilities *capabilities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryHostCapabilities, ferry_host_capabilities_free)

/** Returns: (transfer none) (nullable): the host's own UUID, as libvirt compares it. */
const char *ferry_host_capabilities_uuid(const FerryHostCapabilities *capabilities);
const char *ferry_host_capabilities_arch(const FerryHostCapabilities *capabilities);

/** Returns: (transfer none) (nullable): the nearest model that libvirt knows, e.g. "EPYC-Milan". */
const char *ferry_host_capabilities_cpu_model(const FerryHostCapabilities *capabilities);
const char *ferry_host_capabilities_cpu_vendor(const FerryHostCapabilities *capabilities);

/** Returns: true when guests of @arch can be started with @emulator. */
bool ferry_host_capabilities_has_emulator(const FerryHostCapabilities *capabilities,
                                          const char *arch,
                                          const char *emulator);

/** Returns: true when guests of @arch can have @machine: a type's own name or its alias ("pc"). */
bool ferry_host_capabilities_has_machine(const FerryHostCapabilities *capabilities,
                                         const char *arch,
                                         const char *machine);

/** Returns: (transfer full): all types and aliases that guests of @arch can have. */
GStrv ferry_host_capabilities_machines(const FerryHostCapabilities *capabilities, const char *arch);

/** Returns: true when guests of @arch can be of @virt_type ("kvm", "qemu"). */
bool ferry_host_capabilities_has_virt_type(const FerryHostCapabilities *capabilities,
                                           const char *arch,
                                           const char *virt_type);

/* What one emulator can do with one machine type; a plain value, immutable once made. */
typedef struct {
    char *emulator;
    char *virt_type;
    char *machine;
    char *arch;
    guint max_vcpus;       /* 0: libvirt did not say */
    bool host_passthrough; /* cpu modes that are supported */
    bool host_model;
    bool custom;
    bool tpm_emulator;     /* a TPM can be emulated: swtpm is there */
    char *host_model_name; /* what host-model becomes here, or NULL */
    char **usable_models;  /* of mode custom: those that run on this host */
    char **known_models;   /* of mode custom: all */
    GHashTable *devices;   /* "video/modelType": a GStrv of what there is; others are not told */
} FerryDomainCapabilities;

/** @xml: of virConnectGetDomainCapabilities(). @error: FERRY_ERROR_INVALID_REQUEST. */
FerryDomainCapabilities *ferry_domain_capabilities_parse(const char *xml,
                                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): the values of that list of that device, e.g. "modelType" of
 * "video"; NULL where libvirt
 * does not tell. */
const char *const *ferry_domain_capabilities_values(const FerryDomainCapabilities *capabilities,
                                                    const char *device,
                                                    const char *list);
void ferry_domain_capabilities_free(FerryDomainCapabilities *capabilities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDomainCapabilities, ferry_domain_capabilities_free)
