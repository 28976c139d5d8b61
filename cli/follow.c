#include "config.h"

#include "follow.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "format.h"
#include "interrupt.h"
#include "journey.h"
#include "output.h"
#include "place.h"
#include "progress-line.h"
#include "report.h"
#include "terminal.h"

/* Events may be lost with the broker: after so long without one the source is asked. */
#define SILENCE_US (5 * G_USEC_PER_SEC)
#define POLL_TIMEOUT_S 10

typedef struct {
    FerrySession *session;
    const FerryFollowSettings *settings;
    FerryJourney *journey;
    FerryProgressLine *line; /* NULL with --json */
    GMainLoop *loop;
    FerryExit status;
    gint64 heard_us;     /* when the source last sent or answered something; monotonic */
    bool accepted;       /* the source answered the order */
    GError *order_error; /* the order was sent and not answered: it may have arrived */
    bool polling;
    bool told_silence;
    bool over;       /* the loop ends; answers that still come are ignored */
    GError *failure; /* why it ends without an outcome */
} Follow;

static void
finish(Follow *follow, FerryExit status)
{
    if (follow->over)
        return;
    follow->over = true;
    follow->status = status;
    g_main_loop_quit(follow->loop);
}

static void
finish_with_error(Follow *follow, const GError *error)
{
    if (follow->over)
        return;
    g_clear_pointer(&follow->line, ferry_progress_line_free);
    follow->failure = g_error_copy(error);
    finish(follow, ferry_exit_of_error(error));
}

/* After the loop, because the agents may be asked what was meant. */
static void
report_failure(Follow *follow)
{
    const FerryFollowSettings *settings = follow->settings;
    const char *const hosts[] = {settings->from, settings->to, NULL};

    if (!follow->failure)
        return;
    ferry_place_explain(follow->session, settings->instance, hosts, follow->failure);
    ferry_report_error(follow->failure, settings->json);
    g_clear_error(&follow->failure);
}

/* Prints {@key: @value} as one line. @value: (transfer none). */
static void
print_document(const char *key, const json_t *value)
{
    g_autoptr(FerryJson) document = json_pack("{s:O}", key, value);

    ferry_print_json(document);
}

static FerryExit
exit_of_status(FerryStatus status)
{
    if (status == FERRY_STATUS_COMPLETED)
        return FERRY_EXIT_DONE;
    return status == FERRY_STATUS_CANCELLED ? FERRY_EXIT_CANCELLED : FERRY_EXIT_FAILED;
}

static void
print_end(Follow *follow)
{
    const json_t *latest = ferry_journey_latest(follow->journey);

    if (follow->settings->json) {
        print_document("outcome", latest);
        return;
    }
    g_clear_pointer(&follow->line, ferry_progress_line_free);
    ferry_say("%s: '%s' from %s to %s",
              ferry_status_to_string(ferry_journey_status(follow->journey)),
              follow->settings->instance, follow->settings->from, follow->settings->to);
    ferry_report_print_outcome(latest);
}

/* Shows what the journey took last. */
static void
show(Follow *follow)
{
    if (ferry_journey_is_over(follow->journey)) {
        print_end(follow);
        finish(follow, exit_of_status(ferry_journey_status(follow->journey)));
    } else if (follow->line) {
        ferry_progress_line_show(follow->line, ferry_journey_latest(follow->journey));
    }
}

static void
hear(Follow *follow)
{
    follow->heard_us = g_get_monotonic_time();
    follow->told_silence = false;
}

static void
on_event(const json_t *body, gpointer user_data)
{
    Follow *follow = user_data;

    if (follow->over || !ferry_journey_take_event(follow->journey, body))
        return;
    hear(follow);
    if (follow->settings->json)
        print_document("event", body);
    show(follow);
}

/* The source was heard about the migration: by its answer, or by an event that overtook that. */
static bool
arrived(const Follow *follow)
{
    return follow->accepted || ferry_journey_latest(follow->journey);
}

/* The order was not answered, and the source does not know the migration: it never arrived. */
static bool
never_arrived(const Follow *follow, const GError *error)
{
    return !arrived(follow) && g_error_matches(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
}

static void
on_polled(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Follow *follow = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) record = ferry_session_call_finish(result, &error);

    follow->polling = false;
    if (follow->over)
        return;
    if (record) {
        hear(follow);
        if (ferry_journey_take_record(follow->journey, record))
            show(follow);
    } else if (never_arrived(follow, error)) {
        finish_with_error(follow, follow->order_error);
    } else if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE)) {
        finish_with_error(follow, error);
    }
}

static void
poll_source(Follow *follow)
{
    if (follow->polling)
        return;
    follow->polling = true;
    json_t *args =
        json_pack("{s:o}", "migration_id", ferry_json_text(follow->settings->migration_id));
    const FerryCall call = {.server = follow->settings->from,
                            .method = "get_migration",
                            .args = args,
                            .timeout_ms = POLL_TIMEOUT_S * 1000};

    ferry_session_call_async(follow->session, &call, on_polled, follow);
}

static void
give_up(Follow *follow)
{
    g_autofree char *hint = g_strdup_printf("ask again later with 'virt-ferry show %s'; the "
                                            "migration goes on or ends without us",
                                            follow->settings->migration_id);
    g_autoptr(GError) error = ferry_error_new(
        FERRY_ERROR_DESTINATION_UNREACHABLE, hint, "no word from %s about migration %s for %u s",
        follow->settings->from, follow->settings->migration_id, follow->settings->timeout_s);

    finish_with_error(follow, error);
}

static void
tell_silence(Follow *follow)
{
    if (follow->told_silence || !follow->line)
        return;
    follow->told_silence = true;
    ferry_progress_line_say(follow->line, "no word from %s; asking", follow->settings->from);
}

