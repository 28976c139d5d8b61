/* json.h: what every folder needs around jansson, the value type of documents.
 *
 * Arguments, results, payloads and columns of the journal are json_t. A document that crosses a
 * thread is not changed any more by anybody; references are counted atomically by jansson.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef json_t FerryJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJson, json_decref)

/** Returns: (transfer full): a JSON string of @text made valid UTF-8; JSON null for NULL. Use it
 * for every text that comes from the system, libvirt or QEMU: json_string() refuses broken text. */
json_t *ferry_json_text(const char *text);

/** Returns: (transfer none) (nullable): the string under @key; NULL when absent or no string. */
const char *ferry_json_get_string(const json_t *object, const char *key);

/** Returns: the integer under @key, or @fallback when absent or no integer. */
gint64 ferry_json_get_int(const json_t *object, const char *key, gint64 fallback);

/** Returns: the boolean under @key, or @fallback when absent or no boolean. */
bool ferry_json_get_bool(const json_t *object, const char *key, bool fallback);

/** Returns: (transfer full): compact text, ASCII only, keys in insertion order. */
char *ferry_json_dump(const json_t *value);
