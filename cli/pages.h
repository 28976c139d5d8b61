/* pages.h: reads the records of one agent page by page. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "session.h"

/* Which records; NULL or 0: any. A plain value. */
typedef struct {
    const char *status;
    const char *instance; /* name or UUID */
    int limit;
} FerryPageFilter;

/** Asks @host until a page is empty or there are as many records as wanted, and adds them to
 * @records (element-type json_t, transfer full), each with its host under "host". Returns: false
 * with @error; the records of the pages before it stay. */
bool ferry_pages_add(FerrySession *session,
                     const char *host,
                     const FerryPageFilter *filter,
                     GPtrArray *records,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Newest first, by the time of their orders. */
void ferry_pages_sort(GPtrArray *records);
