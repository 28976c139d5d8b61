/* json-field.h: one field of a JSON object that a stranger sent, read with its type, size and
 * characters checked. Pure, any thread.
 *
 * A reader that fills *value leaves it as it was, and returns true, when the key is absent or null:
 * so the default is what the variable holds before. A reader that returns what it read fails then.
 * Errors are FERRY_ERROR_INVALID_REQUEST and name the field with its whole path, what was found and
 * what was expected.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* The object that is read and its own path; a plain value on the stack. */
typedef struct {
    const json_t *object;
    const char *path; /* "instance_info.disks[3]"; a method's arguments: "args" */
} FerryFieldScope;

typedef enum {
    FERRY_FIELD_LINE,  /* no control characters at all: names, paths */
    FERRY_FIELD_LINES, /* line feeds and tabs too: documents */
} FerryFieldText;

/** Sets @error for @key (NULL: the object itself): found @value (NULL: nothing), @expected: a
 * phrase such as "a list of strings". Always returns false. */
bool ferry_field_refuse(const FerryFieldScope *scope,
                        const char *key,
                        const json_t *value,
                        const char *expected,
                        GError **error);

/** Checks that the scope's object is one. */
bool ferry_field_check_object(const FerryFieldScope *scope,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @value: (transfer full): replaces what it held. @max_bytes: without the end of the string. */
bool ferry_field_text(const FerryFieldScope *scope,
                      const char *key,
                      FerryFieldText kind,
                      gsize max_bytes,
                      char **value,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_field_bool(const FerryFieldScope *scope, const char *key, bool *value, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** An integer, written as one, from @min to @max. @max: at most G_MAXINT64. */
bool ferry_field_uint64(const FerryFieldScope *scope,
                        const char *key,
                        guint64 min,
                        guint64 max,
                        guint64 *value,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool ferry_field_uint(const FerryFieldScope *scope,
                      const char *key,
                      guint min,
                      guint max,
                      guint *value,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** A list of strings, each as FERRY_FIELD_LINE. @value: (transfer full), NULL-terminated. */
bool ferry_field_texts(const FerryFieldScope *scope,
                       const char *key,
                       gsize max_count,
                       gsize max_bytes,
                       char ***value,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @ret_list: (transfer none): an array of at most @max_count, or NULL when absent. */
bool ferry_field_list(const FerryFieldScope *scope,
                      const char *key,
                      gsize max_count,
                      const json_t **ret_list,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** An object whose keys and values are strings as FERRY_FIELD_LINE, neither of them empty.
 * @value: (transfer full): a copy of it. */
bool ferry_field_map(const FerryFieldScope *scope,
                     const char *key,
                     gsize max_count,
                     gsize max_bytes,
                     json_t **value,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): a name: 1 to 256 bytes as FERRY_FIELD_LINE. NULL with @error, also for
 * a key that is not there. */
const char *ferry_field_name(const FerryFieldScope *scope,
                             const char *key,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for a name that may be left out. @value: (transfer none). */
bool ferry_field_optional_name(const FerryFieldScope *scope,
                               const char *key,
                               const char **value,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): a UUID, in lower case. NULL with @error. */
char *ferry_field_uuid(const FerryFieldScope *scope,
                       const char *key,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): an object. NULL with @error. */
json_t *ferry_field_object(const FerryFieldScope *scope,
                           const char *key,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
