#include "config.h"

#include "model/room.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/json-field.h"

#define MAX_FILE_SYSTEMS 256
#define MAX_TEXT_BYTES 4096
#define MAX_BYTES (G_GUINT64_CONSTANT(1) << 62)

/* Of what is to come: maps, tables and folders of the file system. */
#define OVERHEAD_PART 64
#define OVERHEAD_BYTES (G_GUINT64_CONSTANT(1) << 20)

#define SHORTEST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 2000
/* How often it is looked at in the time in which the room would be used up. */
#define LOOKS 4

void
ferry_room_clear(FerryRoom *room)
{
    g_clear_pointer(&room->path, g_free);
}

json_t *
ferry_room_to_json(const FerryRoom *room)
{
    return json_pack("{s:o, s:I, s:I, s:I}", "path", ferry_json_text(room->path), "available_bytes",
                     (json_int_t)room->available_bytes, "reserved_bytes",
                     (json_int_t)room->reserved_bytes, "wanted_bytes",
                     (json_int_t)room->wanted_bytes);
}

static gint64
spare(const FerryRoom *room, bool with_rest)
{
    return (gint64)room->available_bytes - (gint64)room->reserved_bytes -
           (gint64)(with_rest ? room->wanted_bytes : 0);
}

static bool
read_one(const json_t *object, FerryRoom *ret)
{
    const FerryFieldScope scope = {object, "file_systems[]"};

    return ferry_field_check_object(&scope, NULL) &&
           ferry_field_text(&scope, "path", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &ret->path, NULL) &&
           ret->path &&
           ferry_field_uint64(&scope, "available_bytes", 0, MAX_BYTES, &ret->available_bytes,
                              NULL) &&
           ferry_field_uint64(&scope, "reserved_bytes", 0, MAX_BYTES, &ret->reserved_bytes, NULL) &&
           ferry_field_uint64(&scope, "wanted_bytes", 0, MAX_BYTES / 4, &ret->wanted_bytes, NULL);
}

void
ferry_room_read(const json_t *answer, bool with_rest, FerryRoom *ret)
{
    const json_t *list = json_object_get(answer, "file_systems");

    *ret = (FerryRoom){0};
    for (gsize i = 0; i < MIN(json_array_size(list), MAX_FILE_SYSTEMS); i++) {
        g_auto(FerryRoom) one = {0};

        if (!read_one(json_array_get(list, i), &one) ||
            (ret->path && spare(&one, with_rest) >= spare(ret, with_rest)))
            continue;
        ferry_room_clear(ret);
        *ret = one;
        one = (FerryRoom){0};
    }
}

bool
ferry_room_is_short(const FerryRoom *room, bool with_rest)
{
    gint64 missed = 0;

    if (!room->path)
        return false;
    if (with_rest)
        missed = (gint64)(OVERHEAD_BYTES + room->wanted_bytes / OVERHEAD_PART);
    return spare(room, with_rest) < -missed || spare(room, false) < 0;
}

GError *
ferry_room_error(const FerryRoom *room, const char *host)
{
    GError *error = ferry_error_new(
        FERRY_ERROR_INSUFFICIENT_STORAGE,
        "Free space there, lower its [storage] reserved_bytes, or choose another host",
        "'%s' on '%s' has %" G_GUINT64_FORMAT " bytes left, %" G_GUINT64_FORMAT
        " of them are to stay free, and %" G_GUINT64_FORMAT " were still to come",
        room->path, host, room->available_bytes, room->reserved_bytes, room->wanted_bytes);

    ferry_error_set_detail(error, "room", ferry_room_to_json(room));
    return error;
}

guint
ferry_room_pause_ms(const FerryRoom *room, guint64 taken_bytes, guint elapsed_ms)
{
    gint64 left = spare(room, false);

    if (taken_bytes == 0 || left <= 0)
        return left <= 0 ? SHORTEST_PAUSE_MS : LONGEST_PAUSE_MS;
    return (guint)CLAMP((double)left * elapsed_ms / (double)taken_bytes / LOOKS, SHORTEST_PAUSE_MS,
                        LONGEST_PAUSE_MS);
}
