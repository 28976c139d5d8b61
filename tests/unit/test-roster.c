/* Who is known to run. */
#include "config.h"

#include "virt/domain-cache.h"

#define A "11111111-1111-4111-8111-111111111111"
#define B "22222222-2222-4222-8222-222222222222"

static void
put(FerryRoster *roster, const char *name, const char *uuid)
{
    ferry_roster_put(roster, ferry_roster_generation(roster), name, uuid);
}

static void
assert_known(FerryRoster *roster, const char *key, const char *name, const char *uuid)
{
    g_autofree char *found_name = NULL;
    g_autofree char *found_uuid = NULL;

    g_assert_true(ferry_roster_find(roster, key, &found_name, &found_uuid));
    g_assert_cmpstr(found_name, ==, name);
    g_assert_cmpstr(found_uuid, ==, uuid);
}

static void
assert_unknown(FerryRoster *roster, const char *key)
{
    char *name = NULL;
    char *uuid = NULL;

    g_assert_false(ferry_roster_find(roster, key, &name, &uuid));
}

static void
test_find(void)
{
    g_autoptr(FerryRoster) roster = ferry_roster_new();

    assert_unknown(roster, "vm1");
    put(roster, "vm1", A);
    put(roster, "vm2", B);
    assert_known(roster, "vm1", "vm1", A);
    assert_known(roster, B, "vm2", B);
    ferry_roster_clear(roster);
    assert_unknown(roster, "vm1");
    assert_unknown(roster, B);
}

static void
test_strike(void)
{
    g_autoptr(FerryRoster) roster = ferry_roster_new();

    put(roster, "vm1", A);
    ferry_roster_strike(roster, B);
    assert_known(roster, "vm1", "vm1", A);
    ferry_roster_strike(roster, A);
    assert_unknown(roster, "vm1");
    assert_unknown(roster, A);
}

/* What was seen before a domain ended may be that domain. */
static void
test_late_word(void)
{
    g_autoptr(FerryRoster) roster = ferry_roster_new();
    guint before = ferry_roster_generation(roster);

    ferry_roster_strike(roster, A);
    ferry_roster_put(roster, before, "vm1", A);
    assert_unknown(roster, "vm1");
}

static void
test_names_change_hands(void)
{
    g_autoptr(FerryRoster) roster = ferry_roster_new();

    put(roster, "vm1", A);
    put(roster, "vm1", B);
    assert_known(roster, "vm1", "vm1", B);
    assert_unknown(roster, A);
    put(roster, "vm9", B);
    assert_unknown(roster, "vm1");
    assert_known(roster, B, "vm9", B);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/roster/find", test_find);
    g_test_add_func("/roster/strike", test_strike);
    g_test_add_func("/roster/late-word", test_late_word);
    g_test_add_func("/roster/names-change-hands", test_names_change_hands);
    return g_test_run();
}
