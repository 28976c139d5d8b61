#include "config.h"

#include "records.h"

#include "ferry/error.h"
#include "ferry/json.h"

/* Puts the source's record first. */
static void
add_record(json_t *records, json_t *record)
{
    if (g_strcmp0(ferry_json_get_string(record, "role"), "source") == 0)
        json_array_insert_new(records, 0, record);
    else
        json_array_append_new(records, record);
}

json_t *
ferry_records_find(FerrySession *session,
                   const char *host,
                   const char *migration_id,
                   GError **error)
{
    g_auto(GStrv) hosts = ferry_session_host_names(session, host, error);
    g_autoptr(FerryJson) records = json_array();
    g_autoptr(GError) worst = NULL;

    for (char **name = hosts; name && *name; name++) {
        g_autoptr(GError) failure = NULL;
        json_t *args = json_pack("{s:o}", "migration_id", ferry_json_text(migration_id));
        json_t *record = ferry_session_call(session, *name, "get_migration", args, &failure);

        /* "I do not have it" says less than "I could not be asked". */
        if (record) {
            add_record(records, record);
        } else if (!worst || g_error_matches(worst, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
            g_clear_error(&worst);
            worst = g_steal_pointer(&failure);
        }
    }
    if (!hosts)
        return NULL;
    if (json_array_size(records) > 0)
        return g_steal_pointer(&records);
    if (worst)
        g_propagate_error(error, g_steal_pointer(&worst));
    else
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, "name the host by --host",
                        "no agent that could be asked told its name");
    return NULL;
}
