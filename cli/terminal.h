/* terminal.h: what standard output and input are connected to. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Returns: the columns of the terminal at standard output; 0 when it is no terminal. */
guint ferry_terminal_columns(void);

/** Does the same for standard error. */
guint ferry_terminal_error_columns(void);

/** Returns: true when standard output is a terminal that can redraw a line, not a "dumb" one. */
bool ferry_terminal_can_redraw(void);

/** Returns: true when standard input and standard error are terminals, so somebody can be asked. */
bool ferry_terminal_can_ask(void);
