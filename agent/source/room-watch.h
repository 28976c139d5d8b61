/* room-watch.h: keeps an eye on the room at the destination while bytes go there, so that whoever
 * sends them ends before a file system there is full. Full, it would stop the instances on it, and
 * some libvirts do not survive an upload into it.
 *
 * A destination that cannot be asked, or whose agent is of an earlier version, is taken to have
 * room: its libvirt may be well.
 *
 * Threads: any but main.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "runtime/agent.h"

/* Whose room. A value that borrows all it points to. */
typedef struct {
    const FerryAgent *agent;
    const char *migration_id;
    const char *destination;
    GCancellable *cancellable; /* ends the watch, too */
} FerryRoomQuestion;

/** Asks once. Blocks. @with_rest: there has to be room for all that is still to come.
 * @error: FERRY_ERROR_INSUFFICIENT_STORAGE */
bool ferry_room_ask(const FerryRoomQuestion *question,
                    bool with_rest,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks once what a failure was: libvirt and QEMU say a full file system in many ways, and late.
 * Blocks. @error: (inout): where there is too little room, FERRY_ERROR_INSUFFICIENT_STORAGE takes
 * the place of a FERRY_ERROR_MIGRATION_ERROR, with what libvirt said as a detail. */
void ferry_room_explain(const FerryRoomQuestion *question, GError **error);

typedef struct FerryRoomWatch FerryRoomWatch;

/** Begins to ask, in a thread of its own. */
FerryRoomWatch *ferry_room_watch_start(const FerryRoomQuestion *question);

/** Ends the watch without waiting for an answer. */
void ferry_room_watch_free(FerryRoomWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRoomWatch, ferry_room_watch_free)

/** Returns: (transfer none): cancelled once there is no room, or with the question's. */
GCancellable *ferry_room_watch_cancellable(FerryRoomWatch *watch);

/** Returns: (transfer full) (nullable): FERRY_ERROR_INSUFFICIENT_STORAGE; NULL while there is room,
 * as far as is known. */
GError *ferry_room_watch_shortage(FerryRoomWatch *watch);

/** Says why @error came to be, where it was for want of room, and asks where the watch does not
 * know. Blocks. Returns: false. */
bool ferry_room_watch_blame(FerryRoomWatch *watch, GError **error);
