/* Whether memory converges, on traces of guests in the laboratory (tests/bench/memory-traces). */
#include "config.h"

#include "model/memory-convergence.h"

#define SECOND G_USEC_PER_SEC
#define MIB (1ULL << 20)
#define WINDOW_S 40

static const FerryMemoryMeans fails = {.at_end = FERRY_POLICY_FAIL,
                                       .downtime_ms = 500,
                                       .max_pause_ms = 5000,
                                       .time_left_us = G_MAXINT64};
static const FerryMemoryMeans pauses = {.at_end = FERRY_POLICY_PAUSE,
                                        .downtime_ms = 500,
                                        .max_pause_ms = 5000,
                                        .time_left_us = G_MAXINT64};
static const FerryMemoryMeans post_copy = {.at_end = FERRY_POLICY_POST_COPY,
                                           .downtime_ms = 500,
                                           .max_pause_ms = 5000,
                                           .post_copy = true,
                                           .time_left_us = G_MAXINT64};
static const FerryMemoryMeans waits = {.at_end = FERRY_POLICY_WAIT,
                                       .downtime_ms = 500,
                                       .max_pause_ms = 5000,
                                       .time_left_us = G_MAXINT64};

/* What became of a trace. */
typedef struct {
    FerryMemoryAction action; /* the first that was said */
    gint64 action_us;         /* since the beginning */
    gint64 ended_us;          /* when it was said to fail; 0: never */
    gint64 stalled_us;        /* when it was seen to be stalled first; 0: never */
    bool converged;           /* it was seen to converge */
    FerryMemoryState last;
} Story;

static void
add(FerryMemoryConvergence *self,
    const FerryMemoryReading *reading,
    const FerryMemoryMeans *means,
    Story *story)
{
    ferry_memory_convergence_add(self, reading);
    story->last = ferry_memory_convergence_state(self);
    story->converged |= story->last.converging == FERRY_CONVERGING_YES;
    if (story->last.since_us && !story->stalled_us)
        story->stalled_us = reading->time_us - SECOND;

    FerryMemoryAction action = ferry_memory_convergence_decide(self, means);

    if (action == FERRY_MEMORY_FAIL && story->ended_us == 0)
        story->ended_us = reading->time_us - SECOND;
    if (story->action != FERRY_MEMORY_GO_ON || action == FERRY_MEMORY_GO_ON)
        return;
    story->action = action;
    story->action_us = reading->time_us - SECOND;
}

/* Its policy waits until it is another one, so many seconds after the beginning. */
static Story
play_late(const char *name, const FerryMemoryMeans *means, gint64 window_s, gint64 late_s)
{
    g_autofree char *file = g_strconcat(name, ".trace", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "unit/data/memory", file, NULL);
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(window_s * SECOND);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Story story = {0};

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);

        if (lines[i][0] == '#' || g_strv_length(words) < 4)
            continue;

        const FerryMemoryReading reading = {
            .time_us = SECOND + g_ascii_strtoll(words[0], NULL, 10) * 1000,
            .iteration = g_ascii_strtoull(words[1], NULL, 10),
            .remaining_bytes = g_ascii_strtoull(words[2], NULL, 10),
            .moved_bytes = g_ascii_strtoull(words[3], NULL, 10),
        };

        add(self, &reading, reading.time_us < (1 + late_s) * SECOND ? &waits : means, &story);
    }
    g_test_message("%s: action %d at %.1f s, stalled at %.1f s, pause %" G_GUINT64_FORMAT
                   " ms, writes %.1f, link %.1f MiB/s",
                   name, story.action, (double)story.action_us / 1e6,
                   (double)story.stalled_us / 1e6, story.last.pause_ms,
                   (double)story.last.writes_bytes_s / (double)MIB,
                   (double)story.last.link_bytes_s / (double)MIB);
    return story;
}

static Story
play(const char *name, const FerryMemoryMeans *means, gint64 window_s)
{
    return play_late(name, means, window_s, 0);
}

/* --- recorded traces -------------------------------------------------------------------------- */

static void
test_converges(void)
{
    static const char *const names[] = {"half", "quiet"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const Story story = play(names[i], &fails, WINDOW_S);

        g_assert_cmpint(story.action, ==, FERRY_MEMORY_GO_ON);
        g_assert_cmpint(story.stalled_us, ==, 0);
    }
}

/* A guest that keeps pace with the link, or writes twice as much: what the order permits is done
 * as soon as it is seen, and the migration fails only after the window. */
