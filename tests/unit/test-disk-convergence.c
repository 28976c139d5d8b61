/* The rule for disks that do not converge, on what real transfers showed (data/mirrors). */
#include "config.h"

#include "model/disk-convergence.h"

#include <stdio.h>

#define SECOND G_USEC_PER_SEC
#define MIB (G_GUINT64_CONSTANT(1) << 20)

/* Of a trace from the mirrors' first look on, in seconds; -1: it never was so. */
typedef struct {
    double converging_s;
    double acted_s;
    FerryDiskAction action;
    FerryDiskRates rates; /* at that moment, or at the end */
} Judgement;

static bool
read_look(const char *line, FerryDiskSample *ret)
{
    unsigned long long ms = 0;
    unsigned long long cur = 0;
    unsigned long long end = 0;
    unsigned long long written = 0;

    if (line[0] == '#' || sscanf(line, "%llu %llu %llu %llu", &ms, &cur, &end, &written) != 4)
        return false;
    *ret = (FerryDiskSample){.time_us = (gint64)ms * 1000,
                             .mirrors = end > 0,
                             .copied_bytes = cur,
                             .remaining_bytes = end - cur,
                             .written_bytes = written};
    return true;
}

static void
look(Judgement *judgement, FerryDiskConvergence *convergence, double time_s, FerryDiskWrites writes)
{
    FerryDiskAction action = ferry_disk_convergence_action(convergence, writes);

    if (judgement->converging_s < 0 &&
        ferry_disk_convergence_state(convergence) == FERRY_DISKS_CONVERGING)
        judgement->converging_s = time_s;
    if (judgement->action == FERRY_DISK_ACTION_NONE)
        (void)ferry_disk_convergence_rates(convergence, &judgement->rates);
    if (action == FERRY_DISK_ACTION_NONE || judgement->action != FERRY_DISK_ACTION_NONE)
        return;
    judgement->action = action;
    judgement->acted_s = time_s;
}

static Judgement
judge(const char *trace, FerryDiskConvergence *convergence, FerryDiskWrites writes)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "unit", "data", "mirrors", trace, NULL);
    g_autofree char *text = NULL;
    Judgement judgement = {.converging_s = -1, .acted_s = -1};
    gint64 first_us = -1;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        FerryDiskSample sample = {0};

        if (!read_look(lines[i], &sample))
            continue;
        if (first_us < 0 && sample.mirrors > 0)
            first_us = sample.time_us;
        ferry_disk_convergence_add(convergence, &sample);
        look(&judgement, convergence, (double)(sample.time_us - first_us) / SECOND, writes);
    }
    g_test_message("%s: converging %.1f s, action %d at %.1f s; %" G_GUINT64_FORMAT
                   " copied, %" G_GUINT64_FORMAT " dirtied, %" G_GUINT64_FORMAT " written a second",
                   trace, judgement.converging_s, judgement.action, judgement.acted_s,
                   judgement.rates.copied_bytes_s, judgement.rates.dirtied_bytes_s,
                   judgement.rates.written_bytes_s);
    return judgement;
}

static Judgement
judge_background(const char *trace, FerryDiskWrites writes)
{
    g_autoptr(FerryDiskConvergence) convergence =
        ferry_disk_convergence_new(60 * SECOND, /* synchronous= */ false);

    return judge(trace, convergence, writes);
}

/* --- what converges --------------------------------------------------------------------------- */

static void
test_converges(gconstpointer trace)
{
    Judgement judgement = judge_background(trace, FERRY_DISK_WRITES_AUTO);

    g_assert_cmpint(judgement.action, ==, FERRY_DISK_ACTION_NONE);
    g_assert_cmpfloat(judgement.converging_s, >, 0);
}

/* --- what does not ---------------------------------------------------------------------------- */

static void
test_small_random_writes(void)
{
    Judgement judgement = judge_background("small-random.trace", FERRY_DISK_WRITES_AUTO);

    g_assert_cmpint(judgement.action, ==, FERRY_DISK_ACTION_SYNCHRONOUS);
    g_assert_cmpfloat(judgement.acted_s, >, 7);
    g_assert_cmpfloat(judgement.acted_s, <, 45);
    /* What is dirtied is many times what the guest writes. */
    g_assert_cmpuint(judgement.rates.dirtied_bytes_s, >, 10 * judgement.rates.written_bytes_s);
}

/* By order it goes on as long as its time lasts. */
static void
test_background_by_order(void)
{
    Judgement judgement = judge_background("small-random.trace", FERRY_DISK_WRITES_BACKGROUND);

    g_assert_cmpint(judgement.action, ==, FERRY_DISK_ACTION_NONE);
}

