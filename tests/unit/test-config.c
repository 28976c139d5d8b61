#include "config.h"

#include "ferry/config.h"
#include "ferry/error.h"

#include <glib/gstdio.h>

#include <string.h>

typedef struct {
    char *folder;
    GPtrArray *files; /* paths, ends with NULL only when loaded */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = g_dir_make_tmp("ferry-config-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->files = g_ptr_array_new_with_free_func(g_free);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < fixture->files->len; i++)
        g_unlink(g_ptr_array_index(fixture->files, i));
    g_rmdir(fixture->folder);
    g_ptr_array_unref(fixture->files);
    g_free(fixture->folder);
}

static void
add_file(Fixture *fixture, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(fixture->folder, name, NULL);

    g_file_set_contents(path, text, /* length= */ -1, &error);
    g_assert_no_error(error);
    g_ptr_array_add(fixture->files, path);
}

static FerryConfig *
load(Fixture *fixture, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; i < fixture->files->len; i++)
        g_strv_builder_add(builder, g_ptr_array_index(fixture->files, i));
    g_auto(GStrv) files = g_strv_builder_end(builder);
    return ferry_config_load((const char *const *)files, error);
}

/* Loads one file with @text; the error must be "FILE" followed by @expected. */
static void
assert_refused(Fixture *fixture, const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;

    g_ptr_array_set_size(fixture->files, 0);
    add_file(fixture, "bad.conf", text);
    g_autoptr(FerryConfig) config = load(fixture, &error);
    g_assert_null(config);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    const char *path = g_ptr_array_index(fixture->files, 0);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_cmpstr(error->message + strlen(path), ==, expected);
}

static void
test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryConfig) config = ferry_config_load(NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->host, ==, g_get_host_name());
    g_assert_cmpstr(config->live_migration_inbound_addr, ==, config->host);
    g_assert_cmpstr(config->messaging->transport_url, ==, "rabbit://guest:guest@localhost:5672/");
    g_assert_cmpstr(config->messaging->control_exchange, ==, "virt-ferry");
    g_assert_cmpstr(config->state_path, ==, "/var/lib/virt-ferry");
    g_assert_cmpuint(config->max_concurrent_live_migrations, ==, 1);
    g_assert_false(config->debug);
    g_assert_null(config->log_file);
    g_assert_cmpstr(config->connection_uri, ==, "qemu:///system");
    g_assert_null(config->live_migration_uri);
    g_assert_cmpstr(config->live_migration_scheme, ==, "tls");
    g_assert_cmpuint(config->live_migration_bandwidth_mibps, ==, 0);
    g_assert_cmpuint(config->live_migration_downtime_ms, ==, 500);
    g_assert_cmpuint(config->live_migration_downtime_steps, ==, 10);
    g_assert_cmpuint(config->live_migration_downtime_delay_s, ==, 75);
    g_assert_cmpuint(config->live_migration_completion_timeout_s, ==, 800);
    g_assert_cmpint(config->live_migration_timeout_action, ==, FERRY_TIMEOUT_ACTION_ABORT);
    g_assert_false(config->live_migration_permit_post_copy);
    g_assert_false(config->live_migration_permit_auto_converge);
    g_assert_false(config->live_migration_with_native_tls);
    g_assert_cmpuint(config->live_migration_parallel_connections, ==, 1);
    g_assert_cmpstr(config->allowed_paths[0], ==, "/var/lib/libvirt/images");
    g_assert_null(config->allowed_paths[1]);
    g_assert_cmpint(config->source_disks, ==, FERRY_SOURCE_DISKS_KEEP);
    g_assert_cmpuint(config->quarantine_s, ==, 24 * 3600);
    g_assert_cmpuint(config->reserved_bytes, ==, 1 << 30);
    g_assert_cmpstr(config->allowed_destinations[0], ==, "*");
    g_assert_cmpuint(config->prepare_timeout_s, ==, 600);
    g_assert_cmpuint(config->progress_interval_ms, ==, 1000);
    g_assert_cmpuint(config->max_concurrent_incoming, ==, 2);
    g_assert_cmpuint(config->history_days, ==, 30);
    g_assert_cmpuint(config->outcome_timeout_s, ==, 300);
    g_assert_cmpstr(config->policy, ==, "minimal-downtime");
    g_assert_cmpuint(config->max_pause_ms, ==, 5000);
    g_assert_cmpint(config->disk_writes, ==, FERRY_DISK_WRITES_AUTO);
    g_assert_cmpuint(config->disk_stall_timeout_s, ==, 120);
    g_assert_cmpuint(config->memory_timeout_s, ==, 0);
    g_assert_cmpuint(config->auto_converge_initial, ==, 20);
    g_assert_cmpuint(config->auto_converge_increment, ==, 10);
    g_assert_cmpuint(config->switchover_bandwidth_mibps, ==, 0);
    g_assert_false(config->monitor_commands);
    g_assert_cmpstr(config->notification_topics[0], ==, "notifications");
    g_assert_true(config->notifications);
}

