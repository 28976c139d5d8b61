#include "config.h"

#include "model/room.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

static json_t *
answer_with(const char *path, guint64 available, guint64 reserved, guint64 wanted)
{
    const FerryRoom room = {(char *)path, available, reserved, wanted};

    return json_pack("{s:[o, {s:s}, i]}", "file_systems", ferry_room_to_json(&room), "path", "/odd",
                     7);
}

static bool
is_short(guint64 available_mib, guint64 wanted_mib, bool with_rest)
{
    g_auto(FerryRoom) room = {0};
    g_autoptr(FerryJson) answer =
        answer_with("/srv", available_mib * MIB, 100 * MIB, wanted_mib * MIB);

    ferry_room_read(answer, with_rest, &room);
    return ferry_room_is_short(&room, with_rest);
}

static void
test_short(void)
{
    g_assert_false(is_short(100, 500, false));
    g_assert_true(is_short(99, 0, false));
    g_assert_true(is_short(99, 0, true));
    g_assert_false(is_short(600, 500, true));
    g_assert_false(is_short(592, 500, true)); /* its own overhead aside */
    g_assert_true(is_short(580, 500, true));
}

/* The one that matters for the question. */
static void
test_least(void)
{
    g_autoptr(FerryJson) answer = json_object();
    json_t *list = json_array();
    const FerryRoom tight = {(char *)"/tight", 110 * MIB, 100 * MIB, 0};
    const FerryRoom wanted = {(char *)"/wanted", 500 * MIB, 100 * MIB, 1000 * MIB};
    g_auto(FerryRoom) now = {0};
    g_auto(FerryRoom) later = {0};

    json_array_append_new(list, ferry_room_to_json(&tight));
    json_array_append_new(list, ferry_room_to_json(&wanted));
    json_object_set_new(answer, "file_systems", list);
    ferry_room_read(answer, false, &now);
    ferry_room_read(answer, true, &later);
    g_assert_cmpstr(now.path, ==, "/tight");
    g_assert_cmpstr(later.path, ==, "/wanted");
}

/* A stranger's answer, and that of an agent that knows no such question. */
static void
test_nonsense(void)
{
    static const char *const answers[] = {
        "{}", "[]", "{\"file_systems\": 1}", "{\"file_systems\": [null, {\"path\": 3}]}",
        "{\"file_systems\": [{\"path\": \"/x\", \"available_bytes\": -1}]}"};

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_auto(FerryRoom) room = {0};
        g_autoptr(FerryJson) answer = json_loads(answers[i], JSON_DECODE_ANY, NULL);

        ferry_room_read(answer, true, &room);
        g_assert_null(room.path);
        g_assert_false(ferry_room_is_short(&room, true));
    }
}

static void
test_error(void)
{
    const FerryRoom room = {(char *)"/srv", 5, 7, 11};
    g_autoptr(GError) error = ferry_room_error(&room, "kvm02");

    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSUFFICIENT_STORAGE);
    g_assert_nonnull(strstr(error->message, "'/srv' on 'kvm02' has 5 bytes left"));
    g_assert_nonnull(ferry_error_hint(error));
    g_assert_cmpint(json_integer_value(json_object_get(
                        json_object_get(ferry_error_details(error), "room"), "wanted_bytes")),
                    ==, 11);
}

/* What would be used up in four seconds is looked at after one. */
static void
test_pause(void)
{
    const FerryRoom room = {(char *)"/srv", 500 * MIB, 100 * MIB, 0};
    const FerryRoom none = {(char *)"/srv", 90 * MIB, 100 * MIB, 0};

    g_assert_cmpuint(ferry_room_pause_ms(&room, 100 * MIB, 1000), ==, 1000);
    g_assert_cmpuint(ferry_room_pause_ms(&room, 0, 1000), ==, 2000);
    g_assert_cmpuint(ferry_room_pause_ms(&room, 1, 1000), ==, 2000);
    g_assert_cmpuint(ferry_room_pause_ms(&room, 5000 * MIB, 500), ==, 100);
    g_assert_cmpuint(ferry_room_pause_ms(&none, 5 * MIB, 500), ==, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/room/short", test_short);
    g_test_add_func("/room/least", test_least);
    g_test_add_func("/room/nonsense", test_nonsense);
    g_test_add_func("/room/error", test_error);
    g_test_add_func("/room/pause", test_pause);
    return g_test_run();
}