static void
test_synchronous_writes_take_their_time(gconstpointer trace)
{
    g_autoptr(FerryDiskConvergence) convergence =
        ferry_disk_convergence_new(60 * SECOND, /* synchronous= */ true);
    Judgement judgement = judge(trace, convergence, FERRY_DISK_WRITES_AUTO);

    g_assert_cmpint(judgement.action, ==, FERRY_DISK_ACTION_NONE);
}

/* --- made up ---------------------------------------------------------------------------------- */

/* The next @seconds of one mirror, four looks a second. */
typedef struct {
    FerryDiskConvergence *convergence;
    FerryDiskSample sample;
} Run;

static void
go_on(Run *run, guint seconds, gint64 copied_bytes_s, gint64 dirtied_bytes_s)
{
    for (guint i = 0; i < seconds * 4; i++) {
        FerryDiskSample *sample = &run->sample;
        gint64 left = (gint64)sample->remaining_bytes + (dirtied_bytes_s - copied_bytes_s) / 4;

        sample->time_us += SECOND / 4;
        sample->copied_bytes += (guint64)copied_bytes_s / 4;
        sample->remaining_bytes = (guint64)MAX(left, 0);
        ferry_disk_convergence_add(run->convergence, sample);
    }
}

static Run
run_new(bool synchronous)
{
    Run run = {
        .convergence = ferry_disk_convergence_new(60 * SECOND, synchronous),
        .sample = {.time_us = SECOND, .mirrors = 1, .remaining_bytes = 2000 * MIB},
    };

    ferry_disk_convergence_add(run.convergence, &run.sample);
    return run;
}

static FerryDiskAction
action_of(const Run *run)
{
    return ferry_disk_convergence_action(run->convergence, FERRY_DISK_WRITES_AUTO);
}

/* Under a limit QEMU moves 16 MiB at a time, and nothing in between. */
static void
test_a_limit_is_no_stall(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    for (guint i = 0; i < 30; i++) {
        go_on(&run, 1, 16 * MIB, MIB / 4);
        go_on(&run, 7, 0, MIB / 4);
        g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    }
    g_assert_cmpint(ferry_disk_convergence_state(run.convergence), ==, FERRY_DISKS_CONVERGING);
}

/* The guest goes on writing: what is left grows, and no byte moves. */
static void
test_dead_link(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 20, 20 * MIB, MIB);
    go_on(&run, 44, 0, MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    go_on(&run, 18, 0, MIB);
    g_assert_cmpint(ferry_disk_convergence_action(run.convergence, FERRY_DISK_WRITES_BACKGROUND),
                    ==, FERRY_DISK_ACTION_GIVE_UP_STALL);
}

static void
test_too_early(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;
    FerryDiskRates rates = {0};

    go_on(&run, 2, 40 * MIB, 60 * MIB);
    g_assert_cmpint(ferry_disk_convergence_state(run.convergence), ==, FERRY_DISKS_UNKNOWN);
    g_assert_false(ferry_disk_convergence_rates(run.convergence, &rates));
    g_assert_cmpuint(rates.copied_bytes_s, ==, 0);
}

/* A tenth of the link for half a minute: nothing is begun anew for that. */
static void
test_ill_link(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 30, 20 * MIB, 4 * MIB);
    for (guint i = 0; i < 30; i++) {
        go_on(&run, 1, 2 * MIB, 4 * MIB);
        g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    }
    go_on(&run, 20, 20 * MIB, 4 * MIB);
    g_assert_cmpint(ferry_disk_convergence_state(run.convergence), ==, FERRY_DISKS_CONVERGING);
}

/* A gust of writes in every ten seconds. */
static void
test_gusts(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    for (guint i = 0; i < 10; i++) {
        go_on(&run, 2, 20 * MIB, 45 * MIB);
        g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
        go_on(&run, 8, 20 * MIB, 0);
        g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    }
}

/* What took more than a minute is not given up for a gust of ten seconds. */
static void
test_gusts_near_the_end(void)
{
    g_autoptr(FerryDiskConvergence) convergence =
        ferry_disk_convergence_new(60 * SECOND, /* synchronous= */ false);
    Run run = {.convergence = convergence,
               .sample = {.time_us = SECOND, .mirrors = 1, .remaining_bytes = 4096 * MIB}};

    ferry_disk_convergence_add(convergence, &run.sample);
    go_on(&run, 50, 35 * MIB, 0);
    for (guint i = 0; i < 2; i++) {
        go_on(&run, 20, 35 * MIB, 0);
        for (guint second = 0; second < 10; second++) {
            go_on(&run, 1, 35 * MIB, 36 * MIB);
            g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
        }
    }
}

/* Until all was copied once, what is dirty again of the part that was: as much of the rest is
 * expected to become so. */
