/* table.h: text in aligned columns. One thread. */
#pragma once

#include <glib.h>

typedef struct FerryTable FerryTable;

/** @titles: NULL-terminated; a title that begins with '>' aligns its column to the right. */
FerryTable *ferry_table_new(const char *const *titles);
void ferry_table_free(FerryTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTable, ferry_table_free)

/** Adds a row of as many cells as there are titles. A NULL cell is shown as "-"; others go through
 * ferry_plain_text(). */
void ferry_table_add(FerryTable *table, const char *const *cells);

/** Returns: (transfer full) (element-type utf8): the lines, titles first. A last column that is
 * aligned to the left is not padded; it goes on below itself where it would pass @columns, and no
 * word is broken for that. 0 @columns: it never does. */
GPtrArray *ferry_table_lines(const FerryTable *table, guint columns);

/** Prints the lines to standard output, for the width of the terminal if it is one. */
void ferry_table_print(const FerryTable *table);
