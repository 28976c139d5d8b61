/* virt-ferry: the command, for people and scripts. */
#include "config.h"

#include "command.h"
#include "output.h"

#include <glib.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Returns: (transfer full): what --help says before the options. */
static char *
list_commands(void)
{
    GString *text =
        g_string_new("Moves virtual machines, running or not, local disks included, between "
                     "KVM hosts.\n\nCommands:\n");

    for (const FerryCommand *command = ferry_commands; command->name; command++)
        if (!command->hidden)
            g_string_append_printf(text, "  %-16s %s\n", command->name, command->summary);
    g_string_append(text, "  help [COMMAND]   Show this, or the options of a command");
    return g_string_free(text, FALSE);
}

/* Makes "help X" into "X --help" and "help" into "--help", which GLib prints and exits. */
static void
turn_help_around(int argc, char **argv)
{
    static char help[] = "--help";

    if (argc < 2 || strcmp(argv[1], "help") != 0)
        return;
    argv[1] = argc > 2 ? argv[2] : help;
    if (argc > 2)
        argv[2] = help;
}

static FerryExit
refuse_usage(const char *why)
{
    ferry_complain("%s", why);
    g_printerr("hint: see 'virt-ferry help' and virt-ferry(1)\n");
    return FERRY_EXIT_USAGE;
}

static FerryExit
run(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *summary = list_commands();

    turn_help_around(argc, argv);
    if (!ferry_invocation_parse_global(invocation, summary, &argc, &argv, &error))
        return refuse_usage(error->message);
    if (invocation->show_version) {
        g_print("virt-ferry %s\n", VERSION);
        return FERRY_EXIT_DONE;
    }
    if (argc < 2)
        return refuse_usage("no command");
    const FerryCommand *command = ferry_command_find(argv[1]);
    if (!command) {
        g_autofree char *why = ferry_command_refuse(argv[1]);

        return refuse_usage(why);
    }
    return command->run(invocation, argc - 1, argv + 1);
}

/* Output that a full disk cut short must not pass for complete. */
static bool
flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    perror("virt-ferry: standard output");
    return false;
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_set_prgname("virt-ferry");
    g_log_set_writer_func(ferry_write_log, /* user_data= */ NULL, /* destroy= */ NULL);
    g_autoptr(FerryInvocation) invocation = ferry_invocation_new();
    FerryExit status = run(invocation, argc, argv);
    if (!flush_output() && status == FERRY_EXIT_DONE)
        status = FERRY_EXIT_FAILED;
    return status;
}
