/* copy-file.c: the agent's carrier (agent/files/copy.h) as a program, for tests/bench/files.py.
 *
 * copy-file URI FROM TO: what has arrived in TO is taken for nothing. */
#include "config.h"

#include "files/copy.h"

int
main(int argc, char **argv)
{
    if (argc != 4) {
        g_printerr("usage: copy-file URI FROM TO\n");
        return 2;
    }

    g_autoptr(FerryVirt) virt = ferry_virt_new("qemu:///system");
    g_autoptr(GError) error = NULL;
    FerryFileCopyCounter counter = {0};
    FerryFileCopyRequest request = {
        .virt = virt, .to_uri = argv[1], .from_path = argv[2], .to_path = argv[3]};

    if (!ferry_file_copy_run(&request, &counter, &error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    return 0;
}
