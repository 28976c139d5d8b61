/* client-key.h: a source's check that the agent may itself connect to the destination's libvirt: it
 * writes there what the transfer does not carry. Threads: any; looks at the file system. */
#pragma once

#include <stdbool.h>

#include "model/check.h"
#include "model/instance.h"

/* Where libvirt's client has its key by default. */
#define FERRY_CLIENT_KEY "/etc/pki/libvirt/private/clientkey.pem"

/** Adds `client-key` to @checks where the agent sends files of @instance by TLS. @libvirt_uri:
 * (nullable): of the destination's libvirt, as it says. @key: FERRY_CLIENT_KEY. */
void ferry_check_client_key(const FerryInstance *instance,
                            const char *libvirt_uri,
                            const char *key,
                            FerryChecks *checks);

/** Adds `client-key` whatever is sent: fails where there is no @key, which libvirtd itself lacks
 * then, too; warns where only the agent may not read it. */
void ferry_check_client_key_of_host(const char *libvirt_uri, const char *key, FerryChecks *checks);

/** Why the agent, with TLS, has no key for @libvirt_uri. @key: FERRY_CLIENT_KEY. @ret_absent: true
 * where there is none, for nobody. Returns: (transfer full) (nullable): the way out; NULL: it has
 * one, or needs none. */
char *ferry_client_key_hint(const char *libvirt_uri, const char *key, bool *ret_absent);
