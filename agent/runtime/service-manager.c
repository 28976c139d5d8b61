#include "config.h"

#include "runtime/service-manager.h"

#ifdef HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

/* Runs on main: a main loop that is stuck stops feeding, and systemd starts us anew; transfers go
 * on in libvirtd meanwhile. */
static gboolean
feed_watchdog(gpointer data)
{
    sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

void
ferry_service_manager_ready(GMainContext *context)
{
    guint64 interval_us = 0;

    sd_notify(0, "READY=1");
    if (sd_watchdog_enabled(0, &interval_us) > 0) {
        g_autoptr(GSource) source = g_timeout_source_new((guint)(interval_us / 2000));

        g_source_set_callback(source, feed_watchdog, NULL, NULL);
        g_source_attach(source, context);
    }
}

void
ferry_service_manager_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

#else

void
ferry_service_manager_ready(GMainContext *context)
{
}

void
ferry_service_manager_stopping(void)
{
}

#endif