static void
test_messaging_defaults(void)
{
    g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();

    g_assert_false(options->ssl);
    g_assert_null(options->ssl_ca_file);
    g_assert_true(options->ssl_enforce_hostname_verification);
    g_assert_cmpuint(options->heartbeat_timeout_threshold, ==, 60);
    g_assert_false(options->amqp_durable_queues);
    g_assert_false(options->amqp_auto_delete);
    g_assert_false(options->rabbit_ha_queues);
    g_assert_false(options->rabbit_quorum_queue);
    g_assert_cmpuint(options->rabbit_quorum_delivery_limit, ==, 0);
    g_assert_cmpuint(options->rabbit_transient_queues_ttl, ==, 1800);
    g_assert_cmpuint(options->rabbit_retry_interval, ==, 1);
    g_assert_cmpuint(options->rabbit_retry_backoff, ==, 2);
    g_assert_cmpuint(options->rabbit_interval_max, ==, 30);
    g_assert_cmpuint(options->kombu_missing_consumer_retry_timeout, ==, 60);
}

static void
test_later_file_wins(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add_file(fixture, "nova.conf",
             "[DEFAULT]\n"
             "host = kvm01\n"
             "state_path = /var/lib/nova\n"
             "transport_url = rabbit://a:b@one:5672,c:d@two:5672/nova\n"
             "my_ip = 192.0.2.1\n"
             "compute_driver = libvirt.LibvirtDriver\n"
             "[libvirt]\n"
             "virt_type = kvm\n"
             "live_migration_uri = qemu+tcp://%s/system\n"
             "live_migration_permit_post_copy = On\n"
             "live_migration_timeout_action = force_complete\n"
             "[neutron]\n"
             "url: http://controller:9696\n"
             "[oslo_messaging_rabbit]\n"
             "ssl = YES\n"
             "ssl_ca_file = /etc/ssl/ca.pem\n"
             "rabbit_qos_prefetch_count = 5\n"
             "[oslo_messaging_notifications]\n"
             "driver = noop\n");
    add_file(fixture, "own.conf",
             "[DEFAULT]\n"
             "state_path = /srv/ferry\n"
             "log_file =\n"
             "[libvirt]\n"
             "live_migration_inbound_addr = 198.51.100.7\n"
             "live_migration_bandwidth = 100\n"
             "[oslo_messaging_rabbit]\n"
             "ssl_ca_file =\n"
             "[oslo_messaging_notifications]\n"
             "topics = one, two,\n"
             "[migration]\n"
             "progress_interval = 0.25\n"
             "monitor_commands = yes\n"
             "allowed_destinations = kvm0?,\n"
             "    kvm1*\n"
             "[storage]\n"
             "source_disks = delete\n"
             "quarantine_hours = 0.002\n"
             "allowed_paths = /srv/a: /srv/b\n");
    g_autoptr(FerryConfig) config = load(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->host, ==, "kvm01");
    g_assert_cmpstr(config->state_path, ==, "/srv/ferry");
    g_assert_null(config->log_file);
    g_assert_cmpstr(config->messaging->transport_url, ==,
                    "rabbit://a:b@one:5672,c:d@two:5672/nova");
    g_assert_cmpstr(config->live_migration_uri, ==, "qemu+tcp://%s/system");
    g_assert_cmpstr(config->live_migration_inbound_addr, ==, "198.51.100.7");
    g_assert_cmpuint(config->live_migration_bandwidth_mibps, ==, 100);
    g_assert_true(config->live_migration_permit_post_copy);
    g_assert_cmpint(config->live_migration_timeout_action, ==, FERRY_TIMEOUT_ACTION_FORCE_COMPLETE);
    g_assert_true(config->messaging->ssl);
    g_assert_null(config->messaging->ssl_ca_file);
    g_assert_false(config->notifications);
    g_assert_cmpuint(g_strv_length(config->notification_topics), ==, 2);
    g_assert_cmpstr(config->notification_topics[1], ==, "two");
    g_assert_cmpuint(config->progress_interval_ms, ==, 250);
    g_assert_true(config->monitor_commands);
    g_assert_cmpuint(g_strv_length(config->allowed_destinations), ==, 2);
    g_assert_cmpstr(config->allowed_destinations[1], ==, "kvm1*");
    g_assert_cmpint(config->source_disks, ==, FERRY_SOURCE_DISKS_DELETE);
    g_assert_cmpuint(config->quarantine_s, ==, 7);
    g_assert_cmpuint(g_strv_length(config->allowed_paths), ==, 2);
    g_assert_cmpstr(config->allowed_paths[1], ==, "/srv/b");
}

