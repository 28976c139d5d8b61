#include "config.h"

#include "route.h"

void
ferry_route_clear(FerryRoute *route)
{
    g_clear_pointer(&route->from, g_free);
    g_clear_pointer(&route->to, g_free);
}

void
ferry_route_add_entries(FerryRoute *route, GOptionGroup *group)
{
    const GOptionEntry entries[] = {
        {.long_name = "from",
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &route->from,
         .description = "The host that has the instance; without it the agents are asked",
         .arg_description = "HOST"},
        {.long_name = "to",
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &route->to,
         .description = "The host that shall have it",
         .arg_description = "HOST"},
        {.long_name = NULL},
    };

    g_option_group_add_entries(group, entries);
}

bool
ferry_route_check(const FerryRoute *route, GError **error)
{
    if (!route->to)
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "--to HOST is missing");
    return route->to != NULL;
}
