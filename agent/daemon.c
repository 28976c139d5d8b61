#include "config.h"

#include "daemon.h"

#include "checks/client-key.h"
#include "dispatch.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "files/digests.h"
#include "journal/event.h"
#include "journal/journal.h"
#include "methods/table.h"
#include "model/migrate-data.h"
#include "outbox.h"
#include "runtime/detached-call.h"
#include "runtime/expiry-timer.h"
#include "runtime/service-manager.h"
#include "source/steps/table.h"
#include "storage/quarantine.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

#include <glib-unix.h>

#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* How long a stop waits for the parts that may be busy. */
#define DETACH_MS 2000
#define FLUSH_MS 5000
#define CLOSE_MS 5000
/* Calls that were given up may be about to end; those that hang are not worth a wait. */
#define LAST_CALLS_MS 200
#define PRUNE_PERIOD_S (24 * 60 * 60)

typedef struct {
    const FerryConfig *config;
    GMainContext *context;
    GMainLoop *loop;
    FerryAgent agent;
    FerrySource *source;
    FerryDestination *destination;
    FerryResolver *resolver;
    FerryExpiryTimer *leases;
    FerryOutbox *outbox;
    FerryDispatch *dispatch;
    bool stopping;
    bool taken; /* another agent has our name: its events are not ours to tell */
} Daemon;

/* --- events about the agent itself ------------------------------------------------------------ */

static void
tell(Daemon *self, const char *event_type)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) payload =
        ferry_event_agent_payload(self->config->host, ferry_clock_now_us());

    if (!ferry_journal_outbox_add(self->agent.journal, event_type, payload, &error))
        g_warning("'%s' is not told: %s", event_type, error->message);
}

/* --- upkeep ----------------------------------------------------------------------------------- */

static gboolean
prune_history(gpointer data)
{
    Daemon *self = data;
    g_autoptr(GError) error = NULL;
    gint64 age_us = (gint64)self->config->history_days * PRUNE_PERIOD_S * G_USEC_PER_SEC;

    if (self->config->history_days > 0 &&
        !ferry_journal_prune(self->agent.journal, ferry_clock_now_us() - age_us, &error))
        g_warning("The history is not pruned: %s", error->message);
    return G_SOURCE_CONTINUE;
}

