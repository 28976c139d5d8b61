#!/usr/bin/python3
"""The first process of a namespace: everything inside dies with it.

Started by namespace.py, never by hand. It makes new mount, UTS, IPC, network and PID namespaces,
tells the outer PID of its init on standard output once all is made, and then only collects dead
children. The end of standard input is the death of the laboratory, and so of this; the byte "d"
on it detaches: from then on the namespace lives until somebody ends the init.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_NAME = 15

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        error = ctypes.get_errno()
        sys.exit("%s: %s" % (what, os.strerror(error)))


def mount(source, target, kind, flags):
    checked(libc.mount(source, target, kind, ctypes.c_ulong(flags), None),
            "mount %s" % target.decode())


def reap():
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def init(name, ready):
    mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
    mount(b"proc", b"/proc", b"proc", MS_NOSUID_NODEV_NOEXEC)
    # The view of /sys/class/net belongs to the network namespace of whoever mounted it.
    mount(b"sysfs", b"/sys", b"sysfs", MS_NOSUID_NODEV_NOEXEC)
    hostname = name.encode()
    checked(libc.sethostname(hostname, len(hostname)), "sethostname")

    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 1)
    os.write(ready, b"r")
    os.close(ready)

    watched = [wake_read, 0]
    while True:
        readable, _, _ = select.select(watched, [], [])
        if wake_read in readable:
            os.read(wake_read, 512)
            reap()
        if 0 in readable:
            if os.read(0, 1) != b"d":
                return
            os.dup2(devnull, 0)
            os.dup2(devnull, 2)
            watched.remove(0)


def main():
    name = sys.argv[1]
    libc.prctl(PR_SET_NAME, ("lab-" + name).encode()[:15], 0, 0, 0)
    # Ctrl-C on a terminal is for the laboratory: it ends its namespaces in order.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    checked(libc.unshare(flags), "unshare")
    readable, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(readable)
        init(name, ready)
        os._exit(0)
    os.close(ready)
    if os.read(readable, 1) == b"r":
        with contextlib.suppress(BrokenPipeError):
            os.write(1, b"%d\n" % pid)
    devnull = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(devnull, fd)
    # Staying as the parent makes the namespace's end a child's end for the laboratory.
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
