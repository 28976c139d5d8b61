/* check-table.h: the results of checks for people: the table, worst first, and what it comes to.
 * Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* What one agent answered. */
typedef struct {
    const char *host;
    const json_t *answer; /* NULL: it did not answer */
} FerryCheckAnswer;

/** Prints the results of all @count @answers; what passed only where @verbose or where nothing else
 * is. */
void ferry_check_table_print(const FerryCheckAnswer *answers, gsize count, bool verbose);

/** Returns: (transfer full): "2 failed (disk-exists, space)", with "space x2" where it is
 * two of that name; where none failed, "1 to look at
 * (clock)"; NULL when all pass. @ret_failed: whether one failed. */
char *ferry_check_table_sum_up(const FerryCheckAnswer *answers, gsize count, bool *ret_failed);
