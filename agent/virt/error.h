/* error.h: libvirt's thread-local error as ours. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/error.h"

/**
 * ferry_error_from_virt:
 * @fallback: the code where libvirt's own says nothing more exact; a lost connection is always
 *   FERRY_ERROR_HYPERVISOR_UNAVAILABLE, a missing domain FERRY_ERROR_INSTANCE_NOT_FOUND
 * @format: what was tried, on which object; libvirt's text is put behind it
 * Call it in the statement right after the failing call, and take names that go into the text
 * (virDomainGetName() ...) before that: they are libvirt calls, too, and reset the error. Details
 * get "libvirt": {"code", "domain", "message"}. Always returns false.
 */
bool ferry_error_from_virt(GError **error, FerryErrorCode fallback, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** Returns: true when the thread's last libvirt error has this code (VIR_ERR_NO_DOMAIN ...). */
bool ferry_virt_error_is(int code);
