/* invocation.h: the options that every command has, and how options are parsed. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *transport_url;     /* NULL: from the environment or the configuration */
    char *exchange;          /* NULL: from the configuration */
    GPtrArray *config_files; /* char * */
    guint timeout_s;         /* how long an answer may take */
    bool json;
    bool show_version;
} FerryInvocation;

FerryInvocation *ferry_invocation_new(void);
void ferry_invocation_free(FerryInvocation *invocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryInvocation, ferry_invocation_free)

/** Parses the options before the command. On success (*argv)[1] is the command, if there is one.
 * @summary: (transfer none): shown by --help. @error: a G_OPTION_ERROR. */
bool ferry_invocation_parse_global(FerryInvocation *invocation,
                                   const char *summary,
                                   int *argc,
                                   char ***argv,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_invocation_parse:
 * @command: name of the command that @argv begins with
 * @group: (transfer full) (nullable): the command's own options
 * @operands: how many arguments must remain besides the options; they begin at (*argv)[1]
 * @error: a G_OPTION_ERROR
 * Parses the command's options, and those of every command, which may come here, too.
 */
bool ferry_invocation_parse(FerryInvocation *invocation,
                            const char *command,
                            GOptionGroup *group,
                            int operands,
                            int *argc,
                            char ***argv,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
