/* Where an instance is that left this host. */
#include "config.h"

#include "peer/location.h"

#include "agent-fixture.h"

static void
answer_journey(const char *host, const char *role, const char *destination)
{
    fake_bus_answer(host, "list_migrations",
                    json_pack("[{s:s, s:s}]", "role", role, "destination", destination));
}

static void
assert_found(AgentFixture *self, const char *host, FerryObservedState observed, bool may_run)
{
    g_auto(FerryLocation) found = ferry_location_find(&self->agent, "kvm02", UUID);

    g_assert_cmpstr(found.host, ==, host);
    g_assert_cmpstr(ferry_observed_state_to_string(found.observed), ==,
                    ferry_observed_state_to_string(observed));
    g_assert_cmpint(ferry_observed_state_may_run(found.observed), ==, may_run);
}

static void
test_where_it_went(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "running");
    assert_found(self, "kvm02", FERRY_OBSERVED_RUNNING, true);
}

static void
test_went_on(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);
    answer_journey("kvm02", "source", "kvm03");
    fake_bus_observe("kvm03", "paused");
    assert_found(self, "kvm03", FERRY_OBSERVED_PAUSED, true);
}

/* Its last journey there was its arrival: it ended there. */
static void
test_ended_there(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "shut-off");
    answer_journey("kvm02", "destination", "kvm02");
    assert_found(self, "kvm02", FERRY_OBSERVED_SHUT_OFF, false);
}

static void
test_came_back(AgentFixture *self, gconstpointer user_data)
{
    g_autofree char *path = agent_image(self, "web.img");
    g_autofree char *xml = agent_domain_xml(path, "raw");

    fake_domain_add(xml);
    fake_bus_observe("kvm02", "migrated");
    answer_journey("kvm02", "source", "kvm01");
    assert_found(self, "kvm01", FERRY_OBSERVED_RUNNING, true);
    g_assert_cmpuint(fake_bus_count("kvm01", "describe_instance"), ==, 0);
}

/* libvirt sent it away without us: nobody knows where to. */
static void
test_sent_by_another(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "migrated");
    answer_journey("kvm02", "destination", "kvm02");
    assert_found(self, "kvm02", FERRY_OBSERVED_UNREACHABLE, false);
}

static void
test_nobody_answers(AgentFixture *self, gconstpointer user_data)
{
    assert_found(self, "kvm02", FERRY_OBSERVED_UNREACHABLE, false);
}

static void
test_journeys_are_not_told(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);
    assert_found(self, "kvm02", FERRY_OBSERVED_UNREACHABLE, false);
}

/* Each says that it went to the other: the search ends all the same. */
static void
test_circle(AgentFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);
    answer_journey("kvm02", "source", "kvm03");
    fake_bus_observe("kvm03", NULL);
    answer_journey("kvm03", "source", "kvm02");
    assert_found(self, "kvm02", FERRY_OBSERVED_UNREACHABLE, false);
    g_assert_cmpuint(fake_bus_count("kvm02", "describe_instance"), ==, 3);
}

#define ADD(path, func) AGENT_ADD("/location/" path, "kvm01", func)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("where-it-went", test_where_it_went);
    ADD("went-on", test_went_on);
    ADD("ended-there", test_ended_there);
    ADD("came-back", test_came_back);
    ADD("sent-by-another", test_sent_by_another);
    ADD("nobody-answers", test_nobody_answers);
    ADD("journeys-are-not-told", test_journeys_are_not_told);
    ADD("circle", test_circle);
    return g_test_run();
}
