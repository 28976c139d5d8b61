#include "config.h"

#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_COLUMNS 80

static guint
columns_of(int fd)
{
    struct winsize size = {0};

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return USUAL_COLUMNS;
}

guint
ferry_terminal_columns(void)
{
    return columns_of(STDOUT_FILENO);
}

guint
ferry_terminal_error_columns(void)
{
    return columns_of(STDERR_FILENO);
}

bool
ferry_terminal_can_redraw(void)
{
    const char *term = g_getenv("TERM");

    return isatty(STDOUT_FILENO) && term && g_strcmp0(term, "dumb") != 0 && *term != '\0';
}

bool
ferry_terminal_can_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}