static void
test_unknown_key_warns_once(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add_file(fixture, "a.conf", "[DEFAULT]\nnew_one = 1\n\n[storage]\nsource_disk = delete\n");
    add_file(fixture, "b.conf", "[storage]\nsource_disk = keep\n");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING,
                          "*/a.conf:5: Unknown key 'source_disk' in section [storage]*");
    g_autoptr(FerryConfig) config = load(fixture, &error);
    g_assert_no_error(error);
    g_test_assert_expected_messages();
    g_assert_cmpint(config->source_disks, ==, FERRY_SOURCE_DISKS_KEEP);
}

static void
test_near_misses(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *warning;
    } cases[] = {
        {"[DEFAULT]\ntransport_ulr = rabbit://b/\n",
         "*:2: Unknown key 'transport_ulr' in section [DEFAULT] is ignored. Did you mean "
         "'transport_url'?"},
        {"[migrations]\nhistory = 3\nprepare_timeout = 4\n",
         "*:2: Unknown section [migrations] is ignored. Did you mean [migration]?"},
        {"[Storage]\nsource_disks = keep\n", "*Did you mean [storage]?"},
        {"[libvirt]\nlive_migration_bandwith = 3\n", "*Did you mean 'live_migration_bandwidth'?"},
        {"[storage]\nfolders = /a\n", "*Unknown key 'folders' in section [storage] is ignored"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_ptr_array_set_size(fixture->files, 0);
        add_file(fixture, "near.conf", cases[i].text);
        g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, cases[i].warning);
        g_autoptr(FerryConfig) config = load(fixture, &error);
        g_assert_no_error(error);
        g_test_assert_expected_messages();
    }
}