static void
test_stalls(void)
{
    static const char *const names[] = {"pace", "double"};
    static const struct {
        const FerryMemoryMeans *means;
        FerryMemoryAction action;
        gint64 from_s;
        gint64 until_s;
    } cases[] = {{&fails, FERRY_MEMORY_FAIL, WINDOW_S, WINDOW_S + 15},
                 {&pauses, FERRY_MEMORY_PAUSE, 5, 20},
                 {&post_copy, FERRY_MEMORY_POST_COPY, 5, 20},
                 {&waits, FERRY_MEMORY_GO_ON, 0, 1}};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(cases); j++) {
            const Story story = play(names[i], cases[j].means, WINDOW_S);

            g_assert_cmpint(story.action, ==, cases[j].action);
            g_assert_cmpint(story.stalled_us, >=, 5 * SECOND);
            g_assert_cmpint(story.stalled_us, <, 20 * SECOND);
            g_assert_cmpint(story.action_us, >=, cases[j].from_s * SECOND);
            g_assert_cmpint(story.action_us, <, cases[j].until_s * SECOND);
        }
    }
}

/* One that rests for two of ten seconds is not taken for one that converges. */
static void
test_bursts(void)
{
    const Story story = play("bursts", &pauses, WINDOW_S);

    g_assert_cmpint(story.action, ==, FERRY_MEMORY_PAUSE);
    g_assert_cmpint(story.action_us, <, 25 * SECOND);
}

/* A link that drops to a tenth for 30 s is no stall of the guest. */
static void
test_link_drops(void)
{
    const Story story = play("tenth", &fails, WINDOW_S);

    g_assert_cmpint(story.action, ==, FERRY_MEMORY_GO_ON);
    g_assert_cmpint(story.stalled_us, ==, 0);
}

/* From second 20 to 50: the window stands still. */
static void
test_link_drops_under_a_busy_guest(void)
{
    const Story story = play("tenth-while-stalled", &fails, 15);

    g_assert_cmpint(story.action, ==, FERRY_MEMORY_FAIL);
    g_assert_cmpint(story.action_us, >, 50 * SECOND);
}

/* From second 45 to 80 the link carries a hundredth: no post-copy before it has healed. */
static void
test_link_is_ill(void)
{
    const Story story = play_late("one-percent", &post_copy, WINDOW_S, 46);

    g_assert_cmpint(story.action, ==, FERRY_MEMORY_POST_COPY);
    g_assert_cmpint(story.action_us, >, 80 * SECOND);
}

/* --- made by hand ----------------------------------------------------------------------------- */

/* Iterations over a link of 10 MiB/s, with so many MiB at their beginning; the first is of all
 * memory. */
static Story
play_by_hand(const guint *mib, guint count, const FerryMemoryMeans *means, guint throttle_until)
{
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(40 * SECOND);
    FerryMemoryReading reading = {.time_us = SECOND};
    Story story = {0};

    for (guint i = 0; i < count; i++) {
        reading.iteration = i + 1;
        reading.throttle_percent = MIN(i, throttle_until);
        for (guint quarter = 0; quarter < 4; quarter++) {
            reading.remaining_bytes = mib[i] * MIB * (4 - quarter) / 4;
            add(self, &reading, means, &story);
            reading.time_us += mib[i] * SECOND / 40;
            reading.moved_bytes += mib[i] * MIB / 4;
        }
    }
    return story;
}

static void
fill(guint *mib, guint count, guint each)
{
    mib[0] = 40;
    for (guint i = 1; i < count; i++)
        mib[i] = each;
}

/* An allowed pause that is nearly enough is tried, and given up after a minute. */
static void
test_switch(void)
{
    guint mib[200];

    fill(mib, G_N_ELEMENTS(mib), 6);

    const Story tries = play_by_hand(mib, 20, &fails, 0);

    g_assert_cmpint(tries.action, ==, FERRY_MEMORY_SWITCH);
    g_assert_cmpuint(tries.last.pause_ms, ==, 600);
    g_assert_cmpint(tries.last.done, ==, FERRY_MEMORY_SWITCH);

    const Story ends = play_by_hand(mib, G_N_ELEMENTS(mib), &fails, 0);

    g_assert_cmpint(ends.ended_us - ends.action_us, >=, 60 * SECOND);
    g_assert_cmpint(ends.ended_us - ends.action_us, <=, 61 * SECOND);
}

/* The best iteration comes but once, right before it is seen: after a quarter of the window the
 * next best will do. */
