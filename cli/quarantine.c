/* The command for source disks in quarantine: list, restore, delete. */
#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "session.h"
#include "silent-hosts.h"
#include "table.h"

#include <string.h>

typedef struct {
    char *host;
    gboolean force;
} Options;

static void
options_clear(Options *options)
{
    g_free(options->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static const struct {
    const char *name;
    const char *method;
    int operands; /* the verb included */
} verbs[] = {
    {"list", "list_quarantined_disks", 1},
    {"restore", "restore_quarantined_disks", 2},
    {"delete", "delete_quarantined_disks", 2},
};

static GOptionGroup *
group_new(Options *options)
{
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &options->host, "The host to ask", "HOST"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options->force,
         "Also when nobody can say whether the instance runs elsewhere", NULL},
        {.long_name = NULL},
    };
    GOptionGroup *group = g_option_group_new("quarantine", "", "", NULL, NULL);

    g_option_group_add_entries(group, entries);
    return group;
}

/* --- finding ---------------------------------------------------------------------------------- */

static void
add_found(json_t *found, const char *host, const json_t *answer)
{
    size_t index = 0;
    json_t *quarantine = NULL;

    json_array_foreach(answer, index, quarantine) {
        json_t *copy = json_copy(quarantine);

        json_object_set_new(copy, "host", ferry_json_text(host));
        json_array_append_new(found, copy);
    }
}

/* @hosts: that are asked; @only: the one of them that had to answer.
 * Returns: (transfer full): their quarantines; each gets its host's name.
 * @ret_missed: (nullable): why one of several hosts did not answer. */
static json_t *
find_all(FerrySession *session, char **hosts, const char *only, GError **ret_missed, GError **error)
{
    g_autoptr(FerryJson) found = json_array();

    for (char **each = hosts; *each; each++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(FerryJson) answer =
            ferry_session_call(session, *each, "list_quarantined_disks", json_object(), &failure);

        if (answer) {
            add_found(found, *each, answer);
        } else if (only) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        } else if (!*ret_missed) {
            g_propagate_error(ret_missed, g_steal_pointer(&failure));
        }
    }
    return g_steal_pointer(&found);
}

static bool
is_meant(const json_t *quarantine, const char *name)
{
    const json_t *instance = json_object_get(quarantine, "instance");
    const char *id = ferry_json_get_string(quarantine, "migration_id");
    const char *uuid = ferry_json_get_string(instance, "uuid");

    return g_strcmp0(ferry_json_get_string(instance, "name"), name) == 0 ||
           (id && g_ascii_strncasecmp(id, name, strlen(name)) == 0) ||
           (uuid && g_ascii_strcasecmp(uuid, name) == 0);
}

/* Sets the error for no quarantine or several. */
static json_t *
refuse_count(const json_t *found, const char *name, const char *missed, GError **error)
{
    g_autoptr(GString) hint = g_string_new("name one by its migration:");
    size_t index = 0;
    const json_t *quarantine = NULL;

    if (json_array_size(found) == 0) {
        ferry_set_error(
            error, missed ? FERRY_ERROR_DESTINATION_UNREACHABLE : FERRY_ERROR_MIGRATION_NOT_FOUND,
            "'virt-ferry quarantine list' shows what there is",
            "nothing of '%s' is in quarantine%s%s", name,
            missed ? ", but not all hosts answered: " : "", missed ? missed : "");
        return NULL;
    }
    json_array_foreach(found, index, quarantine)
        g_string_append_printf(hint, " %s", ferry_json_get_string(quarantine, "migration_id"));
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint->str, "'%s' has %zu quarantines", name,
                    json_array_size(found));
    return NULL;
}

/* @name: a migration's id or the beginning of that, or the name or UUID of an instance.
 * Returns: (transfer full): its one quarantine. */
