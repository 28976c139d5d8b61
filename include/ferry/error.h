/* error.h: the one error domain of the project.
 *
 * Each code is a class of the protocol (docs/protocol.md, "Errors"), so an error reaches its reader
 * as it was made. Besides its message an error has a hint, which says what to do, and details for
 * programs, such as libvirt's code and message. Message and hint have at most FERRY_TEXT_MAX_BYTES
 * (text.h); what is longer is cut off. Copying, prefixing and propagating keep all three.
 *
 * Threads: a GError belongs to one thread at a time, as everywhere in GLib.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#define FERRY_ERROR (ferry_error_quark())

typedef enum {
    /* Names that nova has; serialised with module "nova.exception". */
    FERRY_ERROR_INSTANCE_NOT_FOUND,
    FERRY_ERROR_INSTANCE_INVALID_STATE,
    FERRY_ERROR_MIGRATION_NOT_FOUND,
    FERRY_ERROR_INVALID_MIGRATION_STATE,
    FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
    FERRY_ERROR_MIGRATION_ERROR,
    FERRY_ERROR_DESTINATION_DISK_EXISTS,
    FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
    FERRY_ERROR_INVALID_CPU_INFO,
    /* Ours; serialised with module "virt_ferry.exception". */
    FERRY_ERROR_INVALID_REQUEST,
    FERRY_ERROR_INSTANCE_ALREADY_MIGRATING,
    FERRY_ERROR_DESTINATION_UNREACHABLE,
    FERRY_ERROR_DESTINATION_NOT_ALLOWED,
    FERRY_ERROR_PATH_NOT_ALLOWED,
    FERRY_ERROR_MIGRATION_TIMEOUT,
    FERRY_ERROR_INSUFFICIENT_STORAGE,
    FERRY_ERROR_JOURNAL_UNAVAILABLE,
    FERRY_ERROR_OUTCOME_UNKNOWN,
    /* Not meant for the protocol: an interrupted wait, a bug, a wrong configuration, a class of the
     * far side that is unknown here (its name is in the details). */
    FERRY_ERROR_CANCELLED,
    FERRY_ERROR_INTERNAL,
    FERRY_ERROR_CONFIG,
    FERRY_ERROR_REMOTE,
} FerryErrorCode;

GQuark ferry_error_quark(void);

/**
 * ferry_error_new:
 * @hint: (nullable): what the reader can do about it, a sentence without trailing dot
 * @format: printf format: what happened and on which object
 * Returns: (transfer full): a new error of @code without details.
 */
GError *ferry_error_new(FerryErrorCode code, const char *hint, const char *format, ...)
    G_GNUC_PRINTF(3, 4) G_GNUC_WARN_UNUSED_RESULT;

/** Does the same as ferry_error_new() and stores the error in @error, unless that is NULL. */
void ferry_set_error(GError **error, FerryErrorCode code, const char *hint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/** Returns: (nullable) (transfer none): the hint of a FERRY_ERROR; NULL for another domain. */
const char *ferry_error_hint(const GError *error);

/** Returns: (nullable) (transfer none): an object; NULL when there is none. */
json_t *ferry_error_details(const GError *error);

/** Adds @value under @key to the details. @error: a FERRY_ERROR. @value: (transfer full). */
void ferry_error_set_detail(GError *error, const char *key, json_t *value);

/** Replaces the hint of @error, a FERRY_ERROR. */
void ferry_error_set_hint(GError *error, const char *hint);

/** Returns: the name of the class, such as "InstanceNotFound". Never NULL. */
const char *ferry_error_code_name(FerryErrorCode code);

/** Returns: "nova.exception" or "virt_ferry.exception". */
const char *ferry_error_code_module(FerryErrorCode code);

/** Returns: true and sets @ret_code when @name is one of ours. */
bool ferry_error_code_from_name(const char *name, FerryErrorCode *ret_code);

/** Returns: the class name of @error; "InternalError" for another domain. */
const char *ferry_error_name(const GError *error);

/** Returns: (transfer full): {"code", "message", "hint", "details"}; text is made valid UTF-8. */
json_t *ferry_error_to_json(const GError *error);

/**
 * ferry_error_from_json:
 * @object: what ferry_error_to_json() made, perhaps by another version
 * Returns: (transfer full): never NULL; an unknown code becomes FERRY_ERROR_REMOTE with the name
 * in the details under "class".
 */
GError *ferry_error_from_json(const json_t *object);
