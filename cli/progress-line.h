/* progress-line.h: shows the progress of a migration: on a terminal one line that is redrawn,
 * elsewhere a line at each step and every few seconds. ferry_progress_line_render() is pure; the
 * rest belongs to the main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct FerryProgressLine FerryProgressLine;

/** @redraw: the terminal takes escape codes, so the line may be drawn over. */
FerryProgressLine *ferry_progress_line_new(bool redraw);

/** Erases the line that is drawn. */
void ferry_progress_line_free(FerryProgressLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryProgressLine, ferry_progress_line_free)

/** Shows @payload: the payload of an event, or a record. */
void ferry_progress_line_show(FerryProgressLine *line, const json_t *payload);

/** Prints a line above the one that is redrawn. */
void ferry_progress_line_say(FerryProgressLine *line, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Erases the line and draws none, while somebody is asked something; resume draws again. */
void ferry_progress_line_pause(FerryProgressLine *line);
void ferry_progress_line_resume(FerryProgressLine *line);

/** Returns: (transfer full): the line for @payload, at most @columns wide, the most important part
 * first. Parts that do not fit are left out; the bar takes the remaining columns. With 0 @columns
 * the line has all parts and no bar. */
char *ferry_progress_line_render(const json_t *payload, guint columns);
