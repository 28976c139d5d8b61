/* auto.h: automatic cleanup for libvirt's types.
 *
 * virDomainFree() and its like reset the thread's last error: take it (ferry_error_from_virt) in
 * the statement right after the failing call, before any of these leaves its scope. A connection is
 * declared before what is got from it: it goes last.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "virt/lending.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, ferry_virt_let_go)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetwork, virNetworkFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virSecret, virSecretFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStoragePool, virStoragePoolFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStorageVol, virStorageVolFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virStream, virStreamFree)
