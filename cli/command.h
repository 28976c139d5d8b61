/* command.h: the commands of virt-ferry and their exit statuses. */
#pragma once

#include "invocation.h"

typedef enum {
    FERRY_EXIT_DONE = 0,
    FERRY_EXIT_FAILED = 1,    /* the migration, the check or the request failed */
    FERRY_EXIT_USAGE = 2,     /* wrong arguments, wrong configuration, refused as invalid */
    FERRY_EXIT_CANCELLED = 3, /* the migration was aborted */
    FERRY_EXIT_NO_ANSWER = 4, /* no broker, no agent, or no outcome seen */
} FerryExit;

typedef struct {
    const char *name;
    const char *arguments;   /* as the usage line shows them */
    const char *summary;     /* one line, no full stop */
    const char *description; /* for --help; NULL: none */
    bool hidden;             /* for programs: in no list */
    /* @argv: the command's name, then options and operands as they were typed. */
    FerryExit (*run)(FerryInvocation *invocation, int argc, char **argv);
} FerryCommand;

/* All commands; the table ends with a NULL name. */
extern const FerryCommand ferry_commands[];

FerryExit ferry_command_hosts(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_check(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_migrate(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_list(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_show(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_abort(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_force_complete(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_tune(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_resolve(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_quarantine(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_watch(FerryInvocation *invocation, int argc, char **argv);
FerryExit ferry_command_complete(FerryInvocation *invocation, int argc, char **argv);

/** Returns: (nullable): the command of this name. */
const FerryCommand *ferry_command_find(const char *name);

/** Returns: (transfer full): that there is no command @name, with the nearest one. */
char *ferry_command_refuse(const char *name);
