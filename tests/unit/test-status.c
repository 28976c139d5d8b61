#include "config.h"

#include "ferry/status.h"

#include <string.h>

#define STATUS_COUNT (FERRY_STATUS_ROLLED_BACK + 1)

static const FerryRole roles[] = {FERRY_ROLE_SOURCE, FERRY_ROLE_DESTINATION};

/* The protocol's moves, written down once more: "from to", everything else is illegal. */
static const char *const source_moves[] = {
    "accepted queued",
    "accepted preparing",
    "accepted running",
    "accepted cancelled",
    "accepted failed",
    "accepted error",
    "queued preparing",
    "queued running",
    "queued cancelled",
    "queued failed",
    "queued error",
    "preparing running",
    "preparing failed",
    "preparing cancelled",
    "preparing error",
    "running post-migrating",
    "running failed",
    "running cancelled",
    "running error",
    "post-migrating completed",
    "post-migrating failed",
    "post-migrating error",
    "error completed",
    "error failed",
    NULL,
};
static const char *const destination_moves[] = {
    "preparing prepared", "preparing rolled-back", "preparing error",
    "prepared completed", "prepared rolled-back",  "prepared error",
    "error completed",    "error rolled-back",     NULL,
};

static void
test_moves(void)
{
    for (unsigned from = 0; from < STATUS_COUNT; from++) {
        for (unsigned to = 0; to < STATUS_COUNT; to++) {
            g_autofree char *move =
                g_strdup_printf("%s %s", ferry_status_to_string((FerryStatus)from),
                                ferry_status_to_string((FerryStatus)to));

            g_test_message("%s", move);
            g_assert_cmpint(
                ferry_status_may_follow(FERRY_ROLE_SOURCE, (FerryStatus)from, (FerryStatus)to), ==,
                g_strv_contains(source_moves, move));
            g_assert_cmpint(
                ferry_status_may_follow(FERRY_ROLE_DESTINATION, (FerryStatus)from, (FerryStatus)to),
                ==, g_strv_contains(destination_moves, move));
        }
    }
}

/* A record that is not at its end can always go somewhere, and one at its end only be resolved. */
static void
test_only_error_leaves_the_end(void)
{
    for (size_t r = 0; r < G_N_ELEMENTS(roles); r++) {
        for (unsigned from = 0; from < STATUS_COUNT; from++) {
            if (!ferry_status_is_terminal((FerryStatus)from) || from == FERRY_STATUS_ERROR)
                continue;
            for (unsigned to = 0; to < STATUS_COUNT; to++)
                g_assert_false(
                    ferry_status_may_follow(roles[r], (FerryStatus)from, (FerryStatus)to));
        }
    }
}

static void
test_terminal(void)
{
    static const char *const terminal[] = {"completed", "failed",      "cancelled",
                                           "error",     "rolled-back", NULL};

    for (unsigned status = 0; status < STATUS_COUNT; status++)
        g_assert_cmpint(ferry_status_is_terminal((FerryStatus)status), ==,
                        g_strv_contains(terminal, ferry_status_to_string((FerryStatus)status)));
}

static void
test_names(void)
{
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        FerryStatus back = FERRY_STATUS_ACCEPTED;

        g_assert_true(ferry_status_from_string(ferry_status_to_string((FerryStatus)status), &back));
        g_assert_cmpint(back, ==, status);
    }
    FerryStatus untouched = FERRY_STATUS_RUNNING;
    g_assert_false(ferry_status_from_string("Running", &untouched));
    g_assert_false(ferry_status_from_string(NULL, &untouched));
    g_assert_cmpint(untouched, ==, FERRY_STATUS_RUNNING);

    FerryRole role = FERRY_ROLE_SOURCE;
    g_assert_true(ferry_role_from_string(ferry_role_to_string(FERRY_ROLE_DESTINATION), &role));
    g_assert_cmpint(role, ==, FERRY_ROLE_DESTINATION);
    g_assert_false(ferry_role_from_string("witness", &role));
}

static void
test_phases(void)
{
    for (unsigned phase = 0; phase <= FERRY_PHASE_SWITCHOVER; phase++) {
        FerryPhase back = FERRY_PHASE_MEMORY;

        g_assert_true(ferry_phase_from_string(ferry_phase_to_string((FerryPhase)phase), &back));
        g_assert_cmpint(back, ==, phase);
    }
    g_assert_null(ferry_phase_to_string(FERRY_PHASE_NONE));
    FerryPhase untouched = FERRY_PHASE_DISK;
    g_assert_false(ferry_phase_from_string("", &untouched));
    g_assert_cmpint(untouched, ==, FERRY_PHASE_DISK);
}

/* Every status that a role can reach has an event; none has one that it cannot. */
static void
test_events(void)
{
    for (size_t r = 0; r < G_N_ELEMENTS(roles); r++) {
        for (unsigned to = 0; to < STATUS_COUNT; to++) {
            bool reachable = to == (roles[r] == FERRY_ROLE_SOURCE ? FERRY_STATUS_ACCEPTED
                                                                  : FERRY_STATUS_PREPARING);

            for (unsigned from = 0; from < STATUS_COUNT; from++)
                reachable |= ferry_status_may_follow(roles[r], (FerryStatus)from, (FerryStatus)to);
            const char *type = ferry_status_event_type(roles[r], (FerryStatus)to);
            g_assert_cmpint(type != NULL, ==, reachable);
            g_assert_null(type ? strchr(type, '-') : NULL);
        }
    }
    g_assert_cmpstr(ferry_status_event_type(FERRY_ROLE_SOURCE, FERRY_STATUS_POST_MIGRATING), ==,
                    "migration.post_migrating");
    g_assert_cmpstr(ferry_status_event_type(FERRY_ROLE_DESTINATION, FERRY_STATUS_ROLLED_BACK), ==,
                    "migration.destination.rolled_back");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/moves", test_moves);
    g_test_add_func("/status/only-error-leaves-the-end", test_only_error_leaves_the_end);
    g_test_add_func("/status/terminal", test_terminal);
    g_test_add_func("/status/names", test_names);
    g_test_add_func("/status/phases", test_phases);
    g_test_add_func("/status/events", test_events);
    return g_test_run();
}
