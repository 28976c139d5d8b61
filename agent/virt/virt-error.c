#include "config.h"

#include "virt-error.h"

#include "ferry/json.h"

#include <libvirt/virterror.h>

static bool
connection_is_lost(int code)
{
    return code == VIR_ERR_NO_CONNECT || code == VIR_ERR_INVALID_CONN || code == VIR_ERR_RPC ||
           code == VIR_ERR_SYSTEM_ERROR || code == VIR_ERR_AUTH_FAILED;
}

static FerryErrorCode
code_of(const virError *raw, FerryErrorCode fallback)
{
    if (!raw)
        return fallback;
    if (raw->code == VIR_ERR_NO_DOMAIN)
        return FERRY_ERROR_INSTANCE_NOT_FOUND;
    if (connection_is_lost(raw->code) &&
        (raw->domain == VIR_FROM_RPC || raw->domain == VIR_FROM_REMOTE))
        return FERRY_ERROR_HYPERVISOR_UNAVAILABLE;
    return fallback;
}

static const char *
hint_of(FerryErrorCode code)
{
    return code == FERRY_ERROR_HYPERVISOR_UNAVAILABLE
               ? "Look whether libvirtd runs on that host and the agent's user may connect to it"
               : "The logs of libvirtd and of QEMU on both hosts tell more of what libvirt said";
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
