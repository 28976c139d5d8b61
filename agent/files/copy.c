#include "config.h"

#include "files/copy.h"

#include "ferry/error.h"
#include "files/scan.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/stream.h"

#include <string.h>

/* With a bandwidth limit, no more than this is sent without a pause. */
#define BURST_US (100 * 1000)
/* A wait is cut into pieces, so that it ends with its cancellable. */
#define LONGEST_WAIT_US (200 * 1000)

typedef struct {
    const FerryFileCopyRequest *request;
    FerryFileCopyCounter *counter;
    FerryVolumeWriter *writer;
    guint64 position_bytes; /* what the writer was told of */
    guint64 limit_mibps;    /* that due_us was reckoned by */
    gint64 due_us;          /* with a limit: when the link will have taken what was sent */
} Copy;

/* --- the limit -------------------------------------------------------------------------------- */

static gint64
cost_us(guint64 mibps, gsize length)
{
    return (gint64)((guint64)length * G_USEC_PER_SEC / (mibps * 1024 * 1024));
}

/* Each piece moves the time at which the next one may go; time that was not used is lost, but for a
 * short burst. What was waited for under one limit is not waited for under another. */
static void
pace(Copy *self, gsize length)
{
    gint64 now = g_get_monotonic_time();
    guint64 limit = ferry_rate_get(self->request->rate);

    self->due_us = MAX(self->due_us, now - BURST_US);
    while (self->due_us > now && limit == self->limit_mibps &&
           !g_cancellable_is_cancelled(self->request->cancellable)) {
        g_usleep((gulong)MIN(self->due_us - now, LONGEST_WAIT_US));
        now = g_get_monotonic_time();
        limit = ferry_rate_get(self->request->rate);
    }
    if (limit != self->limit_mibps)
        self->due_us = now;
    self->limit_mibps = limit;
    if (limit > 0)
        self->due_us += cost_us(limit, length);
}

/* --- piece by piece --------------------------------------------------------------------------- */

static bool
is_zero(const guint8 *data, gsize length)
{
    return length > 0 && data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

static void
count(Copy *self, gsize sent)
{
    g_mutex_lock(&self->counter->lock);
    self->counter->position_bytes = self->position_bytes;
    self->counter->sent_bytes += sent;
    g_mutex_unlock(&self->counter->lock);
}

static bool
send_piece(guint64 offset, const guint8 *data, gsize length, gpointer user, GError **error)
{
    Copy *self = user;
    bool at_end = length == 0;

    /* Zeros become part of the next hole; the last one is told at the end. */
    if (!at_end && is_zero(data, length))
        return true;
    if (offset > self->position_bytes &&
        !ferry_volume_writer_hole(self->writer, offset - self->position_bytes, error))
        return false;
    pace(self, length);
    if (!ferry_volume_writer_data(self->writer, data, length, error))
        return false;
    self->position_bytes = offset + length;
    count(self, length);
    return true;
}

static bool
copy_over(virConnectPtr connection,
          const FerryFileCopyRequest *request,
          FerryFileCopyCounter *counter,
          GError **error)
{
    g_autoptr(FerryVolumeWriter) writer =
        ferry_volume_writer_open(connection, request->to_path, request->offset_bytes, error);
    Copy self = {.request = request,
                 .counter = counter,
                 .writer = writer,
                 .position_bytes = request->offset_bytes,
                 .due_us = g_get_monotonic_time()};
    const FerryFileScan scan = {
        .virt = request->virt,
        .path = request->from_path,
        .offset_bytes = request->offset_bytes,
        .cancellable = request->cancellable,
    };

    if (!writer)
        return false;
    count(&self, 0);
    return ferry_file_scan(&scan, send_piece, &self, error) &&
           ferry_volume_writer_finish(writer, error);
}

/* A stream that broke because the far side is gone says so in many ways. */
static void
tell_lost_connection(virConnectPtr connection, const FerryFileCopyRequest *request, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!error || g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_CANCELLED) ||
        ferry_virt_connection_stands(connection))
        return;
    why = g_steal_pointer(error);
    ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                    ferry_libvirt_hint(FERRY_LIBVIRT_FAR_IS_LOST),
                    "The connection to '%s' was lost: %s", request->to_uri, why->message);
}

bool
ferry_file_copy_run(const FerryFileCopyRequest *request,
                    FerryFileCopyCounter *counter,
                    GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(virConnect) connection =
        ferry_virt_connect_to(request->to_uri, request->cancellable, error);

    if (!connection)
        return false;
    if (copy_over(connection, request, counter, &why))
        return true;
    tell_lost_connection(connection, request, &why);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

void
ferry_file_copy_count(FerryFileCopyCounter *counter,
                      guint64 *ret_position_bytes,
                      guint64 *ret_sent_bytes)
{
    g_mutex_lock(&counter->lock);
    *ret_position_bytes = counter->position_bytes;
    *ret_sent_bytes = counter->sent_bytes;
    g_mutex_unlock(&counter->lock);
}
