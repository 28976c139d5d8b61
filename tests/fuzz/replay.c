/* replay.c: feeds the inputs of a fuzz target's corpus to it, as an ordinary test that speaks TAP.
 *
 * replay-NAME takes the files of fuzz/corpus/NAME below G_TEST_SRCDIR; replay-NAME FILE... these.
 */
#include "config.h"

#include "target.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
feed(const char *path, guint number)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length = 0;

    if (!g_file_get_contents(path, &bytes, &length, &error)) {
        printf("Bail out! %s\n", error->message);
        exit(1);
    }
    /* A copy of the exact length, so that a sanitizer sees a read past its end; not GLib's, which
     * has no address for an empty one. */
    guint8 *input = malloc(length);

    memcpy(input, bytes, length);
    LLVMFuzzerTestOneInput(input, length);
    free(input);
    printf("ok %u %s\n", number, name);
    fflush(stdout);
}

static gint
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *
list_corpus(const char *program)
{
    g_autofree char *base = g_path_get_basename(program);
    const char *target = g_str_has_prefix(base, "replay-") ? base + strlen("replay-") : base;
    g_autofree char *folder =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "fuzz", "corpus", target, NULL);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    for (const char *name = NULL; dir && (name = g_dir_read_name(dir));)
        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

int
main(int argc, char *argv[])
{
    g_autoptr(GPtrArray) corpus = argc > 1 ? g_ptr_array_new() : list_corpus(argv[0]);

    for (int i = 1; i < argc; i++)
        g_ptr_array_add(corpus, argv[i]);
    if (corpus->len == 0) {
        printf("Bail out! no corpus: G_TEST_SRCDIR must name the folder tests/\n");
        return 1;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    printf("1..%u\n", corpus->len);
    for (guint i = 0; i < corpus->len; i++)
        feed(g_ptr_array_index(corpus, i), i + 1);
    return 0;
}
