#include "config.h"

#include "../../cli/plain-text.h"
#include "../../cli/progress-line.h"
#include "ferry/json.h"

#include <string.h>

#define GIB ((json_int_t)1 << 30)

static json_t *
running_payload(void)
{
    return json_pack("{s:s,s:s,s:{s:i,s:I,s:I,s:{s:I,s:I},s:{s:I,s:I}}}", "status", "running",
                     "phase", "disk", "progress", "percent", 40, "eta_ms", (json_int_t)16500,
                     "throughput_bytes_s", (json_int_t)110 << 20, "disk", "total_bytes", 3 * GIB,
                     "remaining_bytes", 2 * GIB, "memory", "total_bytes", GIB / 2,
                     "remaining_bytes", GIB / 2);
}

static void
assert_renders(const json_t *payload, guint columns, const char *expected)
{
    g_autofree char *line = ferry_progress_line_render(payload, columns);

    g_assert_cmpstr(line, ==, expected);
}

static void
test_widths(void)
{
    g_autoptr(FerryJson) payload = running_payload();

    assert_renders(payload, 0, "disk 40%  ETA 17 s  110 MiB/s  disk 1.0/3.0 GiB  memory 0/512 MiB");
    assert_renders(
        payload, 79,
        "disk 40%  [####------]  ETA 17 s  110 MiB/s  disk 1.0/3.0 GiB  memory 0/512 MiB");
    assert_renders(payload, 32, "disk 40%  [####------]  ETA 17 s");
    assert_renders(payload, 8, "disk 40%");
    assert_renders(payload, 6, "dis...");
}

/* Whatever the width, the line fits; bar and shares are there where they have room. */
static void
test_every_width_fits(void)
{
    g_autoptr(FerryJson) payload = running_payload();

    for (guint columns = 1; columns < 250; columns++) {
        g_autofree char *line = ferry_progress_line_render(payload, columns);

        g_assert_cmpuint(ferry_plain_text_columns(line), <=, columns);
        if (columns >= 40)
            g_assert_nonnull(strchr(line, '#'));
        if (columns >= 80)
            g_assert_nonnull(strstr(line, "memory 0/512 MiB"));
    }
}

/* What fights what, and what will happen when, instead of a rate that leads nowhere. */
static void
test_stalled(void)
{
    g_autoptr(FerryJson) payload = running_payload();
    json_t *progress = json_object_get(payload, "progress");
    json_t *stalled = json_pack("{s:s,s:I,s:I,s:s,s:i}", "of", "disk", "writes_bytes_s",
                                (json_int_t)31 << 20, "link_bytes_s", (json_int_t)24 << 20,
                                "action", "synchronous-writes", "action_in_ms", 19600);

    json_object_set_new(progress, "eta_ms", json_null());
    json_object_set_new(progress, "converging", json_false());
    json_object_set_new(progress, "stalled", stalled);
    assert_renders(payload, 0,
                   "disk 40%  writes 31 MiB/s, link 24 MiB/s; synchronous writes in 20 s  "
                   "disk 1.0/3.0 GiB  memory 0/512 MiB");
    json_object_set_new(stalled, "action", json_string("post-copy"));
    json_object_set_new(stalled, "action_in_ms", json_integer(0));
    assert_renders(
        payload, 80,
        "disk 40%  [########-------------]  writes 31 MiB/s, link 24 MiB/s; post-copy now");
    json_object_set_new(stalled, "doing", json_string("pause"));
    json_object_set_new(stalled, "action", json_string("fail"));
    json_object_set_new(stalled, "action_in_ms", json_integer(60000));
    assert_renders(payload, 0,
                   "disk 40%  writes 31 MiB/s, link 24 MiB/s; tries a longer pause; gives up in "
                   "1 min 00 s  disk 1.0/3.0 GiB  memory 0/512 MiB");
    json_object_set_new(stalled, "doing", json_null());
    json_object_set_new(stalled, "action", json_null());
    assert_renders(payload, 0,
                   "disk 40%  writes 31 MiB/s, link 24 MiB/s  "
                   "disk 1.0/3.0 GiB  memory 0/512 MiB");
    json_object_set_new(progress, "stalled", json_null());
    assert_renders(payload, 0, "disk 40%  does not converge  disk 1.0/3.0 GiB  memory 0/512 MiB");
    json_object_set_new(progress, "converging", json_null());
    assert_renders(payload, 0, "disk 40%  110 MiB/s  disk 1.0/3.0 GiB  memory 0/512 MiB");
}

static void
test_before_and_after_the_transfer(void)
{
    g_autoptr(FerryJson) queued =
        json_pack("{s:s,s:n,s:n}", "status", "queued", "phase", "progress");

    assert_renders(queued, 80, "queued");
    /* The phase of a transfer that is over says nothing any more. */
    g_autoptr(FerryJson) finishing = json_pack("{s:s,s:s,s:{s:i}}", "status", "post-migrating",
                                               "phase", "memory", "progress", "percent", 100);
    assert_renders(finishing, 0, "post-migrating 100%");
    /* What ended has no end to wait for. */
    static const char *const ended[] = {"completed", "failed", "cancelled", "error",
                                        "post-migrating"};
    for (size_t i = 0; i < G_N_ELEMENTS(ended); i++) {
        g_autoptr(FerryJson) payload = running_payload();
        g_autofree char *expected =
            g_strdup_printf("%s 40%%  disk 1.0/3.0 GiB  memory 0/512 MiB", ended[i]);

        json_object_set_new(payload, "status", json_string(ended[i]));
        assert_renders(payload, 0, expected);
    }
}

static void
test_strange_values(void)
{
    g_autoptr(FerryJson) nothing = json_object();

    assert_renders(nothing, 80, "?");
    g_autoptr(FerryJson) odd =
        json_pack("{s:s,s:s,s:{s:i,s:n,s:i,s:{s:i,s:i}}}", "status", "running", "phase", "di\033sk",
                  "progress", "percent", 900, "eta_ms", "throughput_bytes_s", -3, "disk",
                  "total_bytes", 100, "remaining_bytes", 900);
    assert_renders(odd, 0, "di\357\277\275sk 100%  disk 0/100 B");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress-line/widths", test_widths);
    g_test_add_func("/progress-line/every-width", test_every_width_fits);
    g_test_add_func("/progress-line/other-steps", test_before_and_after_the_transfer);
    g_test_add_func("/progress-line/stalled", test_stalled);
    g_test_add_func("/progress-line/strange", test_strange_values);
    return g_test_run();
}
