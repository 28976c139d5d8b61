#include "config.h"

#include "virt/opening.h"

#include "ferry/error.h"
#include "runtime/detached-call.h"
#include "runtime/libvirt-daemons.h"
#include "virt/error.h"
#include "virt/time-limits.h"

#include <libvirt/virterror.h>

FerryOpening
ferry_opening_of_host(const char *uri, const char *thread)
{
    return (FerryOpening){.uri = uri,
                          .thread = thread,
                          .keepalive_s = FERRY_KEEPALIVE_S,
                          .keepalive_count = FERRY_KEEPALIVE_COUNT};
}

virConnectPtr
ferry_opening_run(const FerryOpening *opening, GError **error)
{
    virConnectPtr connection = virConnectOpen(opening->uri);

    if (!connection) {
        ferry_error_from_virt(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                              "Cannot connect to libvirt at '%s'", opening->uri);
        return NULL;
    }
    if (virConnectSetKeepAlive(connection, opening->keepalive_s, opening->keepalive_count) < 0)
        g_warning("libvirt at '%s' is not watched for standing still: %s", opening->uri,
                  virGetLastErrorMessage());
    return connection;
}

/* --- with a limit ----------------------------------------------------------------------------- */

typedef struct {
    FerryOpening opening;
    char *uri;
    virConnectPtr connection; /* NULL: not open, or taken */
} Call;

static void
call_free(gpointer data)
{
    Call *self = data;

    if (self->connection)
        virConnectClose(self->connection);
    g_free(self->uri);
    g_free(self);
}

static bool
run_call(gpointer data, GError **error)
{
    Call *self = data;

    self->connection = ferry_opening_run(&self->opening, error);
    return self->connection != NULL;
}

virConnectPtr
ferry_opening_run_bounded(const FerryOpening *opening, GCancellable *cancellable, GError **error)
{
    Call *self = g_new0(Call, 1);
    FerryDetachedWork work = {
        .thread = opening->thread, .func = run_call, .data = self, .free_data = call_free};

    self->uri = g_strdup(opening->uri);
    self->opening = *opening;
    self->opening.uri = self->uri;

    g_autoptr(FerryDetachedCall) call = ferry_detached_call_start(&work);

    switch (ferry_detached_call_wait(call, FERRY_OPEN_LIMIT_S * 1000, cancellable)) {
    case FERRY_CALL_OVER:
        /* Ours alone now: its thread is done with it. */
        return ferry_detached_call_result(call, error) ? g_steal_pointer(&self->connection) : NULL;
    case FERRY_CALL_LATE:
        ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                        ferry_libvirt_hint(FERRY_LIBVIRT_FAR_IS_AWAY),
                        "libvirt at '%s' has not taken the connection in %d s", opening->uri,
                        FERRY_OPEN_LIMIT_S);
        break;
    case FERRY_CALL_CANCELLED:
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "libvirt at '%s' was not waited for",
                        opening->uri);
        break;
    }
    return NULL;
}
