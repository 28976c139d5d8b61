/* room.h: what a destination tells of the room that it has left for a migration, and what follows.
 * Pure, any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Of the file system that has the least to spare. */
typedef struct {
    char *path; /* NULL: none was told of */
    guint64 available_bytes;
    guint64 reserved_bytes; /* are to stay free */
    guint64 wanted_bytes;   /* are still to come */
} FerryRoom;

void ferry_room_clear(FerryRoom *room);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRoom, ferry_room_clear)

/** Returns: (transfer full): an entry of "file_systems". */
json_t *ferry_room_to_json(const FerryRoom *room);

/**
 * ferry_room_read:
 * @answer: {"file_systems": [...]} of another agent; what makes no sense in it is left out
 * @with_rest: what is still to come counts
 * @ret: what has the least to spare
 */
void ferry_room_read(const json_t *answer, bool with_rest, FerryRoom *ret);

/** Returns: true when less is left than is to stay free; with @with_rest, and what is still to
 * come. That is an estimate, so it has to be missed by more than what a file system takes for
 * itself. */
bool ferry_room_is_short(const FerryRoom *room, bool with_rest);

/** Returns: (transfer full): FERRY_ERROR_INSUFFICIENT_STORAGE, with the numbers in its details.
 * @host: whose @room it is */
GError *ferry_room_error(const FerryRoom *room, const char *host);

/** Returns: after how long to look again at @room, of which @taken_bytes went in @elapsed_ms: long
 * before it could be used up at that rate. */
guint ferry_room_pause_ms(const FerryRoom *room, guint64 taken_bytes, guint elapsed_ms);
