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

/* Returns: (transfer container): the names of the checks of @rank, one for each of them. */
static GPtrArray *
names_of(const FerryCheckAnswer *answers, gsize count, guint rank)
{
    GPtrArray *names = g_ptr_array_new();
    size_t index = 0;
    const json_t *check = NULL;

    for (gsize i = 0; i < count; i++) {
        json_array_foreach(json_object_get(answers[i].answer, "checks"), index, check) {
            const char *name = ferry_json_get_string(check, "name");

            if (rank_of(check) == rank && name)
                g_ptr_array_add(names, (char *)name);
        }
    }
    return names;
}

static guint
count_name(const GPtrArray *names, guint from, guint to, const char *name)
{
    guint found = 0;

    for (guint i = from; i < to; i++)
        found += strcmp(g_ptr_array_index(names, i), name) == 0;
    return found;
}

/* Each name once, with how often. */
static char *
sum_up(const FerryCheckAnswer *answers, gsize count, guint rank, const char *word)
{
    g_autoptr(GPtrArray) names = names_of(answers, count, rank);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        guint times = count_name(names, i, names->len, name);

        if (count_name(names, 0, i, name) > 0)
            continue;
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", name);
        if (times > 1)
            g_string_append_printf(text, " x%u", times);
    }
    return names->len > 0 ? g_strdup_printf("%u %s (%s)", names->len, word, text->str) : NULL;
}

static bool
all_pass(const FerryCheckAnswer *answers, gsize count)
{
    guint others = 0;

    for (guint rank = 0; rank < RANK_PASS; rank++) {
        g_autoptr(GPtrArray) names = names_of(answers, count, rank);

        others += names->len;
    }
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
