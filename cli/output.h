/* output.h: what the command prints. Text for a person is made plain on its way out, line by line,
 * so that no name or message from elsewhere reaches the terminal as it is. Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "command.h"

/** Prints one line to standard output; the line break is added. */
void ferry_say(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** Prints one line to standard error, behind the program's name. */
void ferry_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** A GLogWriterFunc: warnings of the libraries as complaints of ours, bugs as GLib shows them, and
 * the rest not at all. Any thread. */
GLogWriterOutput
ferry_write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer user_data);

/** Prints one compact document and a line break to standard output, at once. */
void ferry_print_json(const json_t *value);

/**
 * ferry_report_error: says what happened and the hint on standard error; with @json also prints
 * {"error": {...}} to standard output.
 * Returns: the exit status that @error means.
 */
FerryExit ferry_report_error(const GError *error, bool json);

/** Returns: the exit status that @error means, without a word. */
FerryExit ferry_exit_of_error(const GError *error);