static void
test_patience(void)
{
    static const guint mib[] = {40, 40, 24, 40, 32, 30, 30, 30, 30, 30, 30, 30};
    FerryMemoryMeans short_pauses = pauses;

    short_pauses.max_pause_ms = 2000;

    const Story story = play_by_hand(mib, G_N_ELEMENTS(mib), &short_pauses, 0);

    g_assert_cmpint(story.action, ==, FERRY_MEMORY_PAUSE);
    g_assert_cmpint(story.action_us - story.stalled_us, >=, 10 * SECOND);
    g_assert_cmpint(story.action_us - story.stalled_us, <=, 14 * SECOND);
}

/* QEMU counts several iterations at once when it looks before a switch that it does not make: what
 * was moved tells what became dirty. */
static void
test_iterations_at_once(void)
{
    static const struct {
        guint64 iteration;
        guint64 mib;
        gint64 ms;
    } looks[] = {{1, 64, 0}, {2, 24, 6400}, {7, 10, 8800}, {8, 4, 9800}, {30, 2, 10200}};
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(40 * SECOND);
    Story story = {0};

    for (guint i = 0; i < G_N_ELEMENTS(looks); i++) {
        const FerryMemoryReading reading = {.time_us = SECOND + looks[i].ms * 1000,
                                            .iteration = looks[i].iteration,
                                            .remaining_bytes = looks[i].mib * MIB,
                                            .moved_bytes = (guint64)looks[i].ms * MIB / 100};

        add(self, &reading, &fails, &story);
    }
    g_assert_cmpint(story.stalled_us, ==, 0);
    g_assert_cmpint(story.last.converging, ==, FERRY_CONVERGING_YES);
}

/* A guest that writes @ratio of the link's 30 MiB/s in order to so much of its memory, until what
 * remains fits into the pause or something is done; an agent may begin to watch later on, and the
 * limit be lifted and set each ten seconds. */
typedef struct {
    guint64 memory_mib;
    guint64 written_mib;
    double ratio;
    double from_s;
    bool lifts;
} Writer;

static Story
play_writer(const Writer *writer, const FerryMemoryMeans *means)
{
    static const double link = 30.0 * 1048576;
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(40 * SECOND);
    double remaining = (double)(writer->memory_mib * MIB);
    double time_s = 0;
    double lifted_s = 0;
    Story story = {0};

    for (guint i = 1; time_s < 900 && story.action == FERRY_MEMORY_GO_ON; i++) {
        double iteration_s = MAX(remaining / link, 0.05);
        guint looks = MAX((guint)(iteration_s * 4), 1);

        if (i > 1 && remaining / link * 1000 < means->downtime_ms)
            break;
        for (guint look = 0; look < looks; look++) {
            double now_s = time_s + iteration_s * look / looks;
            const FerryMemoryReading reading = {
                .time_us = SECOND + (gint64)(now_s * SECOND),
                .iteration = i,
                .remaining_bytes = (guint64)(remaining * (looks - look) / looks),
                .moved_bytes = (guint64)(now_s * link),
            };

            if (writer->lifts && now_s - lifted_s >= 10) {
                ferry_memory_convergence_forget_link(self);
                lifted_s = now_s;
            }
            if (now_s >= writer->from_s)
                add(self, &reading, means, &story);
        }
        time_s += iteration_s;
        remaining = MIN(iteration_s * link * writer->ratio, (double)(writer->written_mib * MIB));
    }
    return story;
}

/* What falls by a tenth an iteration ends, however long that takes; an agent that is started in the
 * middle knows that, too. */
static void
test_falls_slowly(void)
{
    static const Writer writers[] = {
        {256, 128, 0.95, 0, false},   {320, 256, 0.90, 0, false},   {600, 512, 0.90, 0, false},
        {1024, 960, 0.90, 0, false},  {1024, 512, 0.75, 20, false}, {1024, 512, 0.80, 20, false},
        {1024, 512, 0.80, 40, false}, {1024, 512, 0.85, 60, false}, {320, 224, 0.87, 0, false}};

    for (guint i = 0; i < G_N_ELEMENTS(writers); i++) {
        const Story story = play_writer(&writers[i], &fails);

        g_test_message("writer %u: stalled at %.0f s, ended at %.0f s", i,
                       (double)story.stalled_us / 1e6, (double)story.ended_us / 1e6);
        g_assert_cmpint(story.ended_us, ==, 0);
    }
}

/* What does not fall is seen, whatever the size; also while a limit is lifted for a moment again
 * and again. */