/* Keys and sections of other services, none of which is a slip of one of ours. */
static void
test_nova_conf(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add_file(fixture, "nova.conf",
             "[DEFAULT]\n"
             "my_ip = 192.0.2.7\n"
             "domain = example.org\n"
             "host = compute7.$domain\n"
             "state_path = /var/lib/nova\n"
             "instances_path = $state_path/instances\n"
             "log_dir = /var/log/nova\n"
             "log_file = nova-compute.log\n"
             "logging_context_format_string = %(asctime)s.%(msecs)03d %(process)d\n"
             "max_concurrent_live_migrations = several\n"
             "transport_url = rabbit://$oslo.user:pa$$word@${my_ip}:5672/%(my_vhost)s\n"
             "my_vhost = nova\n"
             "[oslo]\n"
             "user = openstack\n"
             "[libvirt]\n"
             "live_migration_inbound_addr = $my_ip\n"
             "live_migration_uri = qemu+ssh://nova@%s/system\n"
             "live_migration_tunnelled = false\n"
             "virt_type = $virt_type\n"
             "[vnc]\n"
             "server_listen = $my_ip\n");
    add_file(fixture, "own.conf",
             "[DEFAULT]\nmax_concurrent_live_migrations = 3\nstate_path = /var/lib/virt-ferry\n");
    g_autoptr(FerryConfig) config = load(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->host, ==, "compute7.example.org");
    g_assert_cmpstr(config->log_file, ==, "/var/log/nova/nova-compute.log");
    g_assert_cmpstr(config->live_migration_inbound_addr, ==, "192.0.2.7");
    g_assert_cmpstr(config->live_migration_uri, ==, "qemu+ssh://nova@%s/system");
    g_assert_cmpstr(config->messaging->transport_url, ==,
                    "rabbit://openstack:pa$word@192.0.2.7:5672/nova");
    g_assert_cmpuint(config->max_concurrent_live_migrations, ==, 3);
    const char *origin = ferry_config_origin(config, "DEFAULT", "state_path");
    g_assert_true(g_str_has_suffix(origin, "/own.conf:3"));
    g_assert_null(ferry_config_origin(config, "storage", "source_disks"));
}

/* What no file has stays as it is, and is no address then; a circle ends. */
static void
test_unknown_references(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "[libvirt]\nlive_migration_inbound_addr = $my_ip\n",
                   ":2: [libvirt] live_migration_inbound_addr = '$my_ip': expected a host name or "
                   "an IP address");
    assert_refused(fixture, "[DEFAULT]\nhost = $a\na = $b\nb = $a\n",
                   ":2: [DEFAULT] host = '$a': expected a host name of letters, digits, '-', '_' "
                   "and '.', at most 200 characters");
    assert_refused(fixture, "[DEFAULT]\nlog_file = agent.log\n",
                   ":2: [DEFAULT] log_file = 'agent.log': expected an absolute path, or a log_dir");
}

static void
test_policies(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add_file(fixture, "a.conf",
             "[policy gentle]\nstart = 50\nsteps = 2:60,\n 5:60, 9:80\n"
             "[policy  other]\nat_end = pause\n");
    add_file(fixture, "b.conf", "[policy gentle]\nat_end = wait\n[migration]\npolicy = gentle\n");
    g_autoptr(FerryConfig) config = load(fixture, &error);
    g_assert_no_error(error);
    const FerryTransferPolicy *gentle = ferry_config_policy(config, config->policy);
    g_assert_cmpstr(gentle->name, ==, "gentle");
    g_assert_cmpuint(gentle->start_ms, ==, 50);
    g_assert_cmpuint(gentle->steps[1].iteration, ==, 5);
    g_assert_cmpuint(gentle->steps[2].downtime_ms, ==, 80);
    g_assert_cmpuint(gentle->steps[3].iteration, ==, 0);
    g_assert_cmpint(gentle->at_end, ==, FERRY_POLICY_WAIT);
    const FerryTransferPolicy *other = ferry_config_policy(config, "other");
    g_assert_cmpuint(other->start_ms, ==, 100);
    g_assert_cmpint(other->at_end, ==, FERRY_POLICY_PAUSE);
    g_assert_cmpstr(ferry_config_policy(config, "fixed")->name, ==, "fixed");
    g_assert_null(ferry_config_policy(config, "none"));
}

