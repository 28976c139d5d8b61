/* The table of all commands, with the texts of --help. */
#include "config.h"

#include "command.h"
#include "ferry/text.h"

#include <string.h>

#define HOST_HINT                                                                                  \
    "A migration is named by its id, the beginning of that, or the name of its instance. Without " \
    "--host every agent that answers is asked for it."

const FerryCommand ferry_commands[] = {
    {
        .name = "hosts",
        .arguments = "",
        .summary = "Show every agent that answers",
        .run = ferry_command_hosts,
    },
    {
        .name = "check",
        .arguments = "INSTANCE [--from HOST] --to HOST | --host HOST [--to HOST]",
        .summary = "Say whether an instance can move, or what a host lacks; changes nothing",
        .description = "INSTANCE --to HOST asks both hosts; without --from the agents are asked "
                       "where the instance is. --host HOST looks at one host by itself, whatever "
                       "the instances, with --to also at the way from there.\nExit status: 0 the "
                       "instance can move, or the host is ready; 1 it cannot, or is not.",
        .run = ferry_command_check,
    },
    {
        .name = "migrate",
        .arguments = "INSTANCE [--from HOST] --to HOST",
        .summary = "Move an instance and its local disks to another host",
        .description = "Exit status: 0 completed, 1 failed, 3 cancelled, 4 the outcome was not "
                       "seen. See virt-ferry(1).",
        .run = ferry_command_migrate,
    },
    {
        .name = "list",
        .arguments = "",
        .summary = "Show migrations, newest first",
        .run = ferry_command_list,
    },
    {
        .name = "show",
        .arguments = "MIGRATION|INSTANCE",
        .summary = "Show one migration's record and report",
        .description = HOST_HINT,
        .run = ferry_command_show,
    },
    {
        .name = "abort",
        .arguments = "MIGRATION|INSTANCE",
        .summary = "Stop a migration; the instance stays on its source",
        .description = HOST_HINT,
        .run = ferry_command_abort,
    },
    {
        .name = "force-complete",
        .arguments = "MIGRATION|INSTANCE",
        .summary = "Finish a migration that does not converge, at the instance's cost",
        .description = HOST_HINT,
        .run = ferry_command_force_complete,
    },
    {
        .name = "tune",
        .arguments = "MIGRATION|INSTANCE [--bandwidth MIB/S] [--downtime MS] [--policy NAME] "
                     "[--max-pause MS]",
        .summary = "Change what a migration may take while it waits or runs",
        .description = HOST_HINT,
        .run = ferry_command_tune,
    },
    {
        .name = "resolve",
        .arguments = "MIGRATION|INSTANCE",
        .summary = "Ask both hosts again about a migration in error",
        .description = HOST_HINT,
        .run = ferry_command_resolve,
    },
    {
        .name = "quarantine",
        .arguments = "list|restore|delete [MIGRATION|INSTANCE]",
        .summary = "Show, bring back or delete source disks that were put aside",
        .description = "restore gives the disks their names back and defines the instance again; "
                       "it starts nothing.",
        .run = ferry_command_quarantine,
    },
    {
        .name = "watch",
        .arguments = "",
        .summary = "Show events as they come",
        .run = ferry_command_watch,
    },
    {
        .name = "complete",
        .arguments = "hosts|instances|migrations",
        .summary = "Print names, one a line, for the completion of a shell",
        .hidden = true,
        .run = ferry_command_complete,
    },
    {.name = NULL},
};

char *
ferry_command_refuse(const char *name)
{
    const char *names[G_N_ELEMENTS(ferry_commands)] = {NULL};
    guint count = 0;

    for (const FerryCommand *command = ferry_commands; command->name; command++) {
        if (!command->hidden)
            names[count++] = command->name;
    }
    const char *nearest = ferry_text_nearest(name, names);
    return nearest ? g_strdup_printf("there is no command '%s'; did you mean '%s'?", name, nearest)
                   : g_strdup_printf("there is no command '%s'", name);
}

const FerryCommand *
ferry_command_find(const char *name)
{
    for (const FerryCommand *command = ferry_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}
