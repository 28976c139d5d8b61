#include "config.h"

#include "ferry/lock.h"

#include <stdbool.h>

static GMutex outer;
static GMutex inner;

static bool
is_held(GMutex *mutex)
{
    if (!g_mutex_trylock(mutex))
        return true;
    g_mutex_unlock(mutex);
    return false;
}

static void
assert_held(bool outer_held, bool inner_held)
{
    g_assert_true(is_held(&outer) == outer_held);
    g_assert_true(is_held(&inner) == inner_held);
}

static bool
return_from_inside(void)
{
    FERRY_LOCK_SCOPE(&outer);

    return is_held(&outer);
}

static void
test_return(void)
{
    g_assert_true(return_from_inside());
    assert_held(false, false);
}

static void
test_nested_scopes(void)
{
    {
        FERRY_LOCK_SCOPE(&outer);

        {
            FERRY_LOCK_SCOPE(&inner);

            assert_held(true, true);
        }
        assert_held(true, false);
    }
    assert_held(false, false);
}

static void
test_two_in_one_scope(void)
{
    {
        FERRY_LOCK_SCOPE(&outer);
        FERRY_LOCK_SCOPE(&inner);

        assert_held(true, true);
    }
    assert_held(false, false);
}

static void
test_loop(void)
{
    for (guint i = 0; i < 3; i++) {
        FERRY_LOCK_SCOPE(&outer);

        if (i == 0)
            continue;
        if (i == 1)
            break;
    }
    assert_held(false, false);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lock/return", test_return);
    g_test_add_func("/lock/nested-scopes", test_nested_scopes);
    g_test_add_func("/lock/two-in-one-scope", test_two_in_one_scope);
    g_test_add_func("/lock/loop", test_loop);
    return g_test_run();
}