/* Of downtime and pause the one that is said holds. */
static void
test_pauses(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    add_file(fixture, "long.conf", "[libvirt]\nlive_migration_downtime = 9000\n");
    g_autoptr(FerryConfig) downtime = load(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(downtime->max_pause_ms, ==, 9000);
    g_ptr_array_set_size(fixture->files, 0);
    add_file(fixture, "short.conf", "[migration]\nmax_pause = 200\n");
    g_autoptr(FerryConfig) pause = load(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pause->live_migration_downtime_ms, ==, 200);
}

static void
test_bad_policies(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"[policy a]\nstart = 50\nsteps = 1:90, 2:80\n",
         ":3: [policy a] steps = '2:80': expected iterations that rise, and pauses that do not "
         "fall, from start on"},
        {"[policy a]\nsteps = 2:200, 2:300\n",
         ":2: [policy a] steps = '2:300': expected iterations that rise, and pauses that do not "
         "fall, from start on"},
        {"[policy a]\nstart = 200\nsteps = 1:150\n",
         ":3: [policy a] steps = '1:150': expected iterations that rise, and pauses that do not "
         "fall, from start on"},
        {"[policy a]\nsteps = 0:150\n",
         ":2: [policy a] steps = '0:150': expected ITERATION:MS separated by commas, iterations "
         "from 1 to 1000 and pauses from 1 to 2000000"},
        {"[policy a]\nsteps = 1:150:2\n",
         ":2: [policy a] steps = '1:150:2': expected ITERATION:MS separated by commas, iterations "
         "from 1 to 1000 and pauses from 1 to 2000000"},
        {"[policy a]\nsteps = 1:150, 2:5001\n",
         ":2: [policy a] steps = '2:5001': expected at most max_pause of [migration], 5000"},
        {"[policy a]\nstart = 1\n[policy b]\nstart = 900\n[migration]\nmax_pause = 800\n",
         ":4: [policy b] start = '900': expected at most max_pause of [migration], 800"},
        {"[policy a]\nsteps = 1:1,2:2,3:3,4:4,5:5,6:6,7:7,8:8,9:9,10:10,11:11,12:12,13:13,14:14,"
         "15:15,16:16,17:17\nstart = 1\n",
         ":2: [policy a] steps = '17:17': expected at most 16 steps"},
        {"[policy a]\nat_end = reboot\n",
         ":2: [policy a] at_end = 'reboot': expected one of fail, pause, post-copy, wait"},
        {"[policy a]\nstart = 100\nstop = 3\n",
         ":3: [policy a] unknown key 'stop': expected start, steps or at_end"},
        {"[policy fixed]\nstart = 100\n",
         ":2: [policy fixed] expected [policy NAME]: at most 64 letters, digits, '-' and '_', and "
         "no built-in policy's name"},
        {"[policy]\nstart = 100\n",
         ":2: [policy] expected [policy NAME]: at most 64 letters, digits, '-' and '_', and no "
         "built-in policy's name"},
        {"[policy a b]\nstart = 100\n",
         ":2: [policy a b] expected [policy NAME]: at most 64 letters, digits, '-' and '_', and no "
         "built-in policy's name"},
        {"[migration]\npolicy = gentle\n",
         ":2: [migration] policy = 'gentle': expected a built-in policy or a section [policy "
         "gentle]"},
        {"[migration]\npolicy = post-copy\n",
         ":2: [migration] policy = 'post-copy': expected live_migration_permit_post_copy of "
         "[libvirt] to be true with it"},
        {"[libvirt]\nlive_migration_downtime = 900\n[migration]\nmax_pause = 800\n",
         ":2: [libvirt] live_migration_downtime = '900': expected at most max_pause of "
         "[migration], 800"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(fixture, cases[i].text, cases[i].expected);
}

static void
test_bad_values(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"[DEFAULT]\n\ndebug = maybe\n", ":3: [DEFAULT] debug = 'maybe': expected true or false"},
        {"[DEFAULT]\nhost = a/b\n",
         ":2: [DEFAULT] host = 'a/b': expected a host name of letters, digits, '-', '_' and '.', "
         "at most 200 characters"},
        {"[DEFAULT]\ntransport_url =\n",
         ":2: [DEFAULT] transport_url = '': expected a text that is not empty, on one line"},
        {"[DEFAULT]\nstate_path = var\n",
         ":2: [DEFAULT] state_path = 'var': expected an absolute path"},
        {"[DEFAULT]\nstate_path = /a\n  /b\n",
         ":2: [DEFAULT] state_path = '/a /b': expected an absolute path"},
        {"[libvirt]\nlive_migration_downtime = -1\n",
         ":2: [libvirt] live_migration_downtime = '-1': expected a whole number from 1 to 2000000"},
        {"[libvirt]\nlive_migration_downtime = 18446744073709551617\n",
         ":2: [libvirt] live_migration_downtime = '18446744073709551617': expected a whole number "
         "from 1 to 2000000"},
        {"[libvirt]\nlive_migration_downtime = 5 ms\n",
         ":2: [libvirt] live_migration_downtime = '5 ms': expected a whole number from 1 to "
         "2000000"},
        {"[libvirt]\nlive_migration_scheme = udp\n",
         ":2: [libvirt] live_migration_scheme = 'udp': expected one of tls, tcp, ssh"},
        {"[libvirt]\nlive_migration_timeout_action = give_up\n",
         ":2: [libvirt] live_migration_timeout_action = 'give_up': expected one of abort, "
         "force_complete"},
        {"[storage]\nallowed_paths = /a:b\n",
         ":2: [storage] allowed_paths = '/a:b': expected absolute paths separated by colons, at "
         "least one"},
        {"[storage]\nallowed_paths = :\n",
         ":2: [storage] allowed_paths = ':': expected absolute paths separated by colons, at "
         "least one"},
        {"[storage]\nquarantine_hours = 0\n",
         ":2: [storage] quarantine_hours = '0': expected hours from 0.0002778 to 87600"},
        {"[migration]\nallowed_destinations = ,\n",
         ":2: [migration] allowed_destinations = ',': expected a list separated by commas, with at "
         "least one entry"},
        {"[migration]\nprogress_interval = nan\n",
         ":2: [migration] progress_interval = 'nan': expected seconds from 0.1 to 3600"},
        {"[migration]\nprogress_interval = 0.01\n",
         ":2: [migration] progress_interval = '0.01': expected seconds from 0.1 to 3600"},
        {"[oslo_messaging_rabbit]\nssl = \n",
         ":2: [oslo_messaging_rabbit] ssl = '': expected true or false"},
        {"[oslo_messaging_notifications]\ndriver = kafka\n",
         ":2: [oslo_messaging_notifications] driver = 'kafka': expected one of noop, messagingv2"},
        {"[storage]\nno value\n", ":2: the line has neither = nor :"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(fixture, cases[i].text, cases[i].expected);
}

static void
test_live_migration_uri(Fixture *fixture, gconstpointer data)
{
    static const char *const bad[] = {"qemu+tls://host/system", "qemu+tls://%s/%s",
                                      "qemu+tls://%d/system", "x://%s/%", "%%s"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strdup_printf("[libvirt]\nlive_migration_uri = %s\n", bad[i]);
        g_autofree char *expected = g_strdup_printf(
            ":2: [libvirt] live_migration_uri = '%s': expected a libvirt URI with one %%s for the "
            "host and no other %%",
            bad[i]);

        assert_refused(fixture, text, expected);
    }
}

/* Whoever mends one mistake is not told of the next at the next try. */
static void
test_all_mistakes(Fixture *fixture, gconstpointer data)
{
    static const char *const expected[] = {
        "/a.conf:2: [DEFAULT] max_concurrent_live_migrations =",
        "/b.conf:2: [storage] reserved_bytes =", "/a.conf:3: [DEFAULT] log_file ="};
    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);

    add_file(fixture, "a.conf",
             "[DEFAULT]\nmax_concurrent_live_migrations = many\nlog_file = a.log\nhost = h1\n"
             "[storage]\nreserved_bytes = x\n");
    add_file(fixture, "b.conf", "[storage]\nreserved_bytes = -1\n");
    const char *const files[] = {g_ptr_array_index(fixture->files, 0),
                                 g_ptr_array_index(fixture->files, 1), NULL};
    g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);
    g_assert_nonnull(config);
    g_assert_cmpstr(config->host, ==, "h1");
    g_assert_cmpuint(config->max_concurrent_live_migrations, ==, 1);
    g_assert_null(ferry_config_origin(config, "storage", "reserved_bytes"));
    g_assert_cmpuint(mistakes->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < mistakes->len; i++)
        g_assert_nonnull(
            strstr(((const GError *)g_ptr_array_index(mistakes, i))->message, expected[i]));
}