static gboolean
on_tick(gpointer user_data)
{
    Follow *follow = user_data;
    gint64 silence_us = g_get_monotonic_time() - follow->heard_us;

    if (!follow->accepted && !follow->order_error)
        return G_SOURCE_CONTINUE; /* the answer to the order has not come yet */
    if (silence_us > (gint64)follow->settings->timeout_s * G_USEC_PER_SEC) {
        give_up(follow);
    } else if (silence_us > SILENCE_US) {
        if (silence_us > 3 * SILENCE_US)
            tell_silence(follow);
        poll_source(follow);
    }
    return G_SOURCE_CONTINUE;
}

static void
print_accepted(Follow *follow, const json_t *answer)
{
    if (follow->settings->json)
        print_document("order", answer);
    else
        ferry_progress_line_say(follow->line, "migration %s of '%s' from %s to %s: %s",
                                follow->settings->migration_id, follow->settings->instance,
                                follow->settings->from, follow->settings->to,
                                ferry_json_get_string(answer, "status"));
}

static bool
may_have_arrived(const GError *error)
{
    const char *reason = ferry_json_get_string(ferry_error_details(error), "reason");

    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE) &&
           g_strcmp0(reason, "no-queue") != 0;
}

/* The answer to an order that is given again names the present status. The migration may have ended
 * long ago, and no event will tell. */
static void
catch_up(Follow *follow, const char *status)
{
    if (g_strcmp0(status, "accepted") != 0)
        poll_source(follow);
}

static void
on_ordered(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Follow *follow = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_session_call_finish(result, &error);

    if (follow->over)
        return;
    if (answer) {
        follow->accepted = true;
        hear(follow);
        print_accepted(follow, answer);
        if (follow->settings->detach)
            finish(follow, FERRY_EXIT_DONE);
        else
            catch_up(follow, ferry_json_get_string(answer, "status"));
    } else if (may_have_arrived(error)) {
        follow->order_error = g_steal_pointer(&error);
        hear(follow);
        poll_source(follow);
    } else {
        finish_with_error(follow, error);
    }
}

static void
send_order(Follow *follow)
{
    const FerryFollowSettings *settings = follow->settings;
    json_t *args = json_pack("{s:o,s:o,s:o,s:O}", "instance", ferry_json_text(settings->instance),
                             "host", ferry_json_text(settings->to), "migration_id",
                             ferry_json_text(settings->migration_id), "options", settings->options);

    const FerryCall call = {
        .server = settings->from, .method = "live_migrate_instance", .args = args};

    ferry_session_call_async(follow->session, &call, on_ordered, follow);
}

static void
on_aborted(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Follow *follow = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_session_call_finish(result, &error);

    if (follow->over || answer)
        return;
    ferry_report_error(error, /* json= */ false);
}

static void
abort_migration(Follow *follow)
{
    json_t *args =
        json_pack("{s:o}", "migration_id", ferry_json_text(follow->settings->migration_id));

    const FerryCall call = {
        .server = follow->settings->from, .method = "live_migration_abort", .args = args};

    ferry_session_call_async(follow->session, &call, on_aborted, follow);
    if (follow->line)
        ferry_progress_line_say(follow->line, "aborting");
}

static void
leave(Follow *follow, FerryExit status)
{
    g_clear_pointer(&follow->line, ferry_progress_line_free);
    g_printerr("virt-ferry: %s; its id is %s\n",
               arrived(follow) ? "the migration goes on" : "the order was not answered yet",
               follow->settings->migration_id);
    finish(follow, status);
}

static void
on_interrupt(FerryInterruptEvent event, gpointer user_data)
{
    Follow *follow = user_data;

    if (follow->over)
        return;
    if (follow->line && event == FERRY_INTERRUPT_ASKING)
        ferry_progress_line_pause(follow->line);
    else if (follow->line)
        ferry_progress_line_resume(follow->line);
    switch (event) {
    case FERRY_INTERRUPT_ASKING:
    case FERRY_INTERRUPT_CONTINUE:
        break;
    case FERRY_INTERRUPT_ABORT:
        abort_migration(follow);
        break;
    case FERRY_INTERRUPT_DETACH:
        leave(follow, FERRY_EXIT_DONE);
        break;
    case FERRY_INTERRUPT_LEAVE:
        leave(follow, FERRY_EXIT_NO_ANSWER);
        break;
    }
}

/* Sends the order and runs the main loop until the end. */
static void
run(Follow *follow)
{
    FerryInterrupt *interrupt = ferry_interrupt_new(!follow->settings->json, on_interrupt, follow);
    guint tick = g_timeout_add_seconds(1, on_tick, follow);

    hear(follow);
    send_order(follow);
    g_main_loop_run(follow->loop);
    g_source_remove(tick);
    ferry_interrupt_free(interrupt);
}

FerryExit
ferry_follow(FerrySession *session, const FerryFollowSettings *settings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJourney) journey = ferry_journey_new(settings->migration_id, settings->from);
    Follow follow = {.session = session, .settings = settings, .journey = journey};

    ferry_session_listen(session, on_event, &follow);
    if (!ferry_session_connect(session, &error))
        return ferry_report_error(error, settings->json);
    follow.loop = g_main_loop_new(/* context= */ NULL, /* is_running= */ FALSE);
    if (!settings->json)
        follow.line = ferry_progress_line_new(ferry_terminal_can_redraw());
    run(&follow);
    report_failure(&follow);
    ferry_session_drain(session); /* no callback may run after this */
    ferry_progress_line_free(follow.line);
    g_clear_error(&follow.order_error);
    g_main_loop_unref(follow.loop);
    return follow.status;
}
