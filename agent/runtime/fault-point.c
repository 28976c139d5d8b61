#include "config.h"

#include "runtime/fault-point.h"

#ifdef FERRY_FAULT_POINTS

#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define HELD_LOOK_US (10 * 1000)

/* A test that waits for us here finds the file "NAME.reached"; we go on when its own is gone. */
static void
stay_while_held(const char *folder, const char *here)
{
    g_autofree char *hold = g_build_filename(folder, here, NULL);
    g_autofree char *reached = g_strdup_printf("%s.reached", hold);

    if (!g_file_test(hold, G_FILE_TEST_EXISTS))
        return;
    g_file_set_contents(reached, "", 0, NULL);
    while (g_file_test(hold, G_FILE_TEST_EXISTS))
        g_usleep(HELD_LOOK_US);
}

void
ferry_fault_point(const char *place, const char *moment)
{
    const char *wanted = g_getenv("VIRT_FERRY_FAULT_POINT");
    const char *folder = g_getenv("VIRT_FERRY_FAULT_POINTS");
    g_autofree char *here = g_strdup_printf("%s:%s", place, moment);

    if (g_strcmp0(wanted, here) == 0)
        kill(getpid(), SIGKILL);
    if (folder)
        stay_while_held(folder, here);
}

#else
/* ISO C wants something in every file. */
typedef int FerryNoFaultPoints;
#endif