/* So with a policy, which is looked at whole; and that it is named elsewhere is no further one. */
static void
test_all_mistakes_of_a_policy(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *expected[4];
    } cases[] = {
        {"[policy gentle]\nstart = 9000\nsteps = 3:100, 2:50\nat_end = reboot\nstop = 1\n"
         "[migration]\npolicy = gentle\n",
         {"at_end = 'reboot'", "unknown key 'stop'", "start = '9000'", "steps = '2:50'"}},
        {"[policy gentle]\nstart = 9000\nsteps = 3:100\n", {"start = '9000'"}},
        {"[policy gentle]\nstart = soon\nsteps = 3:50, 2:60\n[migration]\npolicy = gentle\n",
         {"start = 'soon'", "steps = '2:60'"}},
        {"[policy gentle]\nsteps = 3:20\n[migration]\npolicy = gentle\n", {"steps = '3:20'"}},
        {"[policy gentle]\nsteps = 3:200\n[migration]\npolicy = gentel\n", {"policy = 'gentel'"}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) mistakes =
            g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
        guint count = 0;

        g_ptr_array_set_size(fixture->files, 0);
        add_file(fixture, "policy.conf", cases[i].text);
        const char *const files[] = {g_ptr_array_index(fixture->files, 0), NULL};
        g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);
        g_assert_nonnull(config);
        for (; count < G_N_ELEMENTS(cases[i].expected) && cases[i].expected[count]; count++) {
            g_assert_cmpuint(mistakes->len, >, count);
            const GError *mistake = g_ptr_array_index(mistakes, count);
            if (!strstr(mistake->message, cases[i].expected[count]))
                g_error("'%s' is not '%s'", mistake->message, cases[i].expected[count]);
        }
        g_assert_cmpuint(mistakes->len, ==, count);
    }
}

