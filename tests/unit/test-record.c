#include "config.h"

#include "journal/record.h"

#include "ferry/json.h"
#include "journal/event.h"

#include <string.h>

#define AT_US G_GINT64_CONSTANT(1795429935000042)
#define AT_TEXT "2026-11-23T10:32:15.000042Z"

static FerryRecord *
make_record(void)
{
    FerryRecord *record = ferry_record_new("m-1", FERRY_ROLE_SOURCE);

    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup("uuid-1");
    record->source = g_strdup("kvm01");
    record->destination = g_strdup("kvm02");
    record->order = json_pack("{s:s, s:{s:{s:b}}}", "method", "live_migration", "args", "options",
                              "paused", true);
    record->created_us = AT_US;
    record->updated_us = AT_US + 1;
    record->seq = 7;
    return record;
}

static void
test_new(void)
{
    g_autoptr(FerryRecord) source = ferry_record_new("m-1", FERRY_ROLE_SOURCE);
    g_autoptr(FerryRecord) destination = ferry_record_new("m-1", FERRY_ROLE_DESTINATION);

    g_assert_cmpint(source->status, ==, FERRY_STATUS_ACCEPTED);
    g_assert_cmpint(destination->status, ==, FERRY_STATUS_PREPARING);
    g_assert_cmpint(source->created_us, >, 0);
    g_assert_cmpint(source->updated_us, ==, source->created_us);
    g_assert_cmpint(source->seq, ==, 0);
}

/* A copy's documents may be replaced without the original seeing it. */
static void
test_copy(void)
{
    g_autoptr(FerryRecord) record = make_record();
    g_autoptr(FerryRecord) copy = ferry_record_copy(record);

    ferry_record_take(&copy->order, json_object());
    ferry_record_take(&copy->report, json_object());
    g_free(copy->source);
    copy->source = g_strdup("elsewhere");
    g_assert_cmpstr(record->source, ==, "kvm01");
    g_assert_null(record->report);
    g_assert_cmpuint(json_object_size(record->order), ==, 2);
    g_assert_cmpint(copy->seq, ==, 7);
}

static void
test_options(void)
{
    g_autoptr(FerryRecord) record = make_record();

    g_assert_true(ferry_json_get_bool(ferry_record_options(record), "paused", false));
    ferry_record_take(&record->order, json_pack("{s:s}", "method", "live_migration"));
    g_assert_null(ferry_record_options(record));
    ferry_record_take(&record->order, NULL);
    g_assert_null(ferry_record_options(record));
}

static void
assert_null_at(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!value || !json_is_null(value))
        g_error("'%s' is not null", key);
}

static void
test_to_json_while_open(void)
{
    g_autoptr(FerryRecord) record = make_record();
    g_autoptr(FerryJson) steps = json_pack("[{s:s}]", "name", "check");
    g_autoptr(FerryJson) object = ferry_record_to_json(record, steps);
    const json_t *instance = json_object_get(object, "instance");

    g_assert_cmpstr(ferry_json_get_string(object, "migration_id"), ==, "m-1");
    g_assert_cmpstr(ferry_json_get_string(object, "role"), ==, "source");
    g_assert_cmpstr(ferry_json_get_string(object, "status"), ==, "accepted");
    g_assert_cmpstr(ferry_json_get_string(object, "source"), ==, "kvm01");
    g_assert_cmpstr(ferry_json_get_string(object, "destination"), ==, "kvm02");
    g_assert_cmpstr(ferry_json_get_string(instance, "name"), ==, "web-1");
    g_assert_cmpstr(ferry_json_get_string(instance, "uuid"), ==, "uuid-1");
    g_assert_cmpstr(ferry_json_get_string(object, "created_at"), ==, AT_TEXT);
    g_assert_cmpint(ferry_json_get_int(object, "seq", 0), ==, 7);
    g_assert_true(json_equal(json_object_get(object, "steps"), steps));
    assert_null_at(object, "phase");
    assert_null_at(object, "progress");
    assert_null_at(object, "error");
    assert_null_at(object, "report");
    assert_null_at(object, "disks");
    assert_null_at(object, "ended_at");
    assert_null_at(object, "expires_at");
    /* The order may hold what its sender alone should see. */
    g_assert_null(json_object_get(object, "order"));
}

