/* Who is known to run. */
#include "config.h"

#include "virt/domain-cache.h"

#define A "11111111-1111-4111-8111-111111111111"
#define B "22222222-2222-4222-8222-222222222222"

static void
put(FerryDomainCache *cache, const char *name, const char *uuid)
{
    ferry_domain_cache_put(cache, ferry_domain_cache_generation(cache), name, uuid);
}

static void
assert_known(FerryDomainCache *cache, const char *key, const char *name, const char *uuid)
{
    g_autofree char *found_name = NULL;
    g_autofree char *found_uuid = NULL;

    g_assert_true(ferry_domain_cache_find(cache, key, &found_name, &found_uuid));
    g_assert_cmpstr(found_name, ==, name);
    g_assert_cmpstr(found_uuid, ==, uuid);
}

static void
assert_unknown(FerryDomainCache *cache, const char *key)
{
    char *name = NULL;
    char *uuid = NULL;

    g_assert_false(ferry_domain_cache_find(cache, key, &name, &uuid));
}

static void
test_find(void)
{
    g_autoptr(FerryDomainCache) cache = ferry_domain_cache_new();

    assert_unknown(cache, "vm1");
    put(cache, "vm1", A);
    put(cache, "vm2", B);
    assert_known(cache, "vm1", "vm1", A);
    assert_known(cache, B, "vm2", B);
    ferry_domain_cache_clear(cache);
    assert_unknown(cache, "vm1");
    assert_unknown(cache, B);
}

static void
test_strike(void)
{
    g_autoptr(FerryDomainCache) cache = ferry_domain_cache_new();

    put(cache, "vm1", A);
    ferry_domain_cache_remove(cache, B);
    assert_known(cache, "vm1", "vm1", A);
    ferry_domain_cache_remove(cache, A);
    assert_unknown(cache, "vm1");
    assert_unknown(cache, A);
}

/* What was seen before a domain ended may be that domain. */
static void
test_late_word(void)
{
    g_autoptr(FerryDomainCache) cache = ferry_domain_cache_new();
    guint before = ferry_domain_cache_generation(cache);

    ferry_domain_cache_remove(cache, A);
    ferry_domain_cache_put(cache, before, "vm1", A);
    assert_unknown(cache, "vm1");
}

static void
test_names_change_hands(void)
{
    g_autoptr(FerryDomainCache) cache = ferry_domain_cache_new();

    put(cache, "vm1", A);
    put(cache, "vm1", B);
    assert_known(cache, "vm1", "vm1", B);
    assert_unknown(cache, A);
    put(cache, "vm9", B);
    assert_unknown(cache, "vm1");
    assert_known(cache, B, "vm9", B);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cache/find", test_find);
    g_test_add_func("/cache/strike", test_strike);
    g_test_add_func("/cache/late-word", test_late_word);
    g_test_add_func("/cache/names-change-hands", test_names_change_hands);
    return g_test_run();
}
