#include "config.h"

#include "wakeup.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct FerryWakeup {
    int fd;
};

FerryWakeup *
ferry_wakeup_new(void)
{
    FerryWakeup *self = g_atomic_rc_box_new0(FerryWakeup);

    self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->fd < 0)
        g_error("No eventfd: %s", g_strerror(errno));
    return self;
}

FerryWakeup *
ferry_wakeup_ref(FerryWakeup *self)
{
    return g_atomic_rc_box_acquire(self);
}

static void
wakeup_clear(gpointer data)
{
    const FerryWakeup *self = data;

    close(self->fd);
}

void
ferry_wakeup_unref(FerryWakeup *self)
{
    g_atomic_rc_box_release_full(self, wakeup_clear);
}

void
ferry_wakeup_signal(FerryWakeup *self)
{
    const uint64_t one = 1;
    /* It fails only when the counter is full; then the waiting thread wakes up anyway. */
    ssize_t written = write(self->fd, &one, sizeof one);

    (void)written;
}

static int
timeout_ms(gint64 deadline_us)
{
    if (deadline_us == G_MAXINT64)
        return -1;
    gint64 left_us = MAX(deadline_us - g_get_monotonic_time(), 0);
    /* Rounded up, or the last millisecond would be a busy loop. */
    return (int)MIN((left_us + 999) / 1000, G_MAXINT);
}

bool
ferry_wakeup_wait(FerryWakeup *self, int fd, gint64 deadline_us)
{
    struct pollfd fds[] = {
        {.fd = self->fd, .events = POLLIN},
        {.fd = fd, .events = POLLIN},
    };

    if (poll(fds, fd >= 0 ? 2 : 1, timeout_ms(deadline_us)) <= 0)
        return false;
    if (fds[0].revents != 0) {
        uint64_t count = 0;
        ssize_t got = read(self->fd, &count, sizeof count);

        (void)got;
    }
    return fds[1].revents != 0;
}