static void
attach(Daemon *self, GSource *source, GSourceFunc func)
{
    g_source_set_callback(source, func, self, NULL);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

/* --- stopping --------------------------------------------------------------------------------- */

static gboolean
on_stop_signal(gpointer data)
{
    Daemon *self = data;

    if (self->stopping)
        _exit(EXIT_FAILURE);
    self->stopping = true;
    g_message("Stopping: no more orders; transfers go on in libvirt");
    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

static void
on_refused(const GError *error, gpointer data)
{
    g_critical("The broker refuses this agent: %s%s%s", error->message,
               ferry_error_hint(error) ? "; " : "",
               ferry_error_hint(error) ? ferry_error_hint(error) : "");
}

/* To start again would change nothing: a person must name one of the two. */
static void
on_taken(const GError *error, gpointer data)
{
    Daemon *self = data;

    g_critical("%s. This agent ends. %s", error->message, ferry_error_hint(error));
    self->taken = true;
    g_main_loop_quit(self->loop);
}

typedef struct {
    GMainContext *context;
    FerryBus *bus;
    gint done;
} Flush;

static gpointer
run_flush(gpointer data)
{
    Flush *flush = data;

    if (!ferry_bus_flush(flush->bus, FLUSH_MS))
        g_message("Events that the broker has not confirmed stay in the journal");
    g_atomic_int_set(&flush->done, 1);
    g_main_context_wakeup(flush->context);
    return NULL;
}

/* Confirms are told on main, so main turns while another thread waits for them. */
static void
flush_events(Daemon *self)
{
    Flush flush = {.context = self->context, .bus = self->agent.bus};

    while (g_main_context_iteration(self->context, FALSE))
        ;

    GThread *thread = g_thread_new("vf-flush", run_flush, &flush);

    while (!g_atomic_int_get(&flush.done))
        g_main_context_iteration(self->context, TRUE);
    g_thread_join(thread);
    while (g_main_context_iteration(self->context, FALSE))
        ;
}

/* Returns: true when every thread of a migration let go, and every call that was left behind. */
static bool
stop(Daemon *self)
{
    ferry_service_manager_stopping();
    ferry_bus_stop_serving(self->agent.bus);
    g_cancellable_cancel(self->agent.stopping);

    bool ended = ferry_scheduler_detach(ferry_source_scheduler(self->source), DETACH_MS);

    if (!self->taken)
        tell(self, "agent.stopped");
    flush_events(self);
    return ended && ferry_detached_calls_await_none(LAST_CALLS_MS);
}

/* Only once no thread of a migration uses them any more. */
static void
close_parts(Daemon *self)
{
    ferry_expiry_timer_free(self->leases);
    ferry_quarantine_free(self->agent.quarantine);
    ferry_resolver_free(self->resolver);
    ferry_dispatch_free(self->dispatch);
    ferry_bus_free(self->agent.bus);
    ferry_source_free(self->source);
    ferry_destination_free(self->destination);
    ferry_outbox_free(self->outbox);
    ferry_digests_free(self->agent.digests);
    ferry_virt_free(self->agent.virt);
    ferry_journal_close(self->agent.journal);
    g_object_unref(self->agent.stopping);
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
}

/* Closing joins threads, and one of them may be in a call that a stuck libvirtd never answers. */
static gpointer
end_late(gpointer data)
{
    const Daemon *self = data;

    g_usleep(CLOSE_MS * 1000);
    g_message("Stopped; a thread still waited for libvirt");
    _exit(self->taken ? EX_CONFIG : EXIT_SUCCESS);
}

/* --- starting --------------------------------------------------------------------------------- */

static bool
open_parts(Daemon *self, GError **error)
{
    self->agent.config = self->config;
    self->agent.stopping = g_cancellable_new();
    self->agent.silence_ms = FERRY_WATCH_SILENCE_S * 1000;
    self->agent.bus = ferry_bus_new(self->config->messaging, "virt-ferryd", self->context, error);
    if (!self->agent.bus)
        return false;
    self->agent.journal = ferry_journal_open(self->config->state_path, error);
    if (!self->agent.journal)
        return false;
    ferry_journal_enable_events(self->agent.journal, self->config->notifications);
    self->agent.virt = ferry_virt_new(self->config->connection_uri);
    self->agent.quarantine = ferry_quarantine_new(&self->agent);
    self->agent.digests =
        ferry_digests_new(self->agent.journal, self->agent.virt, self->agent.stopping);
    self->outbox = ferry_outbox_new(&self->agent, self->context);
    ferry_journal_set_wakeup(self->agent.journal, ferry_outbox_wake, self->outbox);
    self->resolver = ferry_resolver_new(&self->agent, &ferry_source_saga);
    self->source = ferry_source_new(&self->agent, &ferry_source_saga, self->resolver);
    self->destination = ferry_destination_new(&self->agent);
    return true;
}

static void
serve(Daemon *self, gint64 started_us)
{
    g_autofree char *started_at = ferry_clock_format_iso(started_us);
    FerryMethodContext methods = {.agent = &self->agent,
                                  .source = self->source,
                                  .destination = self->destination,
                                  .resolver = self->resolver,
                                  .leases_changed = ferry_expiry_timer_wake,
                                  .leases_data = self->leases,
                                  .started_at = started_at};
    FerryService service = {.server = self->config->host,
                            .methods = ferry_methods_served(),
                            .handle = ferry_dispatch_handle};

    self->dispatch = ferry_dispatch_new(&methods, self->context);
    service.user_data = self->dispatch;
    ferry_bus_serve(self->agent.bus, &service);
    ferry_bus_set_refused_func(self->agent.bus, on_refused, self);
    ferry_bus_set_taken_func(self->agent.bus, on_taken, self);
}

/* The agent connects to a destination's libvirt itself, with the key that libvirtd uses or one of
 * its own user. */
static void
warn_of_key(const FerryConfig *config)
{
    g_autofree char *uri =
        ferry_migrate_data_libvirt_uri(config, config->live_migration_inbound_addr);
    g_autoptr(FerryChecks) checks = ferry_checks_new();

    if (!g_str_has_prefix(uri, "qemu+tls:"))
        return;
    ferry_check_client_key_of_host(uri, FERRY_CLIENT_KEY, checks);

    const FerryCheck *check = ferry_checks_get(checks, 0);

    if (check->result != FERRY_CHECK_PASS)
        g_warning("%s. %s", check->message, check->hint);
}

/* Journal first, then the world, then the queue: no order is taken while the past is not known. */
static bool
start(Daemon *self, GError **error)
{
    gint64 started_us = ferry_clock_now_us();

    if (!open_parts(self, error))
        return false;
    prune_history(self);
    warn_of_key(self->config);
    tell(self, "agent.started");
    if (!ferry_journal_end_unsound(self->agent.journal, error))
        return false;
    ferry_quarantine_start(self->agent.quarantine);
    ferry_destination_recover(self->destination);
    if (!ferry_source_recover(self->source, error))
        return false;
    self->leases = ferry_expiry_timer_new("vf-lease", ferry_destination_expire, self->destination);
    serve(self, started_us);
    ferry_bus_start(self->agent.bus);
    attach(self, g_unix_signal_source_new(SIGTERM), on_stop_signal);
    attach(self, g_unix_signal_source_new(SIGINT), on_stop_signal);
    attach(self, g_timeout_source_new_seconds(PRUNE_PERIOD_S), prune_history);
    return true;
}

int
ferry_daemon_run(const FerryConfig *config)
{
    Daemon self = {.config = config};
    g_autoptr(GError) error = NULL;

    /* A client whose libvirtd dies writes into a closed socket: an error to handle, not our end. */
    signal(SIGPIPE, SIG_IGN);
    /* One of our own: the default one is where libvirt's event loop runs, on its own thread. */
    self.context = g_main_context_new();
    self.loop = g_main_loop_new(self.context, FALSE);
    if (!start(&self, &error)) {
        g_critical("Cannot start: %s%s%s", error->message, ferry_error_hint(error) ? ". " : "",
                   ferry_error_hint(error) ? ferry_error_hint(error) : "");
        return EXIT_FAILURE;
    }
    ferry_service_manager_ready(self.context);
    g_message("virt-ferryd %s serves '%s' on topic '%s'", PACKAGE_VERSION, config->host,
              FERRY_TOPIC);
    g_main_loop_run(self.loop);
    /* A thread that hangs in libvirt keeps what it uses; the end of the process lets go of it all.
     * The journal needs no farewell: every commit is on disk. */
    if (stop(&self)) {
        g_thread_unref(g_thread_new("vf-exit", end_late, &self));
        close_parts(&self);
    }
    g_message("Stopped");
    return self.taken ? EX_CONFIG : EXIT_SUCCESS;
}
