#include "config.h"

#include "ferry/error.h"
#include "rpc/transport.h"

static FerryTransport *
parse(const char *url, GError **error)
{
    g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();

    g_free(options->transport_url);
    options->transport_url = g_strdup(url);
    return ferry_transport_new(options, "test", error);
}

static const FerryBroker *
broker(const FerryTransport *transport, guint i)
{
    return g_ptr_array_index(transport->brokers, i);
}

typedef struct {
    const char *url;
    const char *user;
    const char *password;
    const char *host;
    guint16 port;
    const char *vhost;
} Case;

static const Case cases[] = {
    {"rabbit://", "guest", "guest", "localhost", 5672, "/"},
    {"rabbit:///", "guest", "guest", "localhost", 5672, "/"},
    {"rabbit:////", "guest", "guest", "localhost", 5672, "/"},
    {"RABBIT://h", "guest", "guest", "h", 5672, "/"},
    {"rabbit://h/%2F", "guest", "guest", "h", 5672, "/"},
    {"rabbit://h:1/foo", "guest", "guest", "h", 1, "foo"},
    {"rabbit://h//foo", "guest", "guest", "h", 5672, "/foo"},
    {"rabbit://h/foo/bar", "guest", "guest", "h", 5672, "foo/bar"},
    {"rabbit://h/foo%2Fbar", "guest", "guest", "h", 5672, "foo/bar"},
    {"rabbit://h/foo%252Fbar", "guest", "guest", "h", 5672, "foo%2Fbar"},
    {"rabbit://u@h/", "guest", "guest", "h", 5672, "/"},
    {"rabbit://u:p@h:5673/v", "u", "p", "h", 5673, "v"},
    {"rabbit://u@d:p@h/", "u@d", "p", "h", 5672, "/"},
    {"rabbit://u:p%40%3A%2f%25@h", "u", "p@:/%", "h", 5672, "/"},
    {"rabbit://u:p:q@h", "u", "p:q", "h", 5672, "/"},
    {"rabbit://u:@h", "u", "", "h", 5672, "/"},
    {"rabbit://u:p%zz@h", "u", "p%zz", "h", 5672, "/"},
    {"rabbit://[::1]:5673/v", "guest", "guest", "::1", 5673, "v"},
    {"rabbit://u:p@[2001:db8::1]/", "u", "p", "2001:db8::1", 5672, "/"},
    {"rabbit://h?ssl=true", "guest", "guest", "h", 5672, "/"},
};

static void
test_one_broker(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryTransport) transport = parse(cases[i].url, &error);

        g_test_message("%s", cases[i].url);
        g_assert_no_error(error);
        g_assert_cmpuint(transport->brokers->len, ==, 1);
        g_assert_cmpstr(broker(transport, 0)->user, ==, cases[i].user);
        g_assert_cmpstr(broker(transport, 0)->password, ==, cases[i].password);
        g_assert_cmpstr(broker(transport, 0)->host, ==, cases[i].host);
        g_assert_cmpuint(broker(transport, 0)->port, ==, cases[i].port);
        g_assert_cmpstr(transport->vhost, ==, cases[i].vhost);
    }
}

static void
test_several_brokers(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryTransport) transport = parse("rabbit://a:b@one:1,c:d@[::2]:2,three/v", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(transport->brokers->len, ==, 3);
    g_assert_cmpstr(broker(transport, 1)->host, ==, "::2");
    g_assert_cmpstr(broker(transport, 1)->user, ==, "c");
    /* Credentials are not inherited. */
    g_assert_cmpstr(broker(transport, 2)->user, ==, "guest");
    g_assert_cmpuint(broker(transport, 2)->port, ==, 5672);
    g_assert_cmpstr(transport->vhost, ==, "v");
}

static void
test_query(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryTransport) transport =
        parse("rabbit://h/v?ssl=true&ssl_ca_file=%2Fetc%2Fa+b.pem&heartbeat_timeout_threshold=7"
              "&kombu_reconnect_delay=2&amqp_durable_queues=&",
              &error);

    g_assert_no_error(error);
    g_assert_true(transport->options->ssl);
    g_assert_cmpstr(transport->options->ssl_ca_file, ==, "/etc/a b.pem");
    g_assert_cmpuint(transport->options->heartbeat_timeout_threshold, ==, 7);
    g_assert_false(transport->options->amqp_durable_queues);
    g_assert_cmpstr(transport->vhost, ==, "v");
}

static void
test_refused(void)
{
    const char *const urls[] = {
        "",
        "h",
        "amqp://h/",
        "kombu://h/",
        "rabbits://h/",
        "rabbit://u:s3cret/s3cret@h/",
        "rabbit://u:S#s3cret@T/s3cret@h:1/v",
        "rabbit://h:0",
        "rabbit://h:65536",
        "rabbit://h:5672x",
        "rabbit://[::1/",
        "rabbit://[::1]x/",
        "rabbit://h/?nonsense=1",
        "rabbit://h/?control_exchange=x",
        "rabbit://h/?ssl=perhaps",
        "rabbit://h/?ssl=true&ssl=false",
        NULL,
    };

    for (guint i = 0; urls[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryTransport) transport = parse(urls[i], &error);

        g_test_message("%s", urls[i]);
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
        g_assert_null(transport);
        g_assert_null(strstr(error->message, "s3cret"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/transport-url/one-broker", test_one_broker);
    g_test_add_func("/transport-url/several-brokers", test_several_brokers);
    g_test_add_func("/transport-url/query", test_query);
    g_test_add_func("/transport-url/refused", test_refused);
    return g_test_run();
}
