#include "config.h"

#include "output.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "plain-text.h"
#include "terminal.h"
#include "words.h"

#include <stdio.h>

#define FACT_INDENT 13

static int muted;          /* atomic */
static char *command_name; /* with a blank behind it; main thread */

void
ferry_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *plain = ferry_plain_text(text);
    g_print("%s\n", plain);
}

/* On a terminal the lines break between words. */
static void
print_error_text(const char *prefix, const char *text)
{
    g_autofree char *plain = ferry_plain_text(text);
    g_autofree char *whole = g_strconcat(prefix, plain, NULL);
    g_autoptr(GPtrArray) lines = ferry_plain_text_wrap(whole, ferry_terminal_error_columns());

    for (guint i = 0; i < lines->len; i++)
        g_printerr("%s\n", (const char *)g_ptr_array_index(lines, i));
}

void
ferry_say_fact(const char *name, const char *text)
{
    guint columns = ferry_terminal_columns();
    g_autofree char *plain = ferry_plain_text(text);
    g_autoptr(GPtrArray) lines =
        ferry_plain_text_wrap(plain, columns > 2 * FACT_INDENT ? columns - FACT_INDENT : 0);

    for (guint i = 0; i < lines->len; i++)
        ferry_say("%-*s %s", FACT_INDENT - 1, i == 0 ? name : "",
                  (const char *)g_ptr_array_index(lines, i));
}

void
ferry_complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fflush(stdout); /* keeps the order of lines where both go to one file */
    print_error_text("virt-ferry: ", text);
}

void
ferry_mute_warnings(bool mute)
{
    g_atomic_int_set(&muted, mute);
}

GLogWriterOutput
ferry_write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer user_data)
{
    if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
        return g_log_writer_default(level, fields, count, user_data);
    if (g_atomic_int_get(&muted))
        return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < count && (level & G_LOG_LEVEL_WARNING) != 0; i++) {
        if (g_strcmp0(fields[i].key, "MESSAGE") == 0)
            ferry_complain("%s", (const char *)fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

void
ferry_print_json(const json_t *value)
{
    g_autofree char *text = ferry_json_dump(value);

    puts(text);
    fflush(stdout);
}

FerryExit
ferry_exit_of_error(const GError *error)
{
    if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE))
        return FERRY_EXIT_NO_ANSWER;
    if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFIG) ||
        g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST) ||
        error->domain == G_OPTION_ERROR)
        return FERRY_EXIT_USAGE;
    return FERRY_EXIT_FAILED;
}

void
ferry_output_name_command(const char *name)
{
    g_free(command_name);
    command_name = g_strconcat(name, " ", NULL);
}

static void
print_hint(const char *hint)
{
    if (!hint)
        return;
    g_autofree char *text = ferry_words_translate(hint);
    print_error_text("hint: ", text);
}

/* @class: (nullable): of the far side's failure. Returns: (nullable). */
static const char *
hint_of(const GError *error, const char *class)
{
    const char *hint = ferry_error_hint(error);

    if (!hint && g_strcmp0(class, "NoSuchMethod") == 0)
        return "upgrade virt-ferryd there: it is of an earlier version, which cannot do this";
    return hint;
}

FerryExit
ferry_report_error(const GError *error, bool json)
{
    if (error->domain == G_OPTION_ERROR) {
        ferry_complain("%s", error->message);
        g_autofree char *hint = g_strdup_printf("see 'virt-ferry %s--help' and virt-ferry(1)",
                                                command_name ? command_name : "");

        print_hint(hint);
        return FERRY_EXIT_USAGE;
    }
    /* The far side may have sent a class that this version does not know. */
    const char *class = ferry_json_get_string(ferry_error_details(error), "class");
    g_autofree char *message = ferry_words_translate(error->message);
    ferry_complain("%s: %s", class ? class : ferry_error_name(error), message);
    print_hint(hint_of(error, class));
    if (json) {
        g_autoptr(FerryJson) document = json_pack("{s:o}", "error", ferry_error_to_json(error));

        ferry_print_json(document);
    }
    return ferry_exit_of_error(error);
}
