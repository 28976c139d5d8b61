#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "rpc/incoming.h"

#include <string.h>

static FerryDelivery
delivery(const char *body)
{
    return (FerryDelivery){
        .content_type = (char *)"application/json",
        .body = g_bytes_new_static(body, strlen(body)),
        .body_size = strlen(body),
    };
}

static FerryIncoming *
parse(const char *body, GError **error)
{
    FerryDelivery made = delivery(body);
    FerryIncoming *incoming = ferry_incoming_parse(&made, error);

    g_bytes_unref(made.body);
    return incoming;
}

static void
test_oslo_call(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryIncoming) incoming =
        parse("{\"oslo.version\": \"2.0\", \"oslo.message\": \"{\\\"method\\\": \\\"m\\\", "
              "\\\"_msg_id\\\": \\\"id\\\", \\\"_reply_q\\\": \\\"q\\\", \\\"_timeout\\\": 5, "
              "\\\"_unique_id\\\": \\\"u\\\", \\\"_context_request_id\\\": \\\"req-1\\\"}\"}",
              &error);

    g_assert_no_error(error);
    g_assert_cmpint(incoming->dialect, ==, FERRY_DIALECT_OSLO);
    g_assert_true(ferry_incoming_is_call(incoming));
    g_assert_cmpstr(incoming->msg_id, ==, "id");
    g_assert_cmpstr(incoming->reply_queue, ==, "q");
    g_assert_cmpstr(incoming->identity, ==, "oslo:u");
    g_assert_cmpstr(incoming->log_id, ==, "req-1");
    g_assert_cmpuint(incoming->heartbeat_ms, ==, 2500);
}

static void
test_old_format(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryIncoming) incoming =
        parse("{\"method\": \"m\", \"_msg_id\": \"id\", \"_reply_q\": \"q\"}", &error);

    g_assert_no_error(error);
    g_assert_cmpint(incoming->dialect, ==, FERRY_DIALECT_OSLO);
    g_assert_null(incoming->identity);
    g_assert_cmpstr(incoming->log_id, ==, "-");
}

static void
test_bare(void)
{
    g_autoptr(GError) error = NULL;
    FerryDelivery made = delivery("{\"method\": \"m\"}");

    made.reply_to = (char *)"q";
    made.correlation_id = (char *)"c-1";
    made.message_id = (char *)"mine";
    g_autoptr(FerryIncoming) call = ferry_incoming_parse(&made, &error);
    g_assert_no_error(error);
    g_assert_cmpint(call->dialect, ==, FERRY_DIALECT_BARE);
    g_assert_true(ferry_incoming_is_call(call));
    g_assert_cmpstr(call->correlation_id, ==, "c-1");
    g_assert_cmpstr(call->identity, ==, "amqp:mine");
    made.reply_to = NULL;
    g_autoptr(FerryIncoming) cast = ferry_incoming_parse(&made, &error);
    g_assert_no_error(error);
    g_assert_false(ferry_incoming_is_call(cast));
    g_bytes_unref(made.body);
}

static void
test_log_id_is_harmless(void)
{
    const char *const bodies[] = {
        "{\"_msg_id\": \"m\", \"_context_request_id\": \"a\\nb\"}",
        "{\"_msg_id\": \"m\", \"_context_request_id\": \"\\u2603\"}",
        "{\"_msg_id\": \"m\", \"_context_request_id\": \"\"}",
        "{\"_msg_id\": \"m\", \"_context_request_id\": 5}",
        "{\"_msg_id\": \"m\", \"_context_request_id\": "
        "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
        NULL,
    };

    for (guint i = 0; bodies[i]; i++) {
        g_autoptr(FerryIncoming) incoming = parse(bodies[i], NULL);

        g_assert_cmpstr(incoming->log_id, ==, "-");
    }
}

static void
test_heartbeats(void)
{
    const struct {
        const char *timeout;
        guint heartbeat_ms;
    } cases[] = {
        {"null", 0},
        {"0", 0},
        {"1", 0},
        {"2", 1000},
        {"3", 1500},
        {"-5", 0},
        {"1.9", 0},
        {"2.9", 1000},
        {"\"4\"", 2000},
        {"\"abc\"", 0},
        {"[]", 0},
        {"true", 0},
        {"1e300", 0},
        {"-1e300", 0},
        {"9223372036854775807", 0},
        {"\"\"", 0},
        {"86400", 43200000},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body =
            g_strdup_printf("{\"_msg_id\": \"m\", \"_timeout\": %s}", cases[i].timeout);
        g_autoptr(FerryIncoming) incoming = parse(body, NULL);

        g_test_message("%s", cases[i].timeout);
        g_assert_cmpuint(incoming->heartbeat_ms, ==, cases[i].heartbeat_ms);
    }
}

