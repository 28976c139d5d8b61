/* A file that is brought: what counts as a copy, and what does not. */
#include "config.h"

#include "source/file-carrier.h"

#include "fake-bus.h"
#include "files/digests.h"
#include "source-fixture.h"

#include <string.h>

typedef struct {
    SourceFixture source;
    FerryCarriedFile *file;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    FerryAgent *agent = &self->source.agent.agent;

    source_set_up(&self->source, user_data);
    agent->bus = fake_bus_reset();
    agent->digests = ferry_digests_new(agent->journal, agent->virt, agent->stopping);
    self->source.agent.config->outcome_timeout_s = 3;
    self->file =
        ferry_carried_file_new(FERRY_CARRIED_BASE, self->source.path, "qcow2", /* pool= */ NULL);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_cancellable_cancel(self->source.agent.agent.stopping);
    ferry_digests_free(self->source.agent.agent.digests);
    ferry_carried_file_free(self->file);
    source_tear_down(&self->source, user_data);
}

static void
ignore(const FerryCarriedFile *file, guint64 sent_bytes, gpointer data)
{
}

static GError *
bring(Fixture *self)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FerryFileCarrier carrier = {
        .agent = &self->source.agent.agent,
        .migration_id = MIGRATION,
        .destination = "kvm02",
        .libvirt_uri = "qemu+tls://kvm02/system",
        .cancellable = cancellable,
    };
    FerryCarrierResult result = {0};
    GError *error = NULL;

    g_assert_false(ferry_file_carrier_bring(&carrier, self->file, ignore, NULL, &result, &error));
    return error;
}

/* The client's key cannot be read, or nobody listens: nothing is wrong with the file. */
static void
test_no_connection_is_no_copy(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_bus_answer("kvm02", "prepare_file",
                    json_pack("{s:s, s:s, s:i}", "state", "copy", "path", self->source.path,
                              "offset_bytes", 0));
    fake_call_fail_times("virConnectOpen", 1000, VIR_ERR_RPC, "cannot read the client's key");
    error = bring(self);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "client's key"));
    g_assert_cmpuint(fake_bus_count("kvm02", "prepare_file"), >, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/file-carrier/no-connection-is-no-copy", Fixture, NULL, set_up,
               test_no_connection_is_no_copy, tear_down);
    return g_test_run();
}
