/* options.h: the options of a program's command line. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Parses as g_option_context_parse() does; @error names the nearest option to one that is
 * unknown. */
bool ferry_options_parse(GOptionContext *context, int *argc, char ***argv, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
