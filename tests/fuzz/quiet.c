#include "config.h"

#include "target.h"

#include <glib.h>

static GLogWriterOutput
write_nothing(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    return G_LOG_WRITER_HANDLED;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_log_set_writer_func(write_nothing, NULL, NULL);
    return 0;
}
