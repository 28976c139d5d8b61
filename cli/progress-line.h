/* progress-line.h: how a migration's way is shown: on a terminal one line that redraws itself,
 * elsewhere a line at each step and now and then between. Rendering is pure; the rest belongs to the
 * main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct FerryProgressLine FerryProgressLine;

/** @redraw: the line may be drawn over, with escape codes. */
FerryProgressLine *ferry_progress_line_new(bool redraw);

/** Ends the line that is drawn. */
void ferry_progress_line_free(FerryProgressLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryProgressLine, ferry_progress_line_free)

/** Shows @payload, an event's payload or a record. */
void ferry_progress_line_show(FerryProgressLine *line, const json_t *payload);

/** Prints a line of its own above the one that redraws. */
void ferry_progress_line_say(FerryProgressLine *line, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Stops drawing (a person is being asked something) and takes it up again. */
void ferry_progress_line_pause(FerryProgressLine *line);
void ferry_progress_line_resume(FerryProgressLine *line);

/** Returns: (transfer full): the line for @payload, at most @columns wide: what matters most first,
 * parts that do not fit are left out, the bar takes what remains. 0 columns: everything, no bar. */
char *ferry_progress_line_render(const json_t *payload, guint columns);
