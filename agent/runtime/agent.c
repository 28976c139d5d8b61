#include "config.h"

#include "runtime/agent.h"

void
ferry_agent_pause(const FerryAgent *agent, guint milliseconds, GCancellable *cancellable)
{
    GCancellable *by = cancellable ? cancellable : agent->stopping;
    GPollFD fd = {0};

    if (!g_cancellable_make_pollfd(by, &fd)) {
        g_usleep((gulong)milliseconds * 1000);
        return;
    }
    g_poll(&fd, 1, (gint)milliseconds);
    g_cancellable_release_fd(by);
}
