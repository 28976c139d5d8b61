#include "config.h"

#include "expansion.h"

#include <stdbool.h>
#include <string.h>

/* Values that name values that name values; more is a circle. */
#define DEPTH_MAX 8

typedef struct {
    const char *section;
    FerryExpansionFunc look_up;
    gpointer user_data;
    guint depth;
} Expansion;

static char *apply(const Expansion *self, const char *text);

static gsize
name_length(const char *text)
{
    gsize length = 0;

    if (!g_ascii_isalpha(text[0]) && text[0] != '_')
        return 0;
    while (g_ascii_isalnum(text[length]) || text[length] == '_' || text[length] == '.')
        length++;
    /* The full stop of a sentence is no part of a name. */
    while (length > 0 && text[length - 1] == '.')
        length--;
    return length;
}

/* Returns: (transfer full) (nullable): the value of what @length bytes at @name name. */
static char *
value_of(const Expansion *self, const char *name, gsize length)
{
    g_autofree char *key = g_strndup(name, length);
    char *dot = strchr(key, '.');
    Expansion inner = *self;

    if (length == 0 || ++inner.depth > DEPTH_MAX)
        return NULL;
    if (dot)
        *dot = '\0';
    inner.section = dot ? key : self->section;
    const char *value = self->look_up(inner.section, dot ? dot + 1 : key, self->user_data);
    if (!value && !dot) {
        inner.section = "DEFAULT";
        value = self->look_up(inner.section, key, self->user_data);
    }
    return value ? apply(&inner, value) : NULL;
}

/* Appends what stands for the reference at @text. Returns: its length; 0: it is none. */
static gsize
take_reference(const Expansion *self, const char *text, GString *out)
{
    const bool percent = text[0] == '%';
    const char close = percent ? ')' : '}';
    const bool enclosed = text[1] == (percent ? '(' : '{');
    const char *name = text + (enclosed ? 2 : 1);
    const gsize length = name_length(name);
    const char *end = name + length;

    if ((percent && !enclosed) || (enclosed && *end++ != close) || (percent && *end++ != 's'))
        return 0;
    g_autofree char *value = value_of(self, name, length);
    if (!value)
        return 0;
    g_string_append(out, value);
    return (gsize)(end - text);
}

static char *
apply(const Expansion *self, const char *text)
{
    GString *out = g_string_new(NULL);

    while (*text != '\0') {
        gsize taken = 0;

        if (text[0] == '$' || text[0] == '%')
            taken = take_reference(self, text, out);
        if (taken == 0) {
            /* "$$" and "\$". */
            text += (text[0] == '$' || text[0] == '\\') && text[1] == '$' ? 1 : 0;
            g_string_append_c(out, *text);
            taken = 1;
        }
        text += taken;
    }
    return g_string_free(out, FALSE);
}

char *
ferry_expansion_apply(const char *text,
                      const char *section,
                      FerryExpansionFunc look_up,
                      gpointer user_data)
{
    const Expansion expansion = {.section = section, .look_up = look_up, .user_data = user_data};

    return apply(&expansion, text);
}
