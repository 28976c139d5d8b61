/* The command for the completion of a shell: prints names and never complains. */
#include "config.h"

#include "command.h"
#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "output.h"
#include "pages.h"
#include "session.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Somebody waits at a prompt: whatever hangs, this is the end. */
#define LIMIT_S 1
#define WINDOW_MS 500
#define MIGRATIONS_MAX 50

static void
print_name(const json_t *object, const char *key)
{
    const char *name = ferry_json_get_string(object, key);

    if (name)
        ferry_say("%s", name);
}

static void
print_host(const json_t *result, const GError *error, gpointer user_data)
{
    print_name(result, "host");
}

static void
print_instances(const json_t *result, const GError *error, gpointer user_data)
{
    size_t index = 0;
    const json_t *instance = NULL;

    json_array_foreach(json_object_get(result, "instances"), index, instance)
        print_name(instance, "name");
}

static void
print_migrations(const json_t *result, const GError *error, gpointer user_data)
{
    const FerryPageFilter newest = {.limit = MIGRATIONS_MAX};
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    const char *host = ferry_json_get_string(result, "host");
    g_autoptr(GError) ignored = NULL;

    if (!host || !ferry_pages_add(user_data, host, &newest, records, &ignored))
        return;
    for (guint i = 0; i < records->len; i++) {
        const json_t *record = g_ptr_array_index(records, i);

        print_name(record, "migration_id");
        print_name(json_object_get(record, "instance"), "name");
    }
}

static const struct {
    const char *word;
    const char *method;
    FerrySurveyFunc print;
} kinds[] = {
    {"hosts", "ping", print_host},
    {"instances", "describe_host", print_instances},
    {"migrations", "ping", print_migrations},
};

/* The operator's own, of the configuration here: nobody is asked. */
static void
print_policies(const FerryInvocation *invocation)
{
    g_autoptr(GError) ignored = NULL;
    g_autoptr(FerryConfig) config = ferry_session_load_config(invocation, &ignored);

    for (guint i = 0; config && i < config->policies->len; i++)
        ferry_say("%s",
                  ((const FerryTransferPolicy *)g_ptr_array_index(config->policies, i))->name);
}

static void
leave(int signal)
{
    _exit(FERRY_EXIT_DONE);
}

FerryExit
ferry_command_complete(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_invocation_parse(invocation, /* group= */ NULL, 1, &argc, &argv, &error))
        return ferry_report_error(error, invocation->json);
    if (strcmp(argv[1], "policies") == 0) {
        print_policies(invocation);
        return FERRY_EXIT_DONE;
    }
    signal(SIGALRM, leave);
    alarm(LIMIT_S);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    for (size_t i = 0; session && i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].word, argv[1]) == 0)
            ferry_session_survey(session, kinds[i].method, WINDOW_MS, kinds[i].print, session);
    }
    return FERRY_EXIT_DONE;
}