static void
test_written_again(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    g_assert_cmpuint(ferry_disk_convergence_again_bytes(run.convergence), ==, 0);
    go_on(&run, 25, 20 * MIB, 4 * MIB);
    g_assert_cmpuint(ferry_disk_convergence_again_bytes(run.convergence), ==, 400 * MIB);
    go_on(&run, 80, 20 * MIB, 0);
    go_on(&run, 10, 20 * MIB, 20 * MIB);
    g_assert_cmpuint(ferry_disk_convergence_again_bytes(run.convergence), ==,
                     run.sample.remaining_bytes);
}

/* Two thirds of the link are left to the copy: that takes time and ends. */
static void
test_slow_is_not_vain(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 60, 20 * MIB, 7 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    g_assert_cmpint(ferry_disk_convergence_since_us(run.convergence), ==, 0);
}

/* An agent that is started anew near the end does not throw away what was copied before: as it
 * would not have, had it gone on. */
static void
test_watched_from_the_middle_on(void)
{
    g_autoptr(FerryDiskConvergence) convergence =
        ferry_disk_convergence_new(60 * SECOND, /* synchronous= */ false);
    Run run = {.convergence = convergence,
               .sample = {.time_us = SECOND,
                          .mirrors = 1,
                          .copied_bytes = 22000 * MIB,
                          .remaining_bytes = 1000 * MIB,
                          .capacity_bytes = 20000 * MIB}};

    ferry_disk_convergence_add(convergence, &run.sample);
    go_on(&run, 40, 20 * MIB, 13 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    g_assert_cmpint(ferry_disk_convergence_state(convergence), ==, FERRY_DISKS_CONVERGING);
}

/* What went round in circles counts once. */
static void
test_in_circles_before(void)
{
    g_autoptr(FerryDiskConvergence) convergence =
        ferry_disk_convergence_new(60 * SECOND, /* synchronous= */ false);
    Run run = {.convergence = convergence,
               .sample = {.time_us = SECOND,
                          .mirrors = 1,
                          .copied_bytes = 100000 * MIB,
                          .remaining_bytes = 1000 * MIB,
                          .capacity_bytes = 2000 * MIB}};

    ferry_disk_convergence_add(convergence, &run.sample);
    go_on(&run, 20, 20 * MIB, 18 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_SYNCHRONOUS);
}

static void
test_not_even_synchronous(void)
{
    Run run = run_new(/* synchronous= */ true);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 60, 20 * MIB, 21 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    go_on(&run, 10, 20 * MIB, 21 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_GIVE_UP);
    g_assert_cmpint(run.sample.time_us - ferry_disk_convergence_since_us(run.convergence), >=,
                    60 * SECOND);
}

/* Where the destination cannot begin anew it goes on while anything is gained. */
static void
test_hopeless(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 15, 20 * MIB, 15 * MIB);
    g_assert_cmpint(ferry_disk_convergence_state(convergence), ==, FERRY_DISKS_DIVERGING);
    g_assert_cmpint(ferry_disk_convergence_hopeless_in_us(convergence), ==, G_MAXINT64);
    go_on(&run, 15, 20 * MIB, 21 * MIB);
    g_assert_cmpint(ferry_disk_convergence_hopeless_in_us(convergence), >, 30 * SECOND);
    g_assert_cmpint(ferry_disk_convergence_hopeless_in_us(convergence), <, 60 * SECOND);
    go_on(&run, 60, 20 * MIB, 21 * MIB);
    g_assert_cmpint(ferry_disk_convergence_hopeless_in_us(convergence), ==, 0);
}

/* After a switch of the running mirrors all is judged anew. */
static void
test_switched(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 15, 20 * MIB, 21 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_SYNCHRONOUS);
    ferry_disk_convergence_set_synchronous(run.convergence);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    go_on(&run, 15, 20 * MIB, 15 * MIB);
    g_assert_cmpint(ferry_disk_convergence_state(run.convergence), ==, FERRY_DISKS_CONVERGING);
}

/* The bytes of a second mirror are no rate of the first. */
static void
test_another_mirror(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 3, 20 * MIB, 0);
    run.sample.mirrors = 2;
    run.sample.remaining_bytes += 5000 * MIB;
    go_on(&run, 20, 20 * MIB, 0);
    g_assert_cmpint(ferry_disk_convergence_state(run.convergence), ==, FERRY_DISKS_CONVERGING);
}

/* A link that carried five times what the guest writes is cut, and heals: nothing was in vain. */
static void
test_cut(gconstpointer data)
{
    bool synchronous = GPOINTER_TO_INT(data);

    for (guint cut_s = 5; cut_s <= 300; cut_s += 5) {
        g_autoptr(FerryDiskConvergence) convergence =
            ferry_disk_convergence_new(600 * SECOND, synchronous);
        Run run = {.convergence = convergence,
                   .sample = {.time_us = SECOND, .mirrors = 1, .remaining_bytes = 20000 * MIB}};

        go_on(&run, 60, 20 * MIB, 4 * MIB);
        for (guint i = 0; i < cut_s; i++) {
            go_on(&run, 1, 0, 4 * MIB);
            g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
        }
        for (guint i = 0; i < 100; i++) {
            go_on(&run, 1, 20 * MIB, 4 * MIB);
            g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
        }
        g_assert_cmpint(ferry_disk_convergence_state(convergence), ==, FERRY_DISKS_CONVERGING);
    }
}