static void
test_stands(void)
{
    static const Writer writers[] = {{256, 128, 1.0, 0, false},  {4096, 96, 1.0, 0, false},
                                     {1024, 160, 2.0, 0, false}, {256, 96, 1.0, 0, true},
                                     {256, 150, 2.0, 0, true},   {256, 48, 1.1, 0, true}};

    for (guint i = 0; i < G_N_ELEMENTS(writers); i++) {
        const Story story = play_writer(&writers[i], &fails);

        g_test_message("writer %u: stalled at %.0f s, ended at %.0f s", i,
                       (double)story.stalled_us / 1e6, (double)story.ended_us / 1e6);
        g_assert_cmpint(story.ended_us, >=, 40 * SECOND);
        g_assert_cmpint(story.ended_us, <=, 240 * SECOND);
        g_assert_cmpint(story.ended_us - story.stalled_us, >=, 40 * SECOND);
    }
}

/* A limit that is raised by order gives a stalled guest its window anew. */
static void
test_limit_was_raised(void)
{
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(40 * SECOND);
    FerryMemoryReading reading = {.time_us = SECOND};
    Story story = {0};
    guint64 remaining = 300 * MIB;

    for (guint i = 1; i < 40 && remaining > 8 * MIB; i++) {
        bool raised = reading.time_us > 50 * SECOND;
        guint64 link = (raised ? 26 : 16) * MIB;
        gint64 time_us = (gint64)(remaining * SECOND / link);

        if (raised && story.stalled_us > 0 && story.last.since_us > 0)
            ferry_memory_convergence_begin_anew(self);
        reading.iteration = i;
        for (guint look = 0; look < 8; look++) {
            reading.remaining_bytes = remaining * (8 - look) / 8;
            add(self, &reading, &fails, &story);
            reading.time_us += time_us / 8;
            reading.moved_bytes += remaining / 8;
        }
        remaining = MIN((guint64)time_us * 19 * MIB / SECOND, 200 * MIB);
    }
    g_assert_cmpint(story.stalled_us, >, 0);
    g_assert_cmpint(story.ended_us, ==, 0);
}

/* While auto-converge takes more from the guest it may still do. */
static void
test_throttle(void)
{
    guint mib[60];

    fill(mib, G_N_ELEMENTS(mib), 20);

    const Story story = play_by_hand(mib, G_N_ELEMENTS(mib), &fails, 10);

    g_assert_cmpint(story.stalled_us, >=, 24 * SECOND);
    g_assert_cmpint(story.action, ==, FERRY_MEMORY_FAIL);
    g_assert_cmpint(story.action_us, >=, 60 * SECOND);
}

/* No pause is begun that would outlast the time that is left. */
static void
test_time_left(void)
{
    static const guint mib[] = {30, 30, 30, 30, 30, 30, 30, 30, 30, 30};
    FerryMemoryMeans late = pauses;

    late.time_left_us = 2 * SECOND;
    g_assert_cmpint(play_by_hand(mib, G_N_ELEMENTS(mib), &late, 0).action, ==, FERRY_MEMORY_GO_ON);
    late.time_left_us = 20 * SECOND;
    g_assert_cmpint(play_by_hand(mib, G_N_ELEMENTS(mib), &late, 0).action, ==, FERRY_MEMORY_PAUSE);
}

/* One that writes less again is not stalled any more, where its policy waits. */
static void
test_is_over(void)
{
    static const guint mib[] = {30, 30, 30, 30, 30, 30, 30, 30, 12, 6, 3, 1, 1};
    const Story story = play_by_hand(mib, G_N_ELEMENTS(mib), &waits, 0);

    g_assert_cmpint(story.stalled_us, >, 0);
    g_assert_cmpint(story.last.converging, ==, FERRY_CONVERGING_YES);
}

/* A lower limit by order, or the end of a moment without one, is no illness of the link: what does
 * not converge under it is seen. */
static void
test_limit_was_changed(void)
{
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(10 * SECOND);
    FerryMemoryReading reading = {.time_us = SECOND, .remaining_bytes = 30 * MIB};
    Story story = {0};

    for (guint i = 0; i < 40; i++) {
        if (i == 8)
            ferry_memory_convergence_forget_link(self);
        reading.iteration = i;
        add(self, &reading, &pauses, &story);
        g_assert_false(story.last.link_is_ill);
        reading.time_us += i < 8 ? SECOND / 2 : 3 * SECOND;
        reading.moved_bytes += i < 8 ? 60 * MIB : 30 * MIB;
    }
    g_assert_cmpint(story.stalled_us, >, 8 * SECOND / 2);
    g_assert_cmpint(story.action, ==, FERRY_MEMORY_PAUSE);
    g_assert_cmpuint(story.last.pause_ms, ==, 3000);
}

/* A guest that keeps pace, of which `left` remains at the beginning of each iteration; what it was
 * allowed did not do, and after five of them the order is another one. */
