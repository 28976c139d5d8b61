/* failure.h: an answer with an error, in oslo.messaging's form and in the bare one. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Immutable once made. */
typedef struct {
    char *module;     /* the Python module of the exception that a stock client raises */
    char *class_name; /* without the module */
    char *message;
    json_t *kwargs;     /* the class's keyword arguments; an object */
    json_t *bare_error; /* {"code", "message", "hint", "details"} for the bare dialect */
} FerryFailure;

/** Returns: (transfer full): a failure of the class that @error's code names. */
FerryFailure *ferry_failure_from_error(const GError *error);

/** Returns: (transfer full): a failure of a class that stock servers raise, too; in the bare
 * dialect its code is InvalidRequest. */
FerryFailure *
ferry_failure_stock(const char *module, const char *class_name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

void ferry_failure_free(FerryFailure *failure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFailure, ferry_failure_free)

/** Returns: (transfer full): oslo.messaging's form: a JSON string that holds JSON with six keys. */
json_t *ferry_failure_to_oslo(const FerryFailure *failure);

/** Returns: (transfer full): the error in @text, a failure that a peer answered; never NULL. */
GError *ferry_failure_to_error(const char *text);
