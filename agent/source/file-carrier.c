#include "config.h"

#include "source/file-carrier.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "files/copy-call.h"
#include "files/digests.h"
#include "model/file-answer.h"
#include "peer/peer.h"
#include "runtime/fault-point.h"
#include "runtime/stall-timer.h"
#include "source/lost-calls.h"
#include "source/room-watch.h"
#include "source/source-image.h"

/* While another migration brings the file, or the destination reads it. */
#define ASK_AGAIN_MS 500
#define LOOK_MS 250
#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS 8000
/* A copy whose content came out wrong is made once more, not for ever. */
#define MAX_COPIES 2
/* How often the destination hears that its preparation is still in use. */
#define LONGEST_SIGN_OF_LIFE_S 30

typedef struct {
    const FerryFileCarrier *carrier;
    FerryCarriedFile *file;
    const char *from; /* the file itself, on this host */
    FerryCarrierFunc func;
    gpointer data;

    guint64 sent_bytes;  /* by calls that ended */
    guint64 found_bytes; /* data that an earlier life of either agent had brought, as a guess */
    guint64 moved_to;    /* the furthest position that any call reached */
    FerryStallTimer stall;
    FerryLostCalls lost;
    gint64 life_us;     /* last sign of life */
    guint pause_ms;     /* before the next try */
    guint wrong_copies; /* sent in full, and found to be another content */
    bool complete;      /* all was sent: it is to be verified and to get its name */
} Carrying;

static void
carrying_clear(Carrying *self)
{
    ferry_lost_calls_clear(&self->lost);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Carrying, carrying_clear)

static bool
is_cancelled(const Carrying *self, GCancellable *cancellable, GError **error)
{
    if (!g_cancellable_is_cancelled(cancellable))
        return false;
    ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "Bringing '%s' was given up",
                    self->file->path);
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */

static FerryFileAnswer *
ask(Carrying *self, const char *method, const char *key, json_t *value, GError **error)
{
    const FerryFileCarrier *carrier = self->carrier;
    json_t *args = json_pack("{s:s, s:o}", "migration_id", carrier->migration_id, key, value);

    self->life_us = g_get_monotonic_time();

    g_autoptr(FerryJson) answer =
        ferry_peer_call(carrier->agent,
                        &(FerryCall){.server = carrier->destination,
                                     .method = method,
                                     .args = args,
                                     .timeout_ms = carrier->agent->config->outcome_timeout_s * 1000,
                                     .cancellable = carrier->cancellable},
                        error);

    return answer ? ferry_file_answer_from_json(answer, error) : NULL;
}

static FerryFileAnswer *
ask_to_prepare(Carrying *self, GError **error)
{
    return ask(self, "prepare_file", "file", ferry_carried_file_to_json(self->file), error);
}

static FerryFileAnswer *
ask_to_publish(Carrying *self, GError **error)
{
    return ask(self, "publish_file", "path", ferry_json_text(self->file->path), error);
}

/* Long before the lease ends; the destination's own timeout is not known, ours is as good a
 * guess. */
static bool
is_time_for_a_sign(const Carrying *self)
{
    gint64 period_s =
        CLAMP(self->carrier->agent->config->prepare_timeout_s / 4, 1, LONGEST_SIGN_OF_LIFE_S);

    return g_get_monotonic_time() - self->life_us >= period_s * G_USEC_PER_SEC;
}

