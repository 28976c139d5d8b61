/* The table of the saga's steps against itself and against what says the same elsewhere. */
#include "config.h"

#include "source/steps/table.h"

#include "source/completion.h"

#include <string.h>

/* Returns: (transfer full): the text of a file of the source tree. */
static char *
read_source(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, /* length= */ NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Returns: (transfer full): what lies between the first @begin and the next @end. */
static char *
cut_out(const char *text, const char *begin, const char *end)
{
    const char *from = strstr(text, begin);
    const char *until = from ? strstr(from + strlen(begin), end) : NULL;

    g_assert_nonnull(from);
    g_assert_nonnull(until);
    return g_strndup(from, (gsize)(until - from));
}

/* Returns: (transfer full): the groups of all matches of @pattern, separated by blanks. */
static char *
find_all(const char *text, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, &error);
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GString) found = g_string_new(NULL);

    g_assert_no_error(error);
    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        for (int group = 1; group < g_match_info_get_match_count(match); group++) {
            g_autofree char *word = g_match_info_fetch(match, group);

            g_string_append_printf(found, "%s%s", found->len > 0 ? " " : "", word);
        }
    }
    return g_string_free(g_steal_pointer(&found), FALSE);
}

/* Returns: (transfer full): the table's own names, with each step's status where it is wanted. */
static char *
table_words(bool with_status)
{
    g_autoptr(GString) words = g_string_new(NULL);

    for (const FerrySagaStep *step = ferry_source_saga.steps; step->name; step++) {
        g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", step->name);
        if (with_status)
            g_string_append_printf(words, " %s", ferry_status_to_string(step->status));
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

static void
assert_names(const char *text, const char *pattern)
{
    g_autofree char *expected = table_words(false);
    g_autofree char *found = find_all(text, pattern);

    g_assert_cmpstr(found, ==, expected);
}

/* --- the table -------------------------------------------------------------------------------- */

/* Behind the point of no return is no way back: no undo, and no step that could be given up. */
static void
test_no_return(void)
{
    bool behind = false;

    for (const FerrySagaStep *step = ferry_source_saga.steps; step->name; step++) {
        g_assert_nonnull(step->run);
        g_assert_true(step->point_of_no_return || !behind);
        behind = step->point_of_no_return;
        g_assert_false(behind && step->undo);
        g_assert_true(step->read_only || !behind);
        g_assert_cmpint(step->status == FERRY_STATUS_POST_MIGRATING, ==, behind);
    }
    g_assert_true(behind);
}

static void
test_status_goes_forward(void)
{
    FerryStatus status = FERRY_STATUS_ACCEPTED;

    for (const FerrySagaStep *step = ferry_source_saga.steps; step->name; step++) {
        g_assert_true(step->status == status ||
                      ferry_status_may_follow(FERRY_ROLE_SOURCE, status, step->status));
        status = step->status;
    }
}

/* Which steps a time limit counts is said by their names: each has to be one of the table. */
static void
test_completion(void)
{
    for (const char *const *name = ferry_completion_steps; *name; name++) {
        const FerrySagaStep *step = ferry_source_saga.steps;

        while (step->name && strcmp(step->name, *name) != 0)
            step++;
        g_assert_cmpstr(step->name, ==, *name);
    }
}

static void
test_header(void)
{
    g_autofree char *header = read_source("agent/source/steps/table.h");

    assert_names(header, "^ \\*   ([a-z-]+)  ");
}

/* --- what people read ------------------------------------------------------------------------- */

static void
test_architecture(void)
{
    g_autofree char *text = read_source("docs/architecture.md");
    g_autofree char *rows = cut_out(text, "| step | status |", "\n\n");
    g_autofree char *expected = table_words(true);
    g_autofree char *found = find_all(rows, "^\\| `([a-z-]+)` \\| ([a-z-]+) \\|");

    g_assert_cmpstr(found, ==, expected);
}

static void
test_protocol(void)
{
    g_autofree char *text = read_source("docs/protocol.md");
    g_autofree char *answer = cut_out(text, "### get_migration", "```\n\n");

    assert_names(answer, "\\{\"name\": \"([a-z-]+)\", \"state\": \"done\"");
}

static void
test_journeys(void)
{
    g_autofree char *text = read_source("tests/journeys/crossing.py");
    g_autofree char *list = cut_out(text, "\nSTEPS = ", ")");

    assert_names(list, "\"([a-z-]+)\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/source-table/no-return", test_no_return);
    g_test_add_func("/source-table/status-goes-forward", test_status_goes_forward);
    g_test_add_func("/source-table/completion", test_completion);
    g_test_add_func("/source-table/header", test_header);
    g_test_add_func("/source-table/architecture", test_architecture);
    g_test_add_func("/source-table/protocol", test_protocol);
    g_test_add_func("/source-table/journeys", test_journeys);
    return g_test_run();
}
