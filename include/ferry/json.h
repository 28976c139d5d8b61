/* json.h: additions to jansson, whose json_t is the type of all documents: arguments, results,
 * payloads and columns of the journal.
 *
 * Nobody changes a document after it was handed to another thread. jansson counts references
 * atomically.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef json_t FerryJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJson, json_decref)

/** Returns: (transfer full): a JSON string of @text made valid UTF-8; JSON null for NULL. Use it
 * for every text that comes from the system, libvirt or QEMU: json_string() refuses
 * invalid UTF-8. */
json_t *ferry_json_text(const char *text);

/** Returns: (transfer none) (nullable): the string under @key; NULL when absent or no string. */
const char *ferry_json_get_string(const json_t *object, const char *key);

/** Returns: the integer under @key, or @fallback when absent or no integer. */
gint64 ferry_json_get_int(const json_t *object, const char *key, gint64 fallback);

/** Returns: the boolean under @key, or @fallback when absent or no boolean. */
bool ferry_json_get_bool(const json_t *object, const char *key, bool fallback);

/** Returns: (transfer full): compact text, ASCII only, keys in insertion order. */
char *ferry_json_dump(const json_t *value);
