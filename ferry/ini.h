/* ini.h: INI files as oslo.config reads them.
 *
 * `key = value` or `key: value`; comments begin with # or ; in the first column; an indented line
 * continues the value above it, joined by a newline, until an empty line or a comment; a pair of
 * quotes around the first line of a value is removed; a key that comes again is handed over again.
 * Pure but for reading the file; any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define FERRY_INI_MAX_BYTES (1024 * 1024)

typedef struct {
    const char *file;
    guint line; /* of the key; counted from 1 */
    const char *section;
    const char *key;
    const char *value;
} FerryIniEntry;

/** Takes one entry, valid during the call only. Returns: false with @error set to stop reading. */
typedef bool (*FerryIniFunc)(const FerryIniEntry *entry, gpointer user_data, GError **error);

/**
 * ferry_ini_read_file:
 * @error: FERRY_ERROR_CONFIG: the file cannot be read, is larger than FERRY_INI_MAX_BYTES, or
 *   "FILE:LINE: ..." for a line that is no INI; or what @func set
 * Returns: true when every entry was handed over.
 */
bool ferry_ini_read_file(const char *path, FerryIniFunc func, gpointer user_data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** The same for @length bytes of text; @name stands for the file in errors. */
bool ferry_ini_read_text(const char *name,
                         const char *text,
                         size_t length,
                         FerryIniFunc func,
                         gpointer user_data,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