/* Asked once: an agent that is away does not hinder the copy, which its libvirt takes. */
static void
give_sign_of_life(Carrying *self)
{
    const FerryFileCarrier *carrier = self->carrier;
    json_t *args = json_pack("{s:s, s:o}", "migration_id", carrier->migration_id, "file",
                             ferry_carried_file_to_json(self->file));
    g_autoptr(GError) why = NULL;
    g_autoptr(FerryJson) answer = ferry_peer_call(carrier->agent,
                                                  &(FerryCall){.server = carrier->destination,
                                                               .method = "prepare_file",
                                                               .args = args,
                                                               .cancellable = carrier->cancellable},
                                                  &why);

    self->life_us = g_get_monotonic_time();
    if (!answer)
        g_debug("Migration '%s': no sign of life was heard: %s", carrier->migration_id,
                why->message);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void
note_movement(Carrying *self, FerryDetachedCall *call)
{
    guint64 position = 0;
    guint64 sent = 0;

    ferry_file_copy_call_count(call, &position, &sent);
    if (position > self->moved_to) {
        self->moved_to = position;
        self->pause_ms = FIRST_PAUSE_MS;
    }
    self->func(self->file, self->found_bytes + self->sent_bytes + sent, self->data);
}

static void
end_call(Carrying *self, FerryDetachedCall *call)
{
    guint64 position = 0;
    guint64 sent = 0;

    note_movement(self, call);
    ferry_file_copy_call_count(call, &position, &sent);
    self->sent_bytes += sent;
}

/* Returns: how the call ended; a call that hangs is left behind when the migration is given up.
 * @cancellable: what ends the call, too. */
static bool
watch_call(Carrying *self, FerryDetachedCall *call, GCancellable *cancellable, GError **error)
{
    while (ferry_detached_call_wait(call, LOOK_MS, cancellable) != FERRY_CALL_OVER) {
        if (is_cancelled(self, cancellable, error))
            return false;
        note_movement(self, call);
        if (is_time_for_a_sign(self))
            give_sign_of_life(self);
    }
    end_call(self, call);
    return ferry_detached_call_result(call, error);
}

/* The length tells how far the file is; its data lie evenly in it, as far as anybody knows. */
static void
note_found(Carrying *self, guint64 offset)
{
    const FerryCarriedFile *file = self->file;

    if (self->sent_bytes == 0 && file->file_bytes > 0)
        self->found_bytes =
            (guint64)((double)file->data_bytes * (double)offset / (double)file->file_bytes);
}

static bool
send_watched(Carrying *self, const FerryFileAnswer *answer, FerryRoomWatch *room, GError **error)
{
    const FerryFileCarrier *carrier = self->carrier;
    GCancellable *cancellable = ferry_room_watch_cancellable(room);
    FerryFileCopyRequest request = {
        .virt = carrier->agent->virt,
        .to_uri = carrier->libvirt_uri,
        .from_path = self->from,
        .to_path = answer->path,
        .offset_bytes = answer->offset_bytes,
        .rate = carrier->rate,
        .cancellable = cancellable,
    };
    g_autoptr(FerryDetachedCall) call = ferry_file_copy_call_start(&request);

    return watch_call(self, call, cancellable, error) || ferry_room_watch_blame(room, error);
}

static bool
send_rest(Carrying *self, const FerryFileAnswer *answer, GError **error)
{
    const FerryFileCarrier *carrier = self->carrier;
    const FerryRoomQuestion question = {carrier->agent, carrier->migration_id, carrier->destination,
                                        carrier->cancellable};

    if (answer->offset_bytes > self->file->file_bytes) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look at the destination's version",
                        "The destination's answer about '%s' makes no sense", self->file->path);
        return false;
    }
    if (!ferry_room_ask(&question, /* with_rest= */ true, error))
        return false;
    g_message("Migration '%s': bringing '%s' from byte %" G_GUINT64_FORMAT " on",
              self->carrier->migration_id, self->file->path, answer->offset_bytes);
    note_found(self, answer->offset_bytes);
    ferry_fault_point("carry", "begin");

    g_autoptr(FerryRoomWatch) room = ferry_room_watch_start(&question);
    bool ok = send_watched(self, answer, room, error);

    ferry_fault_point("carry", "end");
    return ok;
}