/* What no order gets without a longer downtime of its own is said. */
static void
test_policies_above_the_downtime(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *warning; /* NULL: none */
    } cases[] = {
        {"[policy gentle]\nstart = 50\nsteps = 1:200, 4:900\n",
         "*:3: [policy gentle] steps: policy 'gentle' goes to 900 ms, and live_migration_downtime "
         "allows no more than 500*"},
        {"[policy gentle]\nstart = 800\n", "*policy 'gentle' goes to 800 ms*"},
        {"[migration]\npolicy = very-large\n",
         "*:2: [migration] policy: policy 'very-large' goes to 1500 ms*"},
        {"[policy gentle]\nstart = 800\n[libvirt]\nlive_migration_downtime = 800\n", NULL},
        {"[migration]\npolicy = minimal-downtime\n[libvirt]\nlive_migration_downtime = 300\n",
         NULL},
        {"[migration]\npolicy = fixed\n", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_ptr_array_set_size(fixture->files, 0);
        add_file(fixture, "policy.conf", cases[i].text);
        if (cases[i].warning)
            g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, cases[i].warning);
        g_autoptr(FerryConfig) config = load(fixture, &error);
        g_assert_no_error(error);
        g_test_assert_expected_messages();
    }
}

static void
test_missing_file(void)
{
    g_autoptr(GError) error = NULL;
    const char *const files[] = {"/nonexistent/virt-ferryd.conf", NULL};
    g_autoptr(FerryConfig) config = ferry_config_load(files, &error);

    g_assert_null(config);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
}

