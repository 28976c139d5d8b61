/* failure.h: an answer that says no, in the words of both dialects. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Immutable once made. */
typedef struct {
    char *module;     /* Python's: decides what a stock client raises */
    char *class_name; /* bare */
    char *message;
    json_t *kwargs;     /* the class's keyword arguments; an object */
    json_t *bare_error; /* {"code", "message", "hint", "details"} for the bare dialect */
} FerryFailure;

/** Returns: (transfer full): a failure that names @error's own class. */
FerryFailure *ferry_failure_from_error(const GError *error);

/** Returns: (transfer full): a failure of a class that stock servers raise themselves; the bare
 * dialect calls it InvalidRequest. */
FerryFailure *
ferry_failure_stock(const char *module, const char *class_name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

void ferry_failure_free(FerryFailure *failure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFailure, ferry_failure_free)

/** Returns: (transfer full): oslo's text of six keys: JSON inside a JSON string. */
json_t *ferry_failure_to_oslo(const FerryFailure *failure);

/** Returns: (transfer full): the error that @text, a peer's failure, tells of; never NULL. */
GError *ferry_failure_to_error(const char *text);
