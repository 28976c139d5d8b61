#include "config.h"

#include "../../cli/words.h"

#include <glib.h>

#define ID "11111111-2222-3333-4444-555555555555"

static void
assert_words(const char *text, const char *expected)
{
    g_autofree char *words = ferry_words_translate(text);

    g_assert_cmpstr(words, ==, expected);
}

static void
test_methods(void)
{
    assert_words("Ask get_migration for its state", "Ask 'virt-ferry show' for its state");
    assert_words("describe_host names the instances",
                 "'virt-ferry --json hosts' names the instances");
    assert_words("Follow it with get_migration " ID ".",
                 "Follow it with 'virt-ferry show " ID "'.");
    assert_words("see list_quarantined_disks", "see 'virt-ferry quarantine list'");
}

static void
test_options(void)
{
    assert_words("Leave it out of \"pool_map\"", "Leave it out of --pool-map");
    assert_words("Leave storage_strategy at \"auto\"", "Leave --storage-strategy at \"auto\"");
    assert_words("No agent serves virt-ferry.kvm03", "No agent runs on 'kvm03'");
    assert_words("No agent serves virt-ferry.kvm03.example.org: no queue",
                 "No agent runs on 'kvm03.example.org': no queue");
    assert_words("No answer from virt-ferry.kvm02 in time",
                 "No answer from the agent of 'kvm02' in time");
    assert_words("Field \"args.status\": found \"x\", expected \"failed\"",
                 "--status: found \"x\", expected \"failed\"");
    assert_words("Field \"options.bandwidth_mib_s\": found 0", "--bandwidth: found 0");
    assert_words("Field \"args.options.auto_converge\": found 0", "--auto-converge: found 0");
    assert_words("Field \"args.migration_id\": found 0", "'migration_id': found 0");
    assert_words("Option \"disks\" names \"vdz\"", "--disks names \"vdz\"");
    assert_words("Give \"bandwidth_mib_s\", \"max_pause_ms\" or \"policy\"",
                 "Give --bandwidth, --max-pause or --policy");
    assert_words("options.source_disks is 5", "--source-disks is 5");
    assert_words("Let it run, and leave \"paused\" out", "Let it run, and leave --paused out");
}

/* Words of the language, keys of the configuration, and a key that two options set. */
static void
test_others_stay(void)
{
    static const char *const texts[] = {"its disks are paused, says tls",
                                        "Set [storage] source_disks in virt-ferryd.conf",
                                        "With undefine_source false", "a_b \"c\" options.", ""};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_words(texts[i], texts[i]);
    g_assert_null(ferry_words_translate(NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/words/methods", test_methods);
    g_test_add_func("/words/options", test_options);
    g_test_add_func("/words/others-stay", test_others_stay);
    return g_test_run();
}
