#include "config.h"

#include "table.h"

#include "output.h"
#include "plain-text.h"
#include "terminal.h"

#include <stdbool.h>

/* A last column of fewer columns is not worth its line breaks. */
#define LAST_MIN 20
#define GAP 2

struct FerryTable {
    guint count; /* of columns */
    bool *right;
    GPtrArray *rows; /* char **, the titles first */
};

FerryTable *
ferry_table_new(const char *const *titles)
{
    FerryTable *self = g_new0(FerryTable, 1);

    self->count = g_strv_length((char **)titles);
    self->right = g_new0(bool, self->count);
    self->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_autofree const char **cells = g_new0(const char *, self->count);
    for (guint i = 0; i < self->count; i++) {
        self->right[i] = titles[i][0] == '>';
        cells[i] = titles[i] + (self->right[i] ? 1 : 0);
    }
    ferry_table_add(self, cells);
    return self;
}

void
ferry_table_free(FerryTable *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->rows);
    g_free(self->right);
    g_free(self);
}

void
ferry_table_add(FerryTable *self, const char *const *cells)
{
    char **row = g_new0(char *, self->count + 1);

    for (guint i = 0; i < self->count; i++)
        row[i] = ferry_plain_text(cells[i] ? cells[i] : "-");
    g_ptr_array_add(self->rows, row);
}

static guint
column_width(const FerryTable *self, guint column)
{
    guint width = 0;

    for (guint i = 0; i < self->rows->len; i++) {
        char **row = g_ptr_array_index(self->rows, i);

        width = MAX(width, ferry_plain_text_columns(row[column]));
    }
    return width;
}

static void
append_blanks(GString *line, guint count)
{
    while (count-- > 0)
        g_string_append_c(line, ' ');
}

/* Returns: where the last column begins. */
static guint
offset_of_last(const FerryTable *self, const guint *widths)
{
    guint offset = 0;

    for (guint i = 0; i + 1 < self->count; i++)
        offset += widths[i] + GAP;
    return offset;
}

static GString *
format_row(const FerryTable *self, char **row, const guint *widths)
{
    GString *line = g_string_new(NULL);

    for (guint i = 0; i + 1 < self->count; i++) {
        guint blanks = widths[i] - ferry_plain_text_columns(row[i]);

        append_blanks(line, self->right[i] ? blanks : 0);
        g_string_append(line, row[i]);
        append_blanks(line, (self->right[i] ? 0 : blanks) + GAP);
    }
    return line;
}

/* Adds the line or lines of @row. @last_columns: for the last column; 0: as many as it takes. */
static void
add_lines(
    const FerryTable *self, char **row, const guint *widths, guint last_columns, GPtrArray *lines)
{
    guint last = self->count - 1;
    guint width = ferry_plain_text_columns(row[last]);
    g_autoptr(GPtrArray) parts =
        ferry_plain_text_wrap(row[last], self->right[last] ? 0 : last_columns);

    for (guint i = 0; i < parts->len; i++) {
        GString *line = i == 0 ? format_row(self, row, widths) : g_string_new(NULL);

        append_blanks(line, i > 0 ? offset_of_last(self, widths) : 0);
        append_blanks(line, self->right[last] ? widths[last] - width : 0);
        g_string_append(line, g_ptr_array_index(parts, i));
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
}

GPtrArray *
ferry_table_lines(const FerryTable *self, guint columns)
{
    g_autofree guint *widths = g_new0(guint, self->count);

    for (guint i = 0; i < self->count; i++)
        widths[i] = column_width(self, i);
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    guint offset = offset_of_last(self, widths);
    guint last_columns = columns >= offset + LAST_MIN ? columns - offset : 0;
    for (guint i = 0; i < self->rows->len; i++)
        add_lines(self, g_ptr_array_index(self->rows, i), widths, last_columns, lines);
    return lines;
}

void
ferry_table_print(const FerryTable *self)
{
    g_autoptr(GPtrArray) lines = ferry_table_lines(self, ferry_terminal_columns());

    for (guint i = 0; i < lines->len; i++)
        ferry_say("%s", (const char *)g_ptr_array_index(lines, i));
}