static FerryMemoryAction
play_tuned(const FerryMemoryMeans *before, const FerryMemoryMeans *after, guint64 left)
{
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(10 * SECOND);
    FerryMemoryReading reading = {.time_us = SECOND, .remaining_bytes = left};
    guint tuned = 0;

    for (guint i = 0; i < 120; i++) {
        FerryMemoryAction action = FERRY_MEMORY_GO_ON;

        reading.iteration = i;
        ferry_memory_convergence_add(self, &reading);
        if (tuned > 0 && i == tuned)
            ferry_memory_convergence_forget_action(self);
        action = ferry_memory_convergence_decide(self, tuned > 0 && i >= tuned ? after : before);
        if (action != FERRY_MEMORY_GO_ON && tuned > 0)
            return action;
        if (action != FERRY_MEMORY_GO_ON)
            tuned = i + 5;
        reading.time_us += (gint64)(left * SECOND / (10 * MIB));
        reading.moved_bytes += left;
    }
    return FERRY_MEMORY_GO_ON;
}

static void
test_means_were_changed(void)
{
    FerryMemoryMeans longer = pauses;

    longer.max_pause_ms = 20000;
    g_assert_cmpint(play_tuned(&fails, &pauses, 6 * MIB), ==, FERRY_MEMORY_PAUSE);
    g_assert_cmpint(play_tuned(&fails, &post_copy, 6 * MIB), ==, FERRY_MEMORY_POST_COPY);
    g_assert_cmpint(play_tuned(&pauses, &longer, 60 * MIB), ==, FERRY_MEMORY_PAUSE);
    g_assert_cmpint(play_tuned(&fails, &waits, 6 * MIB), ==, FERRY_MEMORY_GO_ON);
}

/* Post-copy needs no pause: the last moments will do. */
static void
test_late_post_copy(void)
{
    static const guint mib[] = {30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30};
    FerryMemoryMeans late = post_copy;

    late.time_left_us = 2 * SECOND;
    g_assert_cmpint(play_by_hand(mib, G_N_ELEMENTS(mib), &late, 0).action, ==,
                    FERRY_MEMORY_POST_COPY);
}

/* A migration that waits for days keeps no record of each iteration. */
static void
test_waits_for_long(void)
{
    g_autoptr(FerryMemoryConvergence) self = ferry_memory_convergence_new(10 * SECOND);
    FerryMemoryReading reading = {.time_us = SECOND, .remaining_bytes = 6 * MIB};
    gint64 begun_us = g_get_monotonic_time();

    for (guint i = 0; i < 300000; i++) {
        reading.iteration = i;
        ferry_memory_convergence_add(self, &reading);
        g_assert_cmpint(ferry_memory_convergence_decide(self, &waits), ==, FERRY_MEMORY_GO_ON);
        reading.time_us += SECOND * 6 / 10;
        reading.moved_bytes += 6 * MIB;
    }
    g_assert_cmpint(ferry_memory_convergence_state(self).converging, ==, FERRY_CONVERGING_NO);
    g_assert_cmpint(g_get_monotonic_time() - begun_us, <, 20 * SECOND);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory-convergence/converges", test_converges);
    g_test_add_func("/memory-convergence/stalls", test_stalls);
    g_test_add_func("/memory-convergence/bursts", test_bursts);
    g_test_add_func("/memory-convergence/link-drops", test_link_drops);
    g_test_add_func("/memory-convergence/link-drops-under-a-busy-guest",
                    test_link_drops_under_a_busy_guest);
    g_test_add_func("/memory-convergence/link-is-ill", test_link_is_ill);
    g_test_add_func("/memory-convergence/switch", test_switch);
    g_test_add_func("/memory-convergence/patience", test_patience);
    g_test_add_func("/memory-convergence/iterations-at-once", test_iterations_at_once);
    g_test_add_func("/memory-convergence/falls-slowly", test_falls_slowly);
    g_test_add_func("/memory-convergence/stands", test_stands);
    g_test_add_func("/memory-convergence/limit-was-raised", test_limit_was_raised);
    g_test_add_func("/memory-convergence/throttle", test_throttle);
    g_test_add_func("/memory-convergence/time-left", test_time_left);
    g_test_add_func("/memory-convergence/is-over", test_is_over);
    g_test_add_func("/memory-convergence/limit-was-changed", test_limit_was_changed);
    g_test_add_func("/memory-convergence/means-were-changed", test_means_were_changed);
    g_test_add_func("/memory-convergence/late-post-copy", test_late_post_copy);
    g_test_add_func("/memory-convergence/waits-for-long", test_waits_for_long);
    return g_test_run();
}