static void
test_messaging_options_set(void)
{
    g_autoptr(GError) error = NULL;
    bool known = false;
    g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();

    g_assert_true(ferry_messaging_options_set(options, "ssl", "1", &known, &error));
    g_assert_true(known && options->ssl);
    g_assert_true(ferry_messaging_options_set(options, "kombu_compression", "x", &known, &error));
    g_assert_false(known);
    /* Names a queue topology for all, so a URL must not change it. */
    g_assert_true(ferry_messaging_options_set(options, "control_exchange", "x", &known, &error));
    g_assert_false(known);
    g_assert_cmpstr(options->control_exchange, ==, "virt-ferry");
    g_assert_false(
        ferry_messaging_options_set(options, "rabbit_retry_interval", "0", &known, &error));
    g_assert_true(known);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_cmpuint(options->rabbit_retry_interval, ==, 1);
}

static void
test_messaging_options_copy(void)
{
    g_autoptr(GError) error = NULL;
    FerryMessagingOptions *options = ferry_messaging_options_new();

    g_assert_true(ferry_messaging_options_set(options, "ssl_key_file", "/k", NULL, &error));
    g_autoptr(FerryMessagingOptions) copy = ferry_messaging_options_copy(options);
    ferry_messaging_options_free(options);
    g_assert_cmpstr(copy->ssl_key_file, ==, "/k");
    g_assert_cmpstr(copy->control_exchange, ==, "virt-ferry");
    g_assert_null(copy->ssl_ca_file);
}

static void
test_words(void)
{
    FerrySourceDisks disks = FERRY_SOURCE_DISKS_KEEP;

    g_assert_true(ferry_source_disks_from_string("quarantine", &disks));
    g_assert_cmpstr(ferry_source_disks_to_string(disks), ==, "quarantine");
    g_assert_false(ferry_source_disks_from_string("burn", &disks));
    FerryTimeoutAction action = FERRY_TIMEOUT_ACTION_ABORT;
    g_assert_true(ferry_timeout_action_from_string("force_complete", &action));
    g_assert_cmpint(action, ==, FERRY_TIMEOUT_ACTION_FORCE_COMPLETE);
    g_assert_false(ferry_timeout_action_from_string(NULL, &action));
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/messaging-defaults", test_messaging_defaults);
    ADD("/config/later-file-wins", test_later_file_wins);
    ADD("/config/policies", test_policies);
    ADD("/config/pauses", test_pauses);
    ADD("/config/bad-policies", test_bad_policies);
    ADD("/config/unknown-key", test_unknown_key_warns_once);
    ADD("/config/near-misses", test_near_misses);
    ADD("/config/all-mistakes", test_all_mistakes);
    ADD("/config/all-mistakes-of-a-policy", test_all_mistakes_of_a_policy);
    ADD("/config/policies-above-the-downtime", test_policies_above_the_downtime);
    ADD("/config/nova-conf", test_nova_conf);
    ADD("/config/unknown-references", test_unknown_references);
    ADD("/config/bad-values", test_bad_values);
    ADD("/config/live-migration-uri", test_live_migration_uri);
    g_test_add_func("/config/missing-file", test_missing_file);
    g_test_add_func("/config/messaging-set", test_messaging_options_set);
    g_test_add_func("/config/messaging-copy", test_messaging_options_copy);
    g_test_add_func("/config/words", test_words);
    return g_test_run();
}
