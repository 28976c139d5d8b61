#include "config.h"

#include "invocation.h"

#include "command.h"
#include "ferry/options.h"
#include "output.h"

#include <string.h>

#define TIMEOUT_S 60
#define TIMEOUT_MAX_S 86400

FerryInvocation *
ferry_invocation_new(void)
{
    FerryInvocation *invocation = g_new0(FerryInvocation, 1);

    invocation->config_files = g_ptr_array_new_with_free_func(g_free);
    invocation->timeout_s = TIMEOUT_S;
    return invocation;
}

void
ferry_invocation_free(FerryInvocation *invocation)
{
    if (!invocation)
        return;
    g_free(invocation->transport_url);
    g_free(invocation->exchange);
    g_ptr_array_unref(invocation->config_files);
    g_free(invocation);
}

/* A callback, because GLib's string options would lose a value given before the command. */
static gboolean
take_text(const char *name, const char *value, gpointer data, GError **error)
{
    FerryInvocation *invocation = data;

    if (strcmp(name, "--config-file") == 0) {
        g_ptr_array_add(invocation->config_files, g_strdup(value));
        return TRUE;
    }
    char **field =
        strcmp(name, "--exchange") == 0 ? &invocation->exchange : &invocation->transport_url;
    g_free(*field);
    *field = g_strdup(value);
    return TRUE;
}

static gboolean
take_timeout(const char *name, const char *value, gpointer data, GError **error)
{
    FerryInvocation *invocation = data;
    guint64 seconds = 0;

    if (!g_ascii_string_to_unsigned(value, 10, 1, TIMEOUT_MAX_S, &seconds, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s %s: expected whole seconds from 1 to %d", name, value, TIMEOUT_MAX_S);
        return FALSE;
    }
    invocation->timeout_s = (guint)seconds;
    return TRUE;
}

static gboolean
take_flag(const char *name, const char *value, gpointer data, GError **error)
{
    FerryInvocation *invocation = data;

    if (strcmp(name, "--json") == 0)
        invocation->json = true;
    else
        invocation->show_version = true;
    return TRUE;
}

static const GOptionEntry shared_entries[] = {
    {.long_name = "transport-url",
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_text,
     .description = "The broker (else VIRT_FERRY_TRANSPORT_URL, else the configuration)",
     .arg_description = "URL"},
    {.long_name = "exchange",
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_text,
     .description = "The control exchange of the agents",
     .arg_description = "NAME"},
    {.long_name = "config-file",
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_text,
     .description = "Read the messaging part of this file; may be given several times",
     .arg_description = "FILE"},
    {.long_name = "timeout",
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_timeout,
     .description = "How long an answer may take (60)",
     .arg_description = "SECONDS"},
    {.long_name = "json",
     .flags = G_OPTION_FLAG_NO_ARG,
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_flag,
     .description = "Print JSON documents and nothing else on standard output"},
    {.long_name = NULL},
};

static const GOptionEntry version_entries[] = {
    {.long_name = "version",
     .flags = G_OPTION_FLAG_NO_ARG,
     .arg = G_OPTION_ARG_CALLBACK,
     .arg_data = take_flag,
     .description = "Print the version"},
    {.long_name = NULL},
};

bool
ferry_invocation_parse_global(
    FerryInvocation *invocation, const char *summary, int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new("COMMAND [ARGUMENT ...]");
    GOptionGroup *group = g_option_group_new("main", "", "", invocation, NULL);

    g_option_group_add_entries(group, shared_entries);
    g_option_group_add_entries(group, version_entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context, summary);
    g_option_context_set_strict_posix(context, TRUE);
    return ferry_options_parse(context, argc, argv, error);
}

/* Removes the "--" that ended the options: GLib may leave it there. */
static void
drop_separator(int *argc, char **argv)
{
    if (*argc < 2 || strcmp(argv[1], "--") != 0)
        return;
    memmove(argv + 1, argv + 2, sizeof *argv * (size_t)(*argc - 1));
    --*argc;
}

static bool
check_operands(const FerryCommand *command, int expected, int argc, GError **error)
{
    int found = argc - 1;

    if (found == expected)
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "%s arguments; usage: virt-ferry %s %s", found < expected ? "missing" : "too many",
                command->name, command->arguments);
    return false;
}

bool
ferry_invocation_parse(FerryInvocation *invocation,
                       GOptionGroup *group,
                       int operands,
                       int *argc,
                       char ***argv,
                       GError **error)
{
    const FerryCommand *command = ferry_command_find((*argv)[0]);
    ferry_output_name_command(command->name);
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    GOptionGroup *shared = g_option_group_new(
        "global", "Options of every command:", "Show the options that every command has",
        invocation, NULL);

    g_option_group_add_entries(shared, shared_entries);
    if (group)
        g_option_context_set_main_group(context, group);
    g_option_context_add_group(context, shared);
    g_option_context_set_summary(context, command->summary);
    g_option_context_set_description(context, command->description);
    /* --help shows this name, which is to include the command. */
    g_autofree char *program = g_strdup_printf("virt-ferry %s", command->name);
    g_set_prgname(program);
    bool parsed = ferry_options_parse(context, argc, argv, error);
    g_set_prgname("virt-ferry");
    if (!parsed)
        return false;
    drop_separator(argc, *argv);
    return check_operands(command, operands, *argc, error);
}
