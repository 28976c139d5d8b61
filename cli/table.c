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
    FerryTable *table = g_new0(FerryTable, 1);
    table->count = g_strv_length((char **)titles);
    table->right = g_new0(bool, table->count);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_autofree const char **cells = g_new0(const char *, table->count);
    for (guint i = 0; i < table->count; i++) {
        table->right[i] = titles[i][0] == '>';
        cells[i] = titles[i] + (table->right[i] ? 1 : 0);
    }
    ferry_table_add(table, cells);
    return table;
}

void
ferry_table_free(FerryTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table->right);
    g_free(table);
}

void
ferry_table_add(FerryTable *table, const char *const *cells)
{
    char **row = g_new0(char *, table->count + 1);
    for (guint i = 0; i < table->count; i++)
        row[i] = ferry_plain_text(cells[i] != NULL ? cells[i] : "-");
    g_ptr_array_add(table->rows, row);
}

static guint
column_width(const FerryTable *table, guint column)
{
    guint width = 0;
    for (guint i = 0; i < table->rows->len; i++) {
        char **row = g_ptr_array_index(table->rows, i);
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
format_row(const FerryTable *table, char **row, const guint *widths)
{
    GString *line = g_string_new(NULL);
    for (guint i = 0; i < table->count; i++) {
        guint blanks = widths[i] - ferry_plain_text_columns(row[i]);
        bool last = i + 1 == table->count;
        append_blanks(line, table->right[i] ? blanks : 0);
        g_string_append(line, row[i]);
        if (!last)
            append_blanks(line, (table->right[i] ? 0 : blanks) + GAP);
    }
    return g_string_free(line, FALSE);
}

GPtrArray *
ferry_table_lines(const FerryTable *table)
{
    g_autofree guint *widths = g_new0(guint, table->count);
    for (guint i = 0; i < table->count; i++)
        widths[i] = column_width(table, i);
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < table->rows->len; i++) {
        char **row = g_ptr_array_index(table->rows, i);
        g_ptr_array_add(lines, format_row(table, row, widths));
    }
    return lines;
}

void
ferry_table_print(const FerryTable *table)
{
    g_autoptr(GPtrArray) lines = ferry_table_lines(table);
    for (guint i = 0; i < lines->len; i++)
        ferry_say("%s", (const char *)g_ptr_array_index(lines, i));
}
