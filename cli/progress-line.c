#include "config.h"

#include "progress-line.h"

#include "ferry/json.h"
#include "ferry/status.h"
#include "format.h"
#include "output.h"
#include "plain-text.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

#define BAR_MIN 10
#define BAR_MAX 40
#define PLAIN_INTERVAL_US (10 * G_USEC_PER_SEC)
#define ERASE_LINE "\r\033[K"

struct FerryProgressLine {
    bool redraw;
    bool drawn; /* a line without line break is on the terminal */
    bool paused;
    json_t *latest; /* to draw again when resumed */
    char *step;     /* of the last plain line */
    gint64 plain_us;
};

/* Returns: (transfer full): the phase while `running`, otherwise the status. */
static char *
step_of(const json_t *payload)
{
    const char *phase = ferry_json_get_string(payload, "phase");
    const char *status = ferry_json_get_string(payload, "status");
    bool running = g_strcmp0(status, "running") == 0;

    return ferry_plain_text(running && phase ? phase : status ? status : "?");
}

/* Returns: (transfer full) (nullable): "disk 1.2/3.0 GiB"; NULL when no such bytes move. */
static char *
share_of(const json_t *progress, const char *name)
{
    const json_t *part = json_object_get(progress, name);
    gint64 total = ferry_json_get_int(part, "total_bytes", 0);

    if (total <= 0)
        return NULL;
    gint64 remaining = ferry_json_get_int(part, "remaining_bytes", -1);
    /* Memory is sent more than once: the remaining bytes tell more than those that were sent. */
    gint64 done =
        remaining >= 0 ? total - remaining : ferry_json_get_int(part, "processed_bytes", 0);
    g_autofree char *share = ferry_format_share(CLAMP(done, 0, total), total);
    return g_strdup_printf("%s %s", name, share);
}

static char *
rate_of(const json_t *progress)
{
    gint64 rate = ferry_json_get_int(progress, "throughput_bytes_s", 0);

    if (rate <= 0)
        return NULL;
    g_autofree char *size = ferry_format_size(rate);
    return g_strdup_printf("%s/s", size);
}

static char *
eta_of(const json_t *progress)
{
    gint64 eta_ms = ferry_json_get_int(progress, "eta_ms", -1);

    if (eta_ms < 0)
        return NULL;
    /* Whole seconds: the estimate is no better than that. */
    gint64 seconds = (eta_ms + 999) / 1000;
    g_autofree char *text = seconds < 60 ? g_strdup_printf("%d s", (int)seconds)
                                         : ferry_format_duration(seconds * 1000);
    return g_strdup_printf("ETA %s", text);
}

static char *
size_a_second(const json_t *object, const char *key)
{
    g_autofree char *size = ferry_format_size(ferry_json_get_int(object, key, 0));

    return g_strdup_printf("%s/s", size);
}

/* The agent's names of what it will do, as a person says them. */
static const struct {
    const char *name;
    const char *words;
} actions[] = {
    {"synchronous-writes", "synchronous writes"},
    {"switch", "switchover"},
    {"pause", "a longer pause"},
    {"fail", "gives up"},
};

/* Returns: (transfer full). */
static char *
words_of(const char *action)
{
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strcmp(action, actions[i].name) == 0)
            return g_strdup(actions[i].words);
    return ferry_plain_text(action);
}

/* Returns: (transfer full) (nullable): what will be done: "synchronous writes in 20 s". */
static char *
action_of(const json_t *stalled)
{
    const char *action = ferry_json_get_string(stalled, "action");
    gint64 seconds = (ferry_json_get_int(stalled, "action_in_ms", 0) + 999) / 1000;

    if (!action)
        return NULL;
    g_autofree char *words = words_of(action);
    if (seconds <= 0)
        return g_strdup_printf("%s now", words);
    g_autofree char *time = seconds < 60 ? g_strdup_printf("%d s", (int)seconds)
                                         : ferry_format_duration(seconds * 1000);
    return g_strdup_printf("%s in %s", words, time);
}

/* Returns: (transfer full) (nullable): what is being done. */
static char *
doing_of(const json_t *stalled)
{
    const char *doing = ferry_json_get_string(stalled, "doing");
    g_autofree char *words = doing ? words_of(doing) : NULL;

    return words ? g_strdup_printf("tries %s", words) : NULL;
}

/* Returns: (transfer full) (nullable): what fights what, and what comes of it, where it does not
 * converge: "writes 31 MiB/s, link 24 MiB/s; synchronous writes in 20 s". */
static char *
stall_of(const json_t *progress)
{
    const json_t *stalled = json_object_get(progress, "stalled");

    if (!json_is_object(stalled))
        return json_is_false(json_object_get(progress, "converging"))
                   ? g_strdup("does not converge")
                   : NULL;
    g_autofree char *writes = size_a_second(stalled, "writes_bytes_s");
    g_autofree char *link = size_a_second(stalled, "link_bytes_s");
    g_autofree char *doing = doing_of(stalled);
    g_autofree char *action = action_of(stalled);
    return g_strdup_printf("writes %s, link %s%s%s%s%s", writes, link, doing ? "; " : "",
                           doing ? doing : "", action ? "; " : "", action ? action : "");
}

