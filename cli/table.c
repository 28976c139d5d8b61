#include "config.h"

#include "table.h"

#include "output.h"
#include "plain-text.h"

#include <stdbool.h>

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

static char *
format_row(const FerryTable *self, char **row, const guint *widths)
{
    GString *line = g_string_new(NULL);

    for (guint i = 0; i < self->count; i++) {
        guint blanks = widths[i] - ferry_plain_text_columns(row[i]);
        bool last = i + 1 == self->count;

        append_blanks(line, self->right[i] ? blanks : 0);
        g_string_append(line, row[i]);
        if (!last)
            append_blanks(line, (self->right[i] ? 0 : blanks) + GAP);
    }
    return g_string_free(line, FALSE);
}

GPtrArray *
ferry_table_lines(const FerryTable *self)
{
    g_autofree guint *widths = g_new0(guint, self->count);

    for (guint i = 0; i < self->count; i++)
        widths[i] = column_width(self, i);
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < self->rows->len; i++) {
        char **row = g_ptr_array_index(self->rows, i);

        g_ptr_array_add(lines, format_row(self, row, widths));
    }
    return lines;
}

void
ferry_table_print(const FerryTable *self)
{
    g_autoptr(GPtrArray) lines = ferry_table_lines(self);

    for (guint i = 0; i < lines->len; i++)
        ferry_say("%s", (const char *)g_ptr_array_index(lines, i));
}