static void
test_to_json_ended(void)
{
    g_autoptr(FerryRecord) record = make_record();

    record->status = FERRY_STATUS_FAILED;
    record->ended_us = AT_US;
    record->error = json_pack("{s:s}", "code", "MigrationError");
    record->report = json_pack("{s:[{s:s}]}", "disks", "target", "vda");

    g_autoptr(FerryJson) object = ferry_record_to_json(record, NULL);
    const json_t *disk = json_array_get(json_object_get(object, "disks"), 0);

    g_assert_cmpstr(ferry_json_get_string(object, "ended_at"), ==, AT_TEXT);
    g_assert_cmpstr(ferry_json_get_string(disk, "target"), ==, "vda");
    g_assert_true(json_equal(json_object_get(object, "error"), record->error));
    g_assert_null(json_object_get(object, "steps"));
}

static void
test_event_payload(void)
{
    g_autoptr(FerryRecord) record = make_record();

    record->updated_us = AT_US;
    record->report = json_pack("{s:i}", "moved_bytes", 5);

    g_autoptr(FerryJson) open = ferry_event_payload(record, 8);

    g_assert_cmpint(ferry_json_get_int(open, "seq", 0), ==, 8);
    g_assert_cmpstr(ferry_json_get_string(open, "at"), ==, AT_TEXT);
    assert_null_at(open, "error");
    /* Half a report is none. */
    g_assert_null(json_object_get(open, "report"));

    record->status = FERRY_STATUS_COMPLETED;

    g_autoptr(FerryJson) ended = ferry_event_payload(record, 9);

    g_assert_true(json_equal(json_object_get(ended, "report"), record->report));
}

/* Names come from libvirt, which does not promise UTF-8. */
static void
test_broken_text(void)
{
    g_autoptr(FerryRecord) record = make_record();

    g_free(record->instance_name);
    record->instance_name = g_strdup("w\xff");

    g_autoptr(FerryJson) payload = ferry_event_payload(record, 1);
    const char *name = ferry_json_get_string(json_object_get(payload, "instance"), "name");

    g_assert_true(g_utf8_validate(name, -1, NULL));
    g_assert_true(g_str_has_prefix(name, "w"));
}

/* What the journal keeps of an order is small; it still knows the order again. */
static void
test_order(void)
{
    g_autofree char *junk = g_strnfill(1 << 20, 'j');
    g_autoptr(FerryJson) order =
        json_pack("{s:s, s:{s:{s:s}, s:{s:b}, s:s}}", "method", "pre_live_migration", "args",
                  "instance_info", "unknown", junk, "options", "paused", true, "source", "kvm01");
    g_autoptr(FerryJson) other = json_deep_copy(order);
    g_autoptr(FerryRecord) record = make_record();

    ferry_record_take_order(record, order);
    g_autofree char *kept = ferry_json_dump(record->order);
    g_assert_cmpuint(strlen(kept), <, 300);
    g_assert_true(json_is_true(json_object_get(ferry_record_options(record), "paused")));
    g_assert_true(ferry_record_is_of_order(record, order));
    json_object_set_new(json_object_get(json_object_get(other, "args"), "instance_info"), "unknown",
                        json_string("k"));
    g_assert_false(ferry_record_is_of_order(record, other));
    /* As older journals have it. */
    ferry_record_take(&record->order, json_incref(order));
    g_assert_true(ferry_record_is_of_order(record, order));
    g_assert_false(ferry_record_is_of_order(record, other));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/new", test_new);
    g_test_add_func("/record/copy", test_copy);
    g_test_add_func("/record/options", test_options);
    g_test_add_func("/record/to-json/while-open", test_to_json_while_open);
    g_test_add_func("/record/to-json/ended", test_to_json_ended);
    g_test_add_func("/record/event-payload", test_event_payload);
    g_test_add_func("/record/broken-text", test_broken_text);
    g_test_add_func("/record/order", test_order);
    return g_test_run();
}