/* What ended, or only has to be put in order, has no rate and no end to wait for. */
static bool
is_moving(const json_t *payload)
{
    const char *word = ferry_json_get_string(payload, "status");
    FerryStatus status = FERRY_STATUS_RUNNING;

    return !word || !ferry_status_from_string(word, &status) ||
           (status != FERRY_STATUS_POST_MIGRATING && !ferry_status_is_terminal(status));
}

/* Appends two blanks and @part (transfer full, nullable), if they fit. */
static void
append_part(GString *line, char *part, guint columns)
{
    g_autofree char *owned = part;

    if (!owned)
        return;
    guint needed = ferry_plain_text_columns(line->str) + 2 + ferry_plain_text_columns(owned);
    if (columns == 0 || needed <= columns)
        g_string_append_printf(line, "  %s", owned);
}

static void
insert_bar(GString *line, gssize at, guint percent, guint columns)
{
    guint used = ferry_plain_text_columns(line->str);

    if (columns < used + 2 + BAR_MIN)
        return;
    g_autofree char *bar = ferry_format_bar(percent, MIN(columns - used - 2, BAR_MAX));
    g_autofree char *part = g_strdup_printf("  %s", bar);
    g_string_insert(line, at, part);
}

char *
ferry_progress_line_render(const json_t *payload, guint columns)
{
    const json_t *progress = json_object_get(payload, "progress");
    g_autofree char *step = step_of(payload);
    GString *line = g_string_new(step);

    if (json_is_object(progress)) {
        guint percent = (guint)CLAMP(ferry_json_get_int(progress, "percent", 0), 0, 100);

        g_string_append_printf(line, " %u%%", percent);
        gssize bar_at = (gssize)line->len;
        /* Details get the columns that the bar leaves at its least width. */
        guint detail_columns = columns > BAR_MIN + 2 ? columns - BAR_MIN - 2 : columns;
        if (is_moving(payload)) {
            char *stall = stall_of(progress);

            append_part(line, eta_of(progress), detail_columns);
            append_part(line, stall ? stall : rate_of(progress), detail_columns);
        }
        append_part(line, share_of(progress, "disk"), detail_columns);
        append_part(line, share_of(progress, "memory"), detail_columns);
        insert_bar(line, bar_at, percent, columns);
    }
    g_autofree char *whole = g_string_free(line, FALSE);
    return columns == 0 ? g_steal_pointer(&whole) : ferry_plain_text_clip(whole, columns);
}

FerryProgressLine *
ferry_progress_line_new(bool redraw)
{
    FerryProgressLine *self = g_new0(FerryProgressLine, 1);

    self->redraw = redraw;
    return self;
}

static void
erase(FerryProgressLine *self)
{
    if (self->drawn)
        fputs(ERASE_LINE, stdout);
    self->drawn = false;
}

void
ferry_progress_line_free(FerryProgressLine *self)
{
    if (!self)
        return;
    erase(self);
    fflush(stdout);
    json_decref(self->latest);
    g_free(self->step);
    g_free(self);
}

static void
draw(FerryProgressLine *self)
{
    guint columns = ferry_terminal_columns();

    /* The last column stays free: some terminals break the line there. */
    g_autofree char *text = ferry_progress_line_render(self->latest, MAX(columns, 2) - 1);
    fputs(ERASE_LINE, stdout);
    g_print("%s", text);
    fflush(stdout);
    self->drawn = true;
}

/* Prints a new step at once, and progress within a step every PLAIN_INTERVAL_US. */
static void
print_plain(FerryProgressLine *self)
{
    g_autofree char *step = step_of(self->latest);
    gint64 now_us = g_get_monotonic_time();
    bool same = g_strcmp0(step, self->step) == 0;

    if (same && now_us - self->plain_us < PLAIN_INTERVAL_US)
        return;
    g_autofree char *text = ferry_progress_line_render(self->latest, /* columns= */ 0);
    ferry_say("%s", text);
    fflush(stdout);
    g_free(self->step);
    self->step = g_steal_pointer(&step);
    self->plain_us = now_us;
}

void
ferry_progress_line_show(FerryProgressLine *self, const json_t *payload)
{
    json_t *latest = json_incref((json_t *)payload);

    json_decref(self->latest);
    self->latest = latest;
    if (self->paused)
        return;
    if (self->redraw)
        draw(self);
    else
        print_plain(self);
}

void
ferry_progress_line_say(FerryProgressLine *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    bool redraw = self->drawn;
    erase(self);
    ferry_say("%s", text);
    if (redraw)
        draw(self);
    fflush(stdout);
}

void
ferry_progress_line_pause(FerryProgressLine *self)
{
    erase(self);
    fflush(stdout);
    self->paused = true;
}

void
ferry_progress_line_resume(FerryProgressLine *self)
{
    self->paused = false;
    if (self->redraw && self->latest)
        draw(self);
}
