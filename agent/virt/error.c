#include "config.h"

#include "virt/error.h"

#include "ferry/json.h"
#include "runtime/libvirt-daemons.h"

#include <libvirt/virterror.h>

/* A socket that was closed under a call is an internal error of libvirt's RPC. */
static bool
connection_is_lost(const virError *raw)
{
    switch (raw->code) {
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_CONN:
    case VIR_ERR_RPC:
    case VIR_ERR_SYSTEM_ERROR:
    case VIR_ERR_AUTH_FAILED:
        return raw->domain == VIR_FROM_RPC || raw->domain == VIR_FROM_REMOTE;
    case VIR_ERR_INTERNAL_ERROR:
        return raw->domain == VIR_FROM_RPC;
    default:
        return false;
    }
}

static FerryErrorCode
code_of(const virError *raw, FerryErrorCode fallback)
{
    if (!raw)
        return fallback;
    if (raw->code == VIR_ERR_NO_DOMAIN)
        return FERRY_ERROR_INSTANCE_NOT_FOUND;
    if (connection_is_lost(raw))
        return FERRY_ERROR_HYPERVISOR_UNAVAILABLE;
    return fallback;
}

static const char *
hint_of(FerryErrorCode code)
{
    return ferry_libvirt_hint(code == FERRY_ERROR_HYPERVISOR_UNAVAILABLE ? FERRY_LIBVIRT_IS_AWAY
                                                                         : FERRY_LIBVIRT_REFUSES);
}

bool
ferry_error_from_virt(GError **error, FerryErrorCode fallback, const char *format, ...)
{
    virErrorPtr raw = virSaveLastError();
    const char *text = raw && raw->message ? raw->message : "libvirt gives no reason";
    FerryErrorCode code = code_of(raw, fallback);
    va_list values;

    va_start(values, format);
    g_autofree char *doing = g_strdup_vprintf(format, values);
    va_end(values);

    if (error) {
        *error = ferry_error_new(code, hint_of(code), "%s: %s", doing, text);
        ferry_error_set_detail(*error, "libvirt",
                               json_pack("{s:i, s:i, s:o}", "code", raw ? raw->code : 0, "domain",
                                         raw ? raw->domain : 0, "message", ferry_json_text(text)));
    }
    virFreeError(raw);
    return false;
}

bool
ferry_virt_error_is(int code)
{
    virErrorPtr last = virGetLastError();

    return last && last->code == code;
}
