/* What becomes of bytes on their way when the destination has no room for them, or dies of them. */
#include "config.h"

#include "source/room-watch.h"

#include "fake-bus.h"
#include "ferry/json.h"
#include "source-fixture.h"
#include "source/lost-calls.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

static json_t *
room(guint64 available, guint64 reserved, guint64 wanted)
{
    return json_pack("{s:[{s:s, s:I, s:I, s:I}]}", "file_systems", "path", "/images",
                     "available_bytes", (json_int_t)available, "reserved_bytes",
                     (json_int_t)reserved, "wanted_bytes", (json_int_t)wanted);
}

static FerryRoomQuestion
question(SourceFixture *self, GCancellable *cancellable)
{
    return (FerryRoomQuestion){&self->agent.agent, MIGRATION, "kvm02", cancellable};
}

static void
test_ask(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryRoomQuestion ours = question(self, cancellable);
    g_autoptr(GError) error = NULL;

    fake_bus_answer("kvm02", "get_room", room(500 * MIB, 100 * MIB, 450 * MIB));
    g_assert_true(ferry_room_ask(&ours, /* with_rest= */ false, &error));
    g_assert_false(ferry_room_ask(&ours, /* with_rest= */ true, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSUFFICIENT_STORAGE);
    g_clear_error(&error);
    /* An agent of an earlier version. */
    fake_bus_forget("kvm02", "get_room");
    fake_bus_refuse("kvm02", "get_room", ferry_error_new(FERRY_ERROR_REMOTE, NULL, "No"));
    g_assert_true(ferry_room_ask(&ours, /* with_rest= */ true, &error));
}

static void
test_watch(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryRoomQuestion ours = question(self, cancellable);
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_CANCELLED, NULL, "It was given up");

    fake_bus_answer("kvm02", "get_room", room(500 * MIB, 100 * MIB, 0));
    fake_bus_answer("kvm02", "get_room", room(99 * MIB, 100 * MIB, 0));

    g_autoptr(FerryRoomWatch) watch = ferry_room_watch_start(&ours);

    for (guint i = 0; i < 100 && !g_cancellable_is_cancelled(ferry_room_watch_cancellable(watch));
         i++)
        g_usleep(50 * 1000);
    g_assert_true(g_cancellable_is_cancelled(ferry_room_watch_cancellable(watch)));
    g_assert_false(g_cancellable_is_cancelled(cancellable));
    g_assert_false(ferry_room_watch_blame(watch, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSUFFICIENT_STORAGE);
}

/* libvirt said it first, in words of its own. */
static void
test_full_between_two_looks(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryRoomQuestion ours = question(self, cancellable);
    g_autoptr(GError) error =
        ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL, "No space left on device");
    g_autoptr(GError) other = ferry_error_new(FERRY_ERROR_INVALID_REQUEST, NULL, "No");

    fake_bus_answer("kvm02", "get_room", room(500 * MIB, 100 * MIB, 0));

    g_autoptr(FerryRoomWatch) watch = ferry_room_watch_start(&ours);

    while (fake_bus_count("kvm02", "get_room") == 0)
        g_usleep(1000);
    fake_bus_forget("kvm02", "get_room");
    fake_bus_answer("kvm02", "get_room", room(0, 100 * MIB, 7));
    g_assert_false(ferry_room_watch_blame(watch, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSUFFICIENT_STORAGE);
    g_assert_nonnull(strstr(error->message, " 0 bytes left"));
    ferry_room_explain(&ours, &other);
    g_assert_error(other, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

/* An agent of an earlier version is not asked again and again. */
static void
test_watch_in_vain(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryRoomQuestion ours = question(self, cancellable);

    fake_bus_refuse("kvm02", "get_room", ferry_error_new(FERRY_ERROR_REMOTE, NULL, "No"));

    g_autoptr(FerryRoomWatch) watch = ferry_room_watch_start(&ours);

    g_usleep(1500 * 1000);
    g_assert_cmpuint(fake_bus_count("kvm02", "get_room"), ==, 1);
    g_assert_null(ferry_room_watch_shortage(watch));
}

/* What ends the sending ends the watch, which then knows of nothing. */
static void
test_watch_is_ended(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryRoomQuestion ours = question(self, cancellable);
    g_autoptr(FerryRoomWatch) watch = ferry_room_watch_start(&ours);
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_CANCELLED, NULL, "It was given up");

    g_cancellable_cancel(cancellable);
    g_assert_true(g_cancellable_is_cancelled(ferry_room_watch_cancellable(watch)));
    g_assert_null(ferry_room_watch_shortage(watch));
    g_assert_false(ferry_room_watch_blame(watch, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
}

static json_t *
libvirt(const char *since)
{
    return json_pack("{s:s?, s:s}", "libvirt_since", since, "libvirt_version", "11.3.0");
}

/* One call that met one life of libvirt and ended in another. */
static bool
is_allowed(FerryLostCalls *lost, FerryLostCall *call, const char *before, const char *after)
{
    g_autoptr(GError) error = NULL;

    fake_bus_forget("kvm02", "ping");
    fake_bus_answer("kvm02", "ping", libvirt(before));
    fake_bus_answer("kvm02", "ping", libvirt(after));
    ferry_lost_calls_begin(lost, call);
    if (ferry_lost_calls_allow(lost, call, &error))
        return true;
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(error->message, "libvirt 11.3.0 on 'kvm02' has ended"));
    return false;
}

static void
test_lost_calls(SourceFixture *self, gconstpointer user_data)
{
    g_auto(FerryLostCalls) lost = {0};
    FerryLostCall call = {.agent = &self->agent.agent, .host = "kvm02"};

    /* A broken link, and a daemon that was away already. */
    g_assert_true(is_allowed(&lost, &call, "one", "one"));
    g_assert_true(is_allowed(&lost, &call, NULL, "two"));
    g_assert_cmpuint(lost.deaths, ==, 0);
    /* The first death; the second came after much was won. */
    g_assert_true(is_allowed(&lost, &call, "two", NULL));
    call.position = 100 * MIB;
    g_assert_true(is_allowed(&lost, &call, "three", "four"));
    call.position += MIB;
    g_assert_false(is_allowed(&lost, &call, "four", "five"));
}

/* Its connection is another one, too, and tells nothing of the daemon. */
static void
test_agent_is_another(SourceFixture *self, gconstpointer user_data)
{
    g_auto(FerryLostCalls) lost = {0};
    FerryLostCall call = {.agent = &self->agent.agent, .host = "kvm02"};
    g_autoptr(GError) error = NULL;

    fake_bus_answer("kvm02", "ping",
                    json_pack("{s:s, s:s}", "started_at", "then", "libvirt_since", "one"));
    fake_bus_answer("kvm02", "ping",
                    json_pack("{s:s, s:s}", "started_at", "now", "libvirt_since", "two"));
    ferry_lost_calls_begin(&lost, &call);
    g_assert_true(ferry_lost_calls_allow(&lost, &call, &error));
    g_assert_cmpuint(lost.deaths, ==, 0);
}

/* An agent of an earlier version tells nothing of its libvirt. */
static void
test_nothing_is_told(SourceFixture *self, gconstpointer user_data)
{
    g_auto(FerryLostCalls) lost = {0};
    FerryLostCall call = {.agent = &self->agent.agent, .host = "kvm02"};
    g_autoptr(GError) error = NULL;

    fake_bus_answer("kvm02", "ping", json_pack("{s:b}", "libvirt_connected", true));
    for (guint i = 0; i < 5; i++) {
        ferry_lost_calls_begin(&lost, &call);
        g_assert_true(ferry_lost_calls_allow(&lost, &call, &error));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    SOURCE_ADD("/room-watch/ask", test_ask);
    SOURCE_ADD("/room-watch/watch", test_watch);
    SOURCE_ADD("/room-watch/full-between-two-looks", test_full_between_two_looks);
    SOURCE_ADD("/room-watch/in-vain", test_watch_in_vain);
    SOURCE_ADD("/room-watch/is-ended", test_watch_is_ended);
    SOURCE_ADD("/lost-calls/deaths", test_lost_calls);
    SOURCE_ADD("/lost-calls/another-agent", test_agent_is_another);
    SOURCE_ADD("/lost-calls/nothing-is-told", test_nothing_is_told);
    return g_test_run();
}
