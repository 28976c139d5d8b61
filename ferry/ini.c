#include "config.h"

#include "ini.h"

#include "ferry/error.h"

#include <gio/gio.h>

#include <string.h>

typedef struct {
    const char *file;
    guint line;
    char *section;
    char *key; /* of the entry that the next line may continue; NULL: none */
    GString *value;
    guint key_line;
    FerryIniFunc func;
    gpointer user_data;
} Reader;

static bool
refuse_line(const Reader *reader, const char *why, const char *hint, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_CONFIG, hint, "%s:%u: %s", reader->file, reader->line, why);
    return false;
}

/* Hands over the entry that no line continues any more, if there is one. */
static bool
flush_entry(Reader *reader, GError **error)
{
    if (!reader->key)
        return true;
    g_autofree char *key = g_steal_pointer(&reader->key);
    const FerryIniEntry entry = {
        .file = reader->file,
        .line = reader->key_line,
        .section = reader->section,
        .key = key,
        .value = reader->value->str,
    };
    return reader->func(&entry, reader->user_data, error);
}

static bool
read_section(Reader *reader, const char *line, GError **error)
{
    size_t length = strlen(line);

    if (line[length - 1] != ']')
        return refuse_line(reader, "a section must end with ]", "write [section]", error);
    if (length <= 2)
        return refuse_line(reader, "the section has no name", "write [section]", error);
    g_free(reader->section);
    reader->section = g_strndup(line + 1, length - 2);
    return true;
}

/* Removes one pair of equal quotes around @value, as oslo.config does. */
static void
strip_quotes(char *value)
{
    size_t length = strlen(value);

    if (length == 0 || (value[0] != '"' && value[0] != '\'') || value[length - 1] != value[0])
        return;
    if (length > 1)
        value[length - 1] = '\0';
    memmove(value, value + 1, strlen(value + 1) + 1);
}

static bool
read_assignment(Reader *reader, const char *line, GError **error)
{
    const char *separator = strpbrk(line, "=:");

    if (!separator)
        return refuse_line(reader, "the line has neither = nor :", "write key = value", error);
    if (!reader->section)
        return refuse_line(reader, "a key before the first section", "begin with [DEFAULT]", error);
    g_autofree char *key = g_strstrip(g_strndup(line, (size_t)(separator - line)));
    if (*key == '\0')
        return refuse_line(reader, "the key is empty", "write key = value", error);
    g_autofree char *value = g_strstrip(g_strdup(separator + 1));
    strip_quotes(value);
    reader->key = g_steal_pointer(&key);
    reader->key_line = reader->line;
    g_string_assign(reader->value, value);
    return true;
}

static bool
read_line(Reader *reader, char *line, GError **error)
{
    g_strchomp(line);
    if (*line == '\0')
        return flush_entry(reader, error);
    if (*line == ' ' || *line == '\t') {
        if (!reader->key)
            return refuse_line(reader, "an indented line continues nothing",
                               "remove the indentation", error);
        g_string_append_c(reader->value, '\n');
        g_string_append(reader->value, g_strchug(line));
        return true;
    }
    if (!flush_entry(reader, error))
        return false;
    if (*line == '#' || *line == ';')
        return true;
    if (*line == '[')
        return read_section(reader, line, error);
    return read_assignment(reader, line, error);
}

static bool
read_lines(Reader *reader, const char *text, size_t length, GError **error)
{
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        g_autofree char *line = g_strndup(text, (size_t)(stop - text));

        reader->line++;
        if (!read_line(reader, line, error))
            return false;
        text = newline ? newline + 1 : end;
    }
    return flush_entry(reader, error);
}

bool
ferry_ini_read_text(const char *name,
                    const char *text,
                    size_t length,
                    FerryIniFunc func,
                    gpointer user_data,
                    GError **error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    if (length > FERRY_INI_MAX_BYTES || memchr(text, '\0', length)) {
        ferry_set_error(error, FERRY_ERROR_CONFIG, "check that this is the right file",
                        "'%s' is larger than 1 MiB or no text", name);
        return false;
    }
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    Reader reader = {
        .file = name, .value = g_string_new(NULL), .func = func, .user_data = user_data};
    bool done = read_lines(&reader, text, length, error);
    g_string_free(reader.value, TRUE);
    g_free(reader.key);
    g_free(reader.section);
    return done;
}

/* Reads at most one byte more than is allowed, so that an endless file ends. */
static GBytes *
read_bounded(const char *path, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, /* cancellable= */ NULL, error);

    if (!stream)
        return NULL;
    g_autofree char *buffer = g_malloc(FERRY_INI_MAX_BYTES + 1);
    gsize got = 0;
    if (!g_input_stream_read_all(G_INPUT_STREAM(stream), buffer, FERRY_INI_MAX_BYTES + 1, &got,
                                 /* cancellable= */ NULL, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&buffer), got);
}

bool
ferry_ini_read_file(const char *path, FerryIniFunc func, gpointer user_data, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) bytes = read_bounded(path, &failure);

    if (!bytes) {
        ferry_set_error(error, FERRY_ERROR_CONFIG, "check the path and who may read it",
                        "cannot read '%s': %s", path, failure->message);
        return false;
    }
    gsize length = 0;
    const char *text = g_bytes_get_data(bytes, &length);
    return ferry_ini_read_text(path, text ? text : "", length, func, user_data, error);
}
