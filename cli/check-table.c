#include "config.h"

#include "check-table.h"

#include "ferry/json.h"
#include "output.h"
#include "table.h"
#include "words.h"

#include <string.h>

/* Worst first. A result that this version does not know ("?") may be a bad one. */
static const char *const results[] = {"fail", "?", "warn", "pass"};
#define RANK_FAIL 0
#define RANK_WARN (G_N_ELEMENTS(results) - 2)
#define RANK_PASS (G_N_ELEMENTS(results) - 1)

static guint
rank_of(const json_t *check)
{
    const char *result = ferry_json_get_string(check, "result");

    for (guint i = 0; i < G_N_ELEMENTS(results); i++) {
        if (g_strcmp0(results[i], result) == 0)
            return i;
    }
    return 1;
}

static void
add_checks(FerryTable *table, const FerryCheckAnswer *one, guint rank)
{
    size_t index = 0;
    const json_t *check = NULL;

    json_array_foreach(json_object_get(one->answer, "checks"), index, check) {
        if (rank_of(check) != rank)
            continue;
        g_autofree char *message = ferry_words_translate(ferry_json_get_string(check, "message"));
        g_autofree char *hint = ferry_words_translate(ferry_json_get_string(check, "hint"));
        const char *const cells[] = {ferry_json_get_string(check, "result"), one->host,
                                     ferry_json_get_string(check, "name"), message, NULL};
        ferry_table_add(table, cells);
        if (!hint || rank == RANK_PASS)
            continue;
        g_autofree char *text = g_strdup_printf("hint: %s", hint);
        const char *const hint_cells[] = {"", "", "", text, NULL};
        ferry_table_add(table, hint_cells);
    }
}

/* Appends the names of the checks of @rank, each once. Returns: how many checks these were. */
static guint
name_checks(GString *names, const json_t *answer, guint rank)
{
    guint count = 0;
    size_t index = 0;
    const json_t *check = NULL;

    json_array_foreach(json_object_get(answer, "checks"), index, check) {
        const char *name = ferry_json_get_string(check, "name");

        if (rank_of(check) != rank || !name)
            continue;
        count++;
        g_autofree char *quoted = g_strdup_printf(" %s,", name);
        if (!strstr(names->str, quoted))
            g_string_append(names, quoted);
    }
    return count;
}

static guint
name_all(GString *names, const FerryCheckAnswer *answers, gsize count, guint rank)
{
    guint found = 0;

    for (gsize i = 0; i < count; i++)
        found += name_checks(names, answers[i].answer, rank);
    return found;
}

static char *
sum_up(const FerryCheckAnswer *answers, gsize count, guint rank, const char *word)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint found = name_all(names, answers, count, rank);

    if (found == 0)
        return NULL;
    return g_strdup_printf("%u %s (%.*s)", found, word, (int)names->len - 2, names->str + 1);
}

static bool
all_pass(const FerryCheckAnswer *answers, gsize count)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint others = 0;

    for (guint rank = 0; rank < RANK_PASS; rank++)
        others += name_all(names, answers, count, rank);
    return others == 0;
}

void
ferry_check_table_print(const FerryCheckAnswer *answers, gsize count, bool verbose)
{
    static const char *const titles[] = {"RESULT", "HOST", "CHECK", "MESSAGE", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    guint ranks = verbose || all_pass(answers, count) ? RANK_PASS + 1 : RANK_PASS;

    for (guint rank = 0; rank < ranks; rank++) {
        for (gsize i = 0; i < count; i++)
            add_checks(table, &answers[i], rank);
    }
    ferry_table_print(table);
}

char *
ferry_check_table_sum_up(const FerryCheckAnswer *answers, gsize count, bool *ret_failed)
{
    char *failed = sum_up(answers, count, RANK_FAIL, "failed");

    *ret_failed = failed != NULL;
    return failed ? failed : sum_up(answers, count, RANK_WARN, "to look at");
}
