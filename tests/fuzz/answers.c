/* What other agents answer: the input is an array of answers ({"error": ...}: a failure) to the
 * calls that a source makes, in their order; then each reader reads each of them.
 *
 * This file has the one function of the bus that such calls need. */
#include "config.h"

#include "input.h"
#include "target.h"

#include "../../rpc/failure.h"
#include "model/check.h"
#include "model/file-answer.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "peer/location.h"
#include "peer/peer.h"
#include "source/report.h"

#include "ferry/bus.h"
#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"

static const json_t *script;
static size_t next_answer;

json_t *
ferry_bus_call(FerryBus *bus, const FerryCall *call, GError **error)
{
    json_decref(call->args);
    return ferry_fuzz_next_answer(script, &next_answer, error);
}

static const FerryAgent *
get_agent(void)
{
    static FerryAgent agent;
    const char *const no_files[] = {NULL};

    if (!agent.config) {
        agent.config = ferry_config_load(no_files, NULL);
        agent.stopping = g_cancellable_new();
    }
    return &agent;
}

/* Where an instance is now: asked from host to host. */
static void
ask(void)
{
    g_auto(FerryLocation) location = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) result = ferry_peer_call(
        get_agent(), &(FerryCall){.server = "kvm02", .method = "ping", .args = json_object()},
        &error);

    g_assert_true((result == NULL) == (error != NULL));
    if (error) {
        g_autoptr(FerryJson) told = ferry_error_to_json(error);

        (void)ferry_peer_is_busy(error);
        g_assert_true(json_is_object(told));
    }
    location = ferry_location_find(get_agent(), "kvm02", "u-1");
    g_assert_nonnull(location.host);
    g_assert_cmpint(location.observed, !=, FERRY_OBSERVED_MIGRATED);
}

static void
read_file(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryFileAnswer) answer = ferry_file_answer_from_json(object, &error);

    g_assert_true((answer == NULL) == (error != NULL));
    if (answer && answer->state == FERRY_FILE_COPY)
        g_assert_nonnull(answer->path);
}

static void
read_checks(const json_t *object)
{
    g_autoptr(FerryChecks) checks = ferry_checks_from_json(json_object_get(object, "checks"), NULL);

    if (checks)
        (void)ferry_checks_compatible(checks);
}

/* What a destination says of what it prepared, and of the arrival. */
static void
read_destination(json_t *object)
{
    g_autoptr(FerryRecord) record = ferry_record_new("m-1", FERRY_ROLE_SOURCE);
    g_autoptr(FerryMigrateData) data =
        ferry_migrate_data_from_json(json_object_get(object, "migrate_data"), NULL);
    g_autoptr(FerryInstance) instance =
        ferry_instance_from_json(json_object_get(object, "instance_info"), NULL);

    record->report = json_pack("{s:O}", "arrival", object);

    g_autoptr(FerryJson) report = ferry_source_report_make(record, instance, NULL);

    g_assert_true(json_is_object(report));
}

/* A failure as oslo.messaging has it, from whoever answers. */
static void
read_failure(const json_t *value)
{
    g_autoptr(GError) error =
        json_is_string(value) ? ferry_failure_to_error(json_string_value(value)) : NULL;

    if (error)
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FerryJson) document = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    size_t index = 0;
    json_t *each = NULL;

    if (!json_is_array(document))
        return 0;
    script = document;
    next_answer = 0;
    ask();
    json_array_foreach(document, index, each) {
        read_file(each);
        read_checks(each);
        read_destination(each);
        read_failure(each);
    }
    return 0;
}
