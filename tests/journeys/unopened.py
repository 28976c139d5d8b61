"""Files that nobody may open while something is asked."""

import contextlib
import ctypes
import os
import struct

IN_OPEN = 0x20


@contextlib.contextmanager
def unopened(host, *paths):
    """Nobody, the agent and libvirt included, opens these files of the host in the block."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    for path in paths:
        if libc.inotify_add_watch(watch, host.path(path).encode(), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), path)
    try:
        yield
        with contextlib.suppress(BlockingIOError):
            events = os.read(watch, 4096)
            raise AssertionError("opened: %d events" % (len(events) // struct.calcsize("iIII")))
    finally:
        os.close(watch)