static json_t *
find_one(FerrySession *session, const char *host, const char *name, GError **error)
{
    g_auto(GStrv) hosts = ferry_session_host_names(session, host, error);
    g_autoptr(GError) missed = NULL;
    g_autoptr(FerryJson) all = hosts ? find_all(session, hosts, host, &missed, error) : NULL;
    g_autoptr(FerryJson) found = json_array();
    size_t index = 0;
    json_t *quarantine = NULL;

    if (!all)
        return NULL;
    json_array_foreach(all, index, quarantine) {
        if (is_meant(quarantine, name))
            json_array_append(found, quarantine);
    }
    if (json_array_size(found) == 1)
        return json_incref(json_array_get(found, 0));
    const char *why = missed ? missed->message : NULL;
    if (!why && !host && json_array_size(found) == 0 &&
        ferry_silent_hosts_tell(session, hosts, /* records= */ NULL))
        why = "some are silent";
    return refuse_count(found, name, why, error);
}

/* --- showing ---------------------------------------------------------------------------------- */

static void
add_row(FerryTable *table, const json_t *quarantine)
{
    g_autofree char *until = ferry_format_time(ferry_json_get_string(quarantine, "until"));
    g_autofree char *held = ferry_format_size(ferry_json_get_int(quarantine, "held_bytes", 0));
    g_autofree char *disks =
        g_strdup_printf("%zu", json_array_size(json_object_get(quarantine, "disks")));
    const char *const cells[] = {
        ferry_json_get_string(quarantine, "migration_id"),
        ferry_json_get_string(quarantine, "host"),
        ferry_json_get_string(json_object_get(quarantine, "instance"), "name"),
        ferry_json_get_string(quarantine, "destination"),
        disks,
        held,
        until,
        ferry_json_get_string(quarantine, "state"),
        ferry_json_get_string(quarantine, "detail"),
        NULL,
    };

    ferry_table_add(table, cells);
}

static FerryExit
list(FerrySession *session, const Options *options, bool json)
{
    static const char *const titles[] = {"MIGRATION",     "HOST",  "INSTANCE",    "MOVED TO",
                                         ">DISKS",        ">HELD", "UNTIL (UTC)", "STATE",
                                         "STAYS BECAUSE", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) missed = NULL;
    g_auto(GStrv) hosts = ferry_session_host_names(session, options->host, &error);
    g_autoptr(FerryJson) found =
        hosts ? find_all(session, hosts, options->host, &missed, &error) : NULL;
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    size_t index = 0;
    const json_t *quarantine = NULL;

    if (!found)
        return ferry_report_error(error, json);
    json_array_foreach(found, index, quarantine)
        add_row(table, quarantine);
    if (json)
        ferry_print_json(found);
    else
        ferry_table_print(table);
    bool silent = !options->host && ferry_silent_hosts_tell(session, hosts, /* records= */ NULL);
    if (missed)
        return ferry_report_error(missed, /* json= */ false);
    return silent ? FERRY_EXIT_NO_ANSWER : FERRY_EXIT_DONE;
}

static void
print_answer(const json_t *answer)
{
    size_t index = 0;
    const json_t *disk = NULL;

    ferry_say("%s: %s", ferry_json_get_string(json_object_get(answer, "instance"), "name"),
              ferry_json_get_string(answer, "state"));
    json_array_foreach(json_object_get(answer, "disks"), index, disk)
        ferry_say("  %s", ferry_json_get_string(disk, "path"));
}

static FerryExit
order(
    FerrySession *session, const char *method, const char *name, const Options *options, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) one = find_one(session, options->host, name, &error);

    if (!one)
        return ferry_report_error(error, json);
    json_t *args = json_pack("{s:O, s:b}", "migration_id", json_object_get(one, "migration_id"),
                             "force", options->force);
    g_autoptr(FerryJson) answer =
        ferry_session_call(session, ferry_json_get_string(one, "host"), method, args, &error);
    if (!answer)
        return ferry_report_error(error, json);
    if (json)
        ferry_print_json(answer);
    else
        print_answer(answer);
    return FERRY_EXIT_DONE;
}

FerryExit
ferry_command_quarantine(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Options) options = {0};
    const char *method = NULL;
    int operands = 1;

    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        method = verbs[i].method;
        operands = verbs[i].operands;
    }
    if (!ferry_invocation_parse(invocation, group_new(&options), operands, &argc, &argv, &error))
        return ferry_report_error(error, invocation->json);
    if (!method) {
        g_set_error(&error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "'%s' is none of list, restore, delete", argv[1]);
        return ferry_report_error(error, invocation->json);
    }
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    if (operands == 1)
        return list(session, &options, invocation->json);
    return order(session, method, argv[2], &options, invocation->json);
}
