#include "config.h"

#include "command.h"
#include "ferry/json.h"
#include "follow.h"
#include "order.h"
#include "output.h"
#include "place.h"
#include "route.h"
#include "session.h"

#define TIMEOUT_S 600

typedef struct {
    char *id;
    gboolean detach;
    int timeout_s;
} Settings;

static void
settings_clear(Settings *settings)
{
    g_free(settings->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

static GOptionGroup *
group_new(json_t *options, FerryRoute *route, Settings *settings)
{
    const GOptionEntry entries[] = {
        {"id", 0, 0, G_OPTION_ARG_STRING, &settings->id,
         "The migration's id; the same order given "
         "again starts nothing twice",
         "UUID"},
        {"detach", 0, 0, G_OPTION_ARG_NONE, &settings->detach, "Give the order and leave", NULL},
        {"patience", 0, 0, G_OPTION_ARG_INT, &settings->timeout_s,
         "Give up after so long without a word from the source (600)", "SECONDS"},
        {.long_name = NULL},
    };
    GOptionGroup *group = ferry_order_group_new(options);

    ferry_route_add_entries(route, group);
    g_option_group_add_entries(group, entries);
    return group;
}

static bool
complete_settings(Settings *settings, GError **error)
{
    if (settings->timeout_s < 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--patience %d: expected whole seconds from 1", settings->timeout_s);
        return false;
    }
    if (settings->id && !g_uuid_string_is_valid(settings->id)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--id %s: expected a UUID",
                    settings->id);
        return false;
    }
    g_autofree char *id =
        settings->id ? g_ascii_strdown(settings->id, /* len= */ -1) : g_uuid_string_random();
    g_free(settings->id);
    settings->id = g_steal_pointer(&id);
    return true;
}

/* With a connection of its own, as the one that follows has to listen from its beginning.
 * Returns: (transfer full): the name to order with; NULL with @error set. */
static char *
find_instance(const FerryInvocation *invocation,
              FerryRoute *route,
              const char *name,
              GError **error)
{
    if (ferry_place_is_complete(route, name))
        return g_strdup(name);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, error);
    return session ? ferry_place_complete(session, route, name, error) : NULL;
}

FerryExit
ferry_command_migrate(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_auto(FerryRoute) route = {0};
    g_auto(Settings) settings = {.timeout_s = TIMEOUT_S};
    GOptionGroup *group = group_new(options, &route, &settings);

    if (!ferry_invocation_parse(invocation, group, 1, &argc, &argv, &error) ||
        !ferry_route_check(&route, &error) || !complete_settings(&settings, &error))
        return ferry_report_error(error, invocation->json);
    g_autofree char *instance = find_instance(invocation, &route, argv[1], &error);
    g_autoptr(FerrySession) session = instance ? ferry_session_new(invocation, &error) : NULL;
    if (!session)
        return ferry_report_error(error, invocation->json);
    const FerryFollowSettings follow_settings = {
        .migration_id = settings.id,
        .instance = instance,
        .from = route.from,
        .to = route.to,
        .options = options,
        .detach = settings.detach,
        .json = invocation->json,
        .timeout_s = (guint)settings.timeout_s,
    };
    return ferry_follow(session, &follow_settings);
}
