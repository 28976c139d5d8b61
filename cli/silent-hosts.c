#include "config.h"

#include "silent-hosts.h"

#include "ferry/json.h"
#include "output.h"
#include "pages.h"

/* What cannot be asked was complained of before. */
static GPtrArray *
ask_for_all(FerrySession *session, char **hosts)
{
    const FerryPageFilter any = {0};
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);

    for (char **host = hosts; *host; host++) {
        g_autoptr(GError) failure = NULL;

        if (!ferry_pages_add(session, *host, &any, records, &failure))
            g_debug("%s: %s", *host, failure->message);
    }
    return records;
}

static void
note(GHashTable *silent, char **hosts, const char *name)
{
    if (name && !g_strv_contains((const char *const *)hosts, name) &&
        g_hash_table_add(silent, g_strdup(name)))
        ferry_complain("%s does not answer: what it knows is not in this list", name);
}

bool
ferry_silent_hosts_tell(FerrySession *session, char **hosts, const GPtrArray *records)
{
    g_autoptr(GHashTable) silent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) asked = records ? NULL : ask_for_all(session, hosts);
    const GPtrArray *all = records ? records : asked;

    for (guint i = 0; i < all->len; i++) {
        const json_t *record = g_ptr_array_index(all, i);

        note(silent, hosts, ferry_json_get_string(record, "source"));
        note(silent, hosts, ferry_json_get_string(record, "destination"));
    }
    return g_hash_table_size(silent) > 0;
}