/* A guest that writes too much does so after it, too. */
static void
test_too_busy_after_a_cut(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    go_on(&run, 5, 20 * MIB, 21 * MIB);
    go_on(&run, 50, 0, 21 * MIB);
    go_on(&run, 7, 20 * MIB, 21 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    go_on(&run, 15, 20 * MIB, 21 * MIB);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_SYNCHRONOUS);
}

/* Its counter was not known in the beginning: all of it is no rate. */
static void
test_written_is_not_known(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;
    FerryDiskRates rates = {0};

    go_on(&run, 5, 20 * MIB, MIB);
    run.sample.written_bytes = 5000 * MIB;
    go_on(&run, 8, 20 * MIB, MIB);
    g_assert_true(ferry_disk_convergence_rates(convergence, &rates));
    g_assert_cmpuint(rates.written_bytes_s, ==, 0);
}

/* What has nothing to do does not stall. */
static void
test_done_is_no_stall(void)
{
    Run run = run_new(/* synchronous= */ false);
    g_autoptr(FerryDiskConvergence) convergence G_GNUC_UNUSED = run.convergence;

    run.sample.remaining_bytes = 0;
    go_on(&run, 100, 0, 0);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    run.sample.remaining_bytes = MIB;
    go_on(&run, 59, 0, 0);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_NONE);
    go_on(&run, 2, 0, 0);
    g_assert_cmpint(action_of(&run), ==, FERRY_DISK_ACTION_GIVE_UP_STALL);
}

static void
test_exceed(void)
{
    g_assert_true(ferry_disk_writes_exceed(11 * MIB, 10 * MIB));
    g_assert_true(ferry_disk_writes_exceed(10 * MIB, 10 * MIB));
    g_assert_false(ferry_disk_writes_exceed(9 * MIB, 10 * MIB));
    g_assert_false(ferry_disk_writes_exceed(10 * MIB, 0));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/disk-convergence/quiet", "quiet.trace", test_converges);
    g_test_add_data_func("/disk-convergence/sequential", "sequential.trace", test_converges);
    /* It takes four times as long as on an idle guest, and what is left falls. */
    g_test_add_data_func("/disk-convergence/near-the-link", "near-the-link.trace", test_converges);
    g_test_add_func("/disk-convergence/gusts-near-the-end", test_gusts_near_the_end);
    g_test_add_func("/disk-convergence/limited", test_a_limit_is_no_stall);
    g_test_add_func("/disk-convergence/small-random", test_small_random_writes);
    g_test_add_func("/disk-convergence/background-by-order", test_background_by_order);
    g_test_add_data_func("/disk-convergence/synchronous/small-random", "synchronous.trace",
                         test_synchronous_writes_take_their_time);
    g_test_add_func("/disk-convergence/synchronous/in-vain", test_not_even_synchronous);
    g_test_add_func("/disk-convergence/dead-link", test_dead_link);
    g_test_add_func("/disk-convergence/too-early", test_too_early);
    g_test_add_func("/disk-convergence/ill-link", test_ill_link);
    g_test_add_func("/disk-convergence/gusts", test_gusts);
    g_test_add_func("/disk-convergence/from-the-middle-on", test_watched_from_the_middle_on);
    g_test_add_func("/disk-convergence/in-circles-before", test_in_circles_before);
    g_test_add_func("/disk-convergence/slow-is-not-vain", test_slow_is_not_vain);
    g_test_add_func("/disk-convergence/switched", test_switched);
    g_test_add_func("/disk-convergence/another-mirror", test_another_mirror);
    g_test_add_data_func("/disk-convergence/cut", GINT_TO_POINTER(false), test_cut);
    g_test_add_data_func("/disk-convergence/cut-synchronous", GINT_TO_POINTER(true), test_cut);
    g_test_add_func("/disk-convergence/too-busy-after-a-cut", test_too_busy_after_a_cut);
    g_test_add_func("/disk-convergence/written-is-not-known", test_written_is_not_known);
    g_test_add_func("/disk-convergence/hopeless", test_hopeless);
    g_test_add_func("/disk-convergence/done-is-no-stall", test_done_is_no_stall);
    g_test_add_func("/disk-convergence/before-the-start", test_exceed);
    g_test_add_func("/disk-convergence/written-again", test_written_again);
    return g_test_run();
}
