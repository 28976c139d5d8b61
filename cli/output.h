/* output.h: prints text and JSON. Text goes through ferry_plain_text(), line by line, so that no
 * name or message from elsewhere controls the terminal. Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "command.h"

/** Prints one line to standard output; the line break is added. */
void ferry_say(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** Prints one fact, "status       running", to standard output; on a terminal it goes on below
 * itself where it is too long, and no word is broken for that. */
void ferry_say_fact(const char *name, const char *text);

/** Prints one line to standard error, after "virt-ferry: ". */
void ferry_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** A GLogWriterFunc: prints warnings by ferry_complain(), leaves errors and criticals to GLib, and
 * drops everything else. Any thread. */
GLogWriterOutput
ferry_write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer user_data);

/** Drops warnings from now on, or no longer: while somebody waits who tells the reason anyway. Any
 * thread. */
void ferry_mute_warnings(bool mute);

/** Prints one compact document and a line break to standard output, and flushes. */
void ferry_print_json(const json_t *value);

/** From now on hints about wrong arguments name the --help of that command. */
void ferry_output_name_command(const char *name);

/** Prints the error and its hint to standard error, with @json also {"error": {...}} to standard
 * output. Returns: the exit status for @error. */
FerryExit ferry_report_error(const GError *error, bool json);

/** Returns: the exit status for @error. Prints nothing. */
FerryExit ferry_exit_of_error(const GError *error);
