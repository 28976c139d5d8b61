/* check.h: the results of looking before leaping: all of them, never only the first failure.
 *
 * A plain list that one thread fills and then hands over; afterwards nobody changes it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef enum {
    FERRY_CHECK_PASS,
    FERRY_CHECK_WARN,
    FERRY_CHECK_FAIL,
} FerryCheckResult;

typedef struct {
    char *name; /* stable, of the table in check.c; a peer's may be newer than that */
    FerryCheckResult result;
    char *message; /* what was found, on which object */
    char *hint;    /* what to do about it, or NULL */
} FerryCheck;

typedef struct FerryChecks FerryChecks;

FerryChecks *ferry_checks_new(void);
void ferry_checks_free(FerryChecks *checks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryChecks, ferry_checks_free)

/** Returns: a name of the table of all checks, by its index; NULL past the last one. */
const char *ferry_check_name(guint index);

/** Returns: true for a name of that table. */
bool ferry_check_is_name(const char *name);

/** Adds one result; all texts are copied. @name: of the table; any other is a mistake of the
 * programmer. @hint: (nullable). @format: printf's, of the message. */
void ferry_checks_add(FerryChecks *checks,
                      const char *name,
                      FerryCheckResult result,
                      const char *hint,
                      const char *format,
                      ...) G_GNUC_PRINTF(5, 6);

/** Adds a failure that says what @error says, with its hint. */
void ferry_checks_add_error(FerryChecks *checks, const char *name, const GError *error);

/** Adds copies of all of @other, e.g. the far side's, whatever their names. */
void ferry_checks_append(FerryChecks *checks, const FerryChecks *other);

guint ferry_checks_count(const FerryChecks *checks);

/** Returns: (transfer none): the result at @index, in the order of adding. */
const FerryCheck *ferry_checks_get(const FerryChecks *checks, guint index);

/** Returns: true when none failed; warnings do not count. */
bool ferry_checks_compatible(const FerryChecks *checks);

/** Returns: true when a check called @name is among the warnings. */
bool ferry_checks_warn_of(const FerryChecks *checks, const char *name);

/** Returns: (transfer full): {"compatible": bool, "checks": [{name, result, message, hint}]}. */
json_t *ferry_checks_to_json(const FerryChecks *checks);

/**
 * ferry_checks_from_json:
 * @object: what ferry_checks_to_json() of another agent made; "compatible" is not believed, it
 *   follows from the results
 * @error: FERRY_ERROR_INVALID_REQUEST naming the field
 */
FerryChecks *ferry_checks_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_checks_error:
 * Returns: (transfer full) (nullable): NULL when compatible; else an error whose code is the one
 * that all failed checks share (an existing file, a path, the CPU, the state have codes of their
 * own) or FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, whose message names each failed check, whose hint
 * is that of the first failure, and whose details carry all results under "checks".
 */
GError *ferry_checks_error(const FerryChecks *checks) G_GNUC_WARN_UNUSED_RESULT;

const char *ferry_check_result_to_string(FerryCheckResult result);
bool ferry_check_result_from_string(const char *text, FerryCheckResult *ret_result);
