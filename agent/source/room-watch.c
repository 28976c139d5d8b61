#include "config.h"

#include "source/room-watch.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "model/room.h"
#include "peer/peer.h"
#include "runtime/detached-call.h"

/* Before the rate is known. */
#define FIRST_PAUSE_MS 500
/* While nobody answers. */
#define BLIND_PAUSE_MS 2000

/* The data of the thread that asks. */
typedef struct {
    const FerryAgent *agent;
    char *migration_id;
    char *destination;
    GCancellable *cancellable; /* ours: of who sends, and of the watch itself */

    GMutex lock;
    GError *shortage; /* guarded by lock; NULL while there is room */
} Asking;

struct FerryRoomWatch {
    FerryDetachedCall *call;
    GCancellable *outer;
    gulong chained; /* to outer */
};

/* --- asking ----------------------------------------------------------------------------------- */

/* @ret: has no path where nothing is known. */
static bool
ask(const FerryRoomQuestion *question, bool with_rest, FerryRoom *ret, GError **error)
{
    g_autoptr(FerryJson) answer = ferry_peer_call(
        question->agent,
        &(FerryCall){.server = question->destination,
                     .method = "get_room",
                     .args = json_pack("{s:s}", "migration_id", question->migration_id),
                     .cancellable = question->cancellable},
        error);

    *ret = (FerryRoom){0};
    if (answer)
        ferry_room_read(answer, with_rest, ret);
    return answer != NULL;
}

bool
ferry_room_ask(const FerryRoomQuestion *question, bool with_rest, GError **error)
{
    g_auto(FerryRoom) room = {0};
    g_autoptr(GError) why = NULL;

    if (!ask(question, with_rest, &room, &why))
        g_debug("Migration '%s': the room at '%s' is not known: %s", question->migration_id,
                question->destination, why->message);
    if (!ferry_room_is_short(&room, with_rest))
        return true;
    g_propagate_error(error, ferry_room_error(&room, question->destination));
    return false;
}

void
ferry_room_explain(const FerryRoomQuestion *question, GError **error)
{
    g_autoptr(GError) shortage = NULL;

    if (!g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR) ||
        ferry_room_ask(question, /* with_rest= */ false, &shortage))
        return;
    ferry_error_set_detail(shortage, "libvirt", ferry_json_text((*error)->message));
    g_error_free(*error);
    *error = g_steal_pointer(&shortage);
}

/* --- the watch -------------------------------------------------------------------------------- */

static void
asking_free(gpointer data)
{
    Asking *self = data;

    g_free(self->migration_id);
    g_free(self->destination);
    g_object_unref(self->cancellable);
    g_clear_error(&self->shortage);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static void
tell_shortage(Asking *self, const FerryRoom *room)
{
    g_mutex_lock(&self->lock);
    self->shortage = ferry_room_error(room, self->destination);
    g_mutex_unlock(&self->lock);
    g_cancellable_cancel(self->cancellable);
}

static guint
next_pause_ms(const FerryRoom *room, guint64 before_bytes, guint pause_ms)
{
    if (!room->path)
        return BLIND_PAUSE_MS;
    if (before_bytes == 0)
        return FIRST_PAUSE_MS;
    return ferry_room_pause_ms(
        room, before_bytes > room->available_bytes ? before_bytes - room->available_bytes : 0,
        pause_ms);
}

/* Returns: true when the other agent does not know the question, now or ever. */
static bool
is_vain(const GError *why)
{
    return g_error_matches(why, FERRY_ERROR, FERRY_ERROR_REMOTE) ||
           g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST) ||
           g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND) ||
           g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
}

static bool
run(gpointer data, GError **error)
{
    Asking *self = data;
    const FerryRoomQuestion question = {self->agent, self->migration_id, self->destination,
                                        self->cancellable};
    guint64 before_bytes = 0;
    guint pause_ms = FIRST_PAUSE_MS;

    while (!g_cancellable_is_cancelled(self->cancellable)) {
        g_auto(FerryRoom) room = {0};
        g_autoptr(GError) why = NULL;

        if (!ask(&question, /* with_rest= */ false, &room, &why) && is_vain(why))
            return true;
        if (ferry_room_is_short(&room, /* with_rest= */ false)) {
            tell_shortage(self, &room);
            return true;
        }
        pause_ms = next_pause_ms(&room, before_bytes, pause_ms);
        before_bytes = room.available_bytes;
        ferry_agent_pause(self->agent, pause_ms, self->cancellable);
    }
    return true;
}

static void
cancel(GCancellable *outer, gpointer inner)
{
    g_cancellable_cancel(inner);
}

FerryRoomWatch *
ferry_room_watch_start(const FerryRoomQuestion *question)
{
    FerryRoomWatch *self = g_new0(FerryRoomWatch, 1);
    Asking *asking = g_new0(Asking, 1);
    FerryDetachedWork work = {
        .thread = "vf-room", .func = run, .data = asking, .free_data = asking_free};

    asking->agent = question->agent;
    asking->migration_id = g_strdup(question->migration_id);
    asking->destination = g_strdup(question->destination);
    asking->cancellable = g_cancellable_new();
    g_mutex_init(&asking->lock);
    self->outer = g_object_ref(question->cancellable);
    self->chained = g_cancellable_connect(self->outer, G_CALLBACK(cancel),
                                          g_object_ref(asking->cancellable), g_object_unref);
    self->call = ferry_detached_call_start(&work);
    return self;
}

void
ferry_room_watch_free(FerryRoomWatch *self)
{
    if (!self)
        return;
    g_cancellable_disconnect(self->outer, self->chained);
    g_object_unref(self->outer);
    g_cancellable_cancel(ferry_room_watch_cancellable(self));
    ferry_detached_call_abandon(self->call);
    g_free(self);
}

GCancellable *
ferry_room_watch_cancellable(FerryRoomWatch *self)
{
    const Asking *asking = ferry_detached_call_data(self->call);

    return asking->cancellable;
}

GError *
ferry_room_watch_shortage(FerryRoomWatch *self)
{
    Asking *asking = ferry_detached_call_data(self->call);
    FERRY_LOCK_SCOPE(&asking->lock);

    return asking->shortage ? g_error_copy(asking->shortage) : NULL;
}

bool
ferry_room_watch_blame(FerryRoomWatch *self, GError **error)
{
    const Asking *asking = ferry_detached_call_data(self->call);
    const FerryRoomQuestion question = {asking->agent, asking->migration_id, asking->destination,
                                        self->outer};
    GError *shortage = ferry_room_watch_shortage(self);

    if (shortage) {
        g_clear_error(error);
        g_propagate_error(error, shortage);
    } else {
        /* The room may have gone faster than it was looked at. */
        ferry_room_explain(&question, error);
    }
    return false;
}