static FerryLostCall
lost_call(const Carrying *self)
{
    return (FerryLostCall){.agent = self->carrier->agent,
                           .host = self->carrier->destination,
                           .cancellable = self->carrier->cancellable,
                           .position = self->moved_to};
}

/* Returns: true when it is worth another try, after a pause. */
static bool
try_again(Carrying *self, const GError *why)
{
    gint64 timeout_us = (gint64)self->carrier->agent->config->outcome_timeout_s * G_USEC_PER_SEC;

    if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE) ||
        !ferry_stall_timer_allows(&self->stall, self->moved_to, g_get_monotonic_time(), timeout_us))
        return false;
    g_message("Migration '%s': '%s' has not arrived in full, going on in a moment: %s",
              self->carrier->migration_id, self->file->path, why->message);
    ferry_agent_pause(self->carrier->agent, self->pause_ms, self->carrier->cancellable);
    self->pause_ms = MIN(self->pause_ms * 2, LAST_PAUSE_MS);
    return true;
}

/* --- the way of a file ------------------------------------------------------------------------ */

/* One that broke off, or for which the destination could not even be reached, was no copy. */
static bool
is_copied_too_often(Carrying *self, GError **error)
{
    if (!self->complete || ++self->wrong_copies < MAX_COPIES)
        return false;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look whether something writes to it on either host",
                    "'%s' did not arrive as it was, twice", self->file->path);
    return true;
}

/* Returns: (transfer full): what to do next, after @answer, which is not that the file is there. */
static FerryFileAnswer *
next_answer(Carrying *self, const FerryFileAnswer *answer, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (is_cancelled(self, self->carrier->cancellable, error))
        return NULL;
    if (answer->state == FERRY_FILE_WAIT) {
        ferry_agent_pause(self->carrier->agent, ASK_AGAIN_MS, self->carrier->cancellable);
        return self->complete ? ask_to_publish(self, error) : ask_to_prepare(self, error);
    }
    if (is_copied_too_often(self, error))
        return NULL;

    FerryLostCall call = lost_call(self);

    ferry_lost_calls_begin(&self->lost, &call);
    self->complete = send_rest(self, answer, &why);
    if (self->complete)
        return ask_to_publish(self, error);
    call = lost_call(self);
    if (try_again(self, why))
        return ferry_lost_calls_allow(&self->lost, &call, error) ? ask_to_prepare(self, error)
                                                                 : NULL;
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

/* Where it cannot be looked at, it is made for nobody but its owner there. */
static void
note_owners(FerryCarriedFile *file, const char *from)
{
    g_autofree char *folder = g_path_get_dirname(file->path);

    file->owner = ferry_file_owner_of(from);
    file->folder_owner = ferry_file_owner_of(folder);
    file->mode = file->owner.known ? file->owner.mode : 0;
}

bool
ferry_file_carrier_bring(const FerryFileCarrier *carrier,
                         FerryCarriedFile *file,
                         FerryCarrierFunc func,
                         gpointer data,
                         FerryCarrierResult *ret_result,
                         GError **error)
{
    g_autofree char *from = ferry_source_image_path(carrier->agent, file->path);
    g_auto(Carrying) self = {
        .carrier = carrier,
        .file = file,
        .from = from,
        .func = func,
        .data = data,
        .pause_ms = FIRST_PAUSE_MS,
    };
    g_autoptr(FerryFileAnswer) answer = NULL;

    note_owners(file, from);
    if (!file->digest)
        file->digest =
            ferry_digests_await(carrier->agent->digests, from, carrier->cancellable, error);
    if (file->digest)
        answer = ask_to_prepare(&self, error);

    while (answer && answer->state != FERRY_FILE_PRESENT) {
        FerryFileAnswer *next = next_answer(&self, answer, error);

        ferry_file_answer_free(answer);
        answer = next;
    }
    if (!answer)
        return false;
    *ret_result = (FerryCarrierResult){!self.complete && self.sent_bytes == 0, self.sent_bytes};
    return true;
}