static void
test_broken(void)
{
    g_autoptr(GError) error = NULL;
    /* Python's NaN: readable enough to be answered. */
    g_autoptr(FerryIncoming) oslo =
        parse("{\"a\": NaN, \"_msg_id\": \"m\", \"_reply_q\": \"q\", \"_timeout\": 9}", &error);

    g_assert_no_error(error);
    g_assert_nonnull(oslo->broken);
    g_assert_null(oslo->message);
    g_assert_cmpint(oslo->dialect, ==, FERRY_DIALECT_OSLO);
    g_assert_cmpstr(oslo->reply_queue, ==, "q");
    g_assert_cmpuint(oslo->heartbeat_ms, ==, 0);
    /* Anything with an address. */
    FerryDelivery made = delivery("garbage");
    made.reply_to = (char *)"q";
    g_autoptr(FerryIncoming) bare = ferry_incoming_parse(&made, &error);
    g_assert_no_error(error);
    g_assert_nonnull(bare->broken);
    g_assert_cmpint(bare->dialect, ==, FERRY_DIALECT_BARE);
    g_bytes_unref(made.body);
    /* Nothing to answer to. */
    g_assert_null(parse("garbage", &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

static void
test_content_type(void)
{
    const char *const types[] = {"text/plain", "application/json; charset=utf-8", "", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        FerryDelivery made = delivery("{}");

        made.content_type = (char *)types[i];
        g_assert_null(ferry_incoming_parse(&made, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_bytes_unref(made.body);
    }
}

static void
test_too_long(void)
{
    g_autoptr(GError) error = NULL;
    const FerryDelivery made = {.content_type = (char *)"application/json",
                                .body_size = 9 * 1024 * 1024};

    g_assert_null(ferry_incoming_parse(&made, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

/* A call of a reply queue and an id of these lengths. */
static FerryIncoming *
parse_addressed(gsize reply_queue, gsize msg_id, GError **error)
{
    g_autofree char *queue = g_strnfill(reply_queue, 'q');
    g_autofree char *id = g_strnfill(msg_id, 'm');
    g_autofree char *body = g_strdup_printf(
        "{\"method\": \"m\", \"_msg_id\": \"%s\", \"_reply_q\": \"%s\"}", id, queue);

    return parse(body, error);
}

/* Whoever cannot be answered is no caller: his message must not reach the publisher. */
static void
test_address_is_too_long(void)
{
    g_autoptr(GError) queue = NULL;
    g_autoptr(GError) id = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryIncoming) longest = parse_addressed(255, 255, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_incoming_is_call(longest));
    g_assert_null(parse_addressed(256, 32, &queue));
    g_assert_error(queue, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_nonnull(strstr(queue->message, "_reply_q has 256 bytes"));
    g_assert_null(parse_addressed(32, 5000, &id));
    g_assert_nonnull(strstr(id->message, "_msg_id has 5000 bytes"));
}

static void
test_identity_is_short(void)
{
    g_autofree char *name = g_strnfill(1 << 20, 'u');
    g_autofree char *body = g_strdup_printf("{\"method\": \"m\", \"_unique_id\": \"%s\"}", name);
    g_autofree char *other_body =
        g_strdup_printf("{\"method\": \"m\", \"_unique_id\": \"%sv\"}", name);
    g_autoptr(FerryIncoming) incoming = parse(body, NULL);
    g_autoptr(FerryIncoming) again = parse(body, NULL);
    g_autoptr(FerryIncoming) other = parse(other_body, NULL);

    g_assert_cmpuint(strlen(incoming->identity), <, 100);
    g_assert_cmpstr(incoming->identity, ==, again->identity);
    g_assert_cmpstr(incoming->identity, !=, other->identity);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/incoming/oslo-call", test_oslo_call);
    g_test_add_func("/incoming/old-format", test_old_format);
    g_test_add_func("/incoming/bare", test_bare);
    g_test_add_func("/incoming/log-id-is-harmless", test_log_id_is_harmless);
    g_test_add_func("/incoming/heartbeats", test_heartbeats);
    g_test_add_func("/incoming/broken", test_broken);
    g_test_add_func("/incoming/content-type", test_content_type);
    g_test_add_func("/incoming/too-long", test_too_long);
    g_test_add_func("/incoming/address-is-too-long", test_address_is_too_long);
    g_test_add_func("/incoming/identity-is-short", test_identity_is_short);
    return g_test_run();
}
