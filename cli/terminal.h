/* terminal.h: what standard output and input are connected to. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Returns: the width of the terminal behind standard output; 0 where there is none. */
guint ferry_terminal_columns(void);

/** Returns: true when a line on standard output can be redrawn: a terminal that is not "dumb". */
bool ferry_terminal_can_redraw(void);

/** Returns: true when a person can be asked: standard input and standard error are terminals. */
bool ferry_terminal_can_ask(void);
