#include "config.h"

#include "ferry/options.h"

#include "ferry/text.h"

#include <string.h>

/* Adds the nearest option to @error where that says "Unknown option --X". GLib tells of the options
 * that there are in its text for --help only. */
static void
suggest_option(GOptionContext *context, GError *error)
{
    const char *begin = error->message ? strstr(error->message, "--") : NULL;
    g_autofree char *unknown = begin ? g_strndup(begin, strcspn(begin, "= ")) : NULL;
    g_autofree char *help = NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) pattern = g_regex_new("^  .*?(--[a-z-]+)", G_REGEX_MULTILINE, 0, NULL);

    if (!unknown || !g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
        return;
    help = g_option_context_get_help(context, /* main_help= */ FALSE, /* group= */ NULL);
    for (g_regex_match(pattern, help, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *option = g_match_info_fetch(match, 1);

        g_strv_builder_add(builder, option);
    }
    g_auto(GStrv) options = g_strv_builder_end(builder);
    const char *nearest = ferry_text_nearest(unknown, (const char *const *)options);
    if (!nearest)
        return;
    g_autofree char *former = error->message;
    error->message = g_strdup_printf("%s; did you mean %s?", former, nearest);
}

bool
ferry_options_parse(GOptionContext *context, int *argc, char ***argv, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (g_option_context_parse(context, argc, argv, &why))
        return true;
    suggest_option(context, why);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}
