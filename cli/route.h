/* route.h: the options --from and --to of a command. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *from;
    char *to;
} FerryRoute;

void ferry_route_clear(FerryRoute *route);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRoute, ferry_route_clear)

/** Adds --from and --to, which fill @route, to @group. */
void ferry_route_add_entries(FerryRoute *route, GOptionGroup *group);

/** @error: a G_OPTION_ERROR when --to is missing. Without --from the agents are asked. */
bool ferry_route_check(const FerryRoute *route, GError **error) G_GNUC_WARN_UNUSED_RESULT;
