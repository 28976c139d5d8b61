#include "config.h"

#include "xml/arrival-mark.h"

#include "ferry/error.h"

#include <string.h>

static char *
add(const char *xml, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    char *marked = ferry_arrival_mark_add(xml, migration_id, &error);

    g_assert_no_error(error);
    return marked;
}

static void
assert_mark(const char *xml, const char *migration_id)
{
    g_autofree char *found = ferry_arrival_mark_find(xml);

    g_assert_cmpstr(found, ==, migration_id);
}

static void
test_there_and_back(void)
{
    g_autofree char *first = add("<domain><name>web</name></domain>", "one");
    g_autofree char *second = add(first, "two");

    assert_mark(first, "one");
    assert_mark(second, "two");
    g_assert_null(strstr(second, "one"));
}

/* What others keep in the metadata stays. */
static void
test_among_others(void)
{
    g_autofree char *xml = add("<domain><metadata><a:x xmlns:a='urn:a'>k&amp;y</a:x>"
                               "<ferry:placement xmlns:ferry='urn:virt-ferry:1' apart='g'/>"
                               "</metadata><name>web</name></domain>",
                               "one");

    assert_mark(xml, "one");
    g_assert_nonnull(strstr(xml, "<a:x xmlns:a=\"urn:a\">k&amp;y</a:x>"));
    g_assert_nonnull(strstr(xml, "urn:virt-ferry:1\" apart=\"g\""));
}

static void
test_no_mark(void)
{
    static const char *const documents[] = {
        "<domain/>",
        "<domain><metadata/></domain>",
        "<domain><metadata><arrival migration='one'/></metadata></domain>",
        "<domain><metadata><x:arrival xmlns:x='urn:x' migration='one'/></metadata></domain>",
        "<domain><x:arrival xmlns:x='urn:virt-ferry:arrival:1' migration='one'/></domain>",
        "<network/>",
        "",
    };
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++)
        assert_mark(documents[i], NULL);
    g_assert_null(ferry_arrival_mark_add("<network/>", "one", &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

static void
test_clean(void)
{
    static const char *const documents[] = {"<domain><metadata/><name>web</name></domain>",
                                            "<domain><metadata>\n  </metadata><name>web</name>"
                                            "</domain>"};

    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *cleaned = ferry_arrival_mark_clean(documents[i]);

        g_assert_nonnull(cleaned);
        g_assert_null(strstr(cleaned, "metadata"));
        g_assert_nonnull(strstr(cleaned, "<name>web</name>"));
    }
    g_assert_null(ferry_arrival_mark_clean("<domain/>"));
    g_assert_null(
        ferry_arrival_mark_clean("<domain><metadata><a:x xmlns:a='urn:a'/></metadata></domain>"));
    g_assert_null(ferry_arrival_mark_clean("no document"));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arrival-mark/there-and-back", test_there_and_back);
    g_test_add_func("/arrival-mark/among-others", test_among_others);
    g_test_add_func("/arrival-mark/no-mark", test_no_mark);
    g_test_add_func("/arrival-mark/clean", test_clean);
    return g_test_run();
}
