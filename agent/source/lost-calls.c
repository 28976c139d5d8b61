#include "config.h"

#include "source/lost-calls.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "peer/peer.h"

/* So much more than at the death before tells that the call works. */
#define PROGRESS_BYTES (G_GUINT64_CONSTANT(16) << 20)

void
ferry_far_libvirt_clear(FerryFarLibvirt *libvirt)
{
    g_clear_pointer(&libvirt->since, g_free);
    g_clear_pointer(&libvirt->agent, g_free);
    g_clear_pointer(&libvirt->version, g_free);
    libvirt->known = false;
}

void
ferry_far_libvirt_ask(const FerryAgent *agent,
                      const char *host,
                      GCancellable *cancellable,
                      FerryFarLibvirt *ret)
{
    g_autoptr(FerryJson) answer = ferry_peer_call(
        agent, &(FerryCall){.server = host, .method = "ping", .cancellable = cancellable}, NULL);

    *ret = (FerryFarLibvirt){
        .known = answer && json_object_get(answer, "libvirt_since"),
        .since = g_strdup(ferry_json_get_string(answer, "libvirt_since")),
        .agent = g_strdup(ferry_json_get_string(answer, "started_at")),
        .version = g_strdup(ferry_json_get_string(answer, "libvirt_version")),
    };
}

bool
ferry_far_libvirt_has_gone(const FerryFarLibvirt *before, const FerryFarLibvirt *now)
{
    return before->known && before->since && now->known &&
           g_strcmp0(before->agent, now->agent) == 0 && g_strcmp0(before->since, now->since) != 0;
}

void
ferry_lost_calls_clear(FerryLostCalls *self)
{
    ferry_far_libvirt_clear(&self->libvirt);
}

void
ferry_lost_calls_begin(FerryLostCalls *self, const FerryLostCall *call)
{
    ferry_far_libvirt_clear(&self->libvirt);
    ferry_far_libvirt_ask(call->agent, call->host, call->cancellable, &self->libvirt);
}

GError *
ferry_lost_calls_error(const FerryFarLibvirt *libvirt, const char *host, const char *call)
{
    GError *error = ferry_error_new(
        FERRY_ERROR_MIGRATION_ERROR,
        "Look at the log of libvirt's daemon there, and update it before the next try",
        "libvirt %s on '%s' has ended in %s twice; it is not tried again",
        libvirt->version ? libvirt->version : "of unknown version", host, call);

    ferry_error_set_detail(error, "reason", json_string("libvirt-ended"));
    ferry_error_set_detail(error, "libvirt_version", ferry_json_text(libvirt->version));
    return error;
}

bool
ferry_lost_calls_allow(FerryLostCalls *self, const FerryLostCall *call, GError **error)
{
    g_auto(FerryFarLibvirt) now = {0};

    ferry_far_libvirt_ask(call->agent, call->host, call->cancellable, &now);
    if (!ferry_far_libvirt_has_gone(&self->libvirt, &now))
        return true;
    self->deaths = call->position < self->position + PROGRESS_BYTES ? self->deaths + 1 : 1;
    self->position = MAX(self->position, call->position);
    if (self->deaths < FERRY_LOST_CALLS_MAX)
        return true;
    g_propagate_error(error, ferry_lost_calls_error(&self->libvirt, call->host, "an upload"));
    return false;
}
