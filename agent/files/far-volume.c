#include "config.h"

#include "files/far-volume.h"

#include "runtime/bounded-call.h"
#include "virt/auto.h"
#include "virt/time-limits.h"
#include "virt/virt.h"
#include "virt/volume.h"

typedef struct {
    char *uri;
    char *path;
    GCancellable *cancellable;
    guint64 bytes; /* the answer */
} Look;

static void
look_free(gpointer data)
{
    Look *self = data;

    g_free(self->uri);
    g_free(self->path);
    g_clear_object(&self->cancellable);
    g_free(self);
}

static bool
look(gpointer data, GError **error)
{
    Look *self = data;
    g_autoptr(virConnect) far = ferry_virt_connect_to(self->uri, self->cancellable, error);

    return far && ferry_virt_volume_length(far, self->path, &self->bytes, error);
}

bool
ferry_far_volume_length(const char *uri,
                        const char *path,
                        GCancellable *cancellable,
                        guint64 *ret_bytes,
                        GError **error)
{
    Look *self = g_new0(Look, 1);
    FerryDetachedWork work = {
        .thread = "vf-far-look", .func = look, .data = self, .free_data = look_free};

    self->uri = g_strdup(uri);
    self->path = g_strdup(path);
    self->cancellable = g_object_ref(cancellable);
    self = ferry_bounded_call(&work, FERRY_FAR_LOOK_LIMIT_S, "Looking at the destination's file",
                              cancellable, error);
    if (!self)
        return false;
    *ret_bytes = self->bytes;
    look_free(self);
    return true;
}
