#!/usr/bin/python3
"""Runs a program as systemd would by virt-ferryd's unit, as far as namespaces give it.

Started inside a host by agent.py, never by hand, with what unit.py says and a command. It stays
one process: what was started is what the command becomes. Every module that is imported makes each
start of an agent slower.
"""

import ctypes
import os
import resource
import sys

CLONE_NEWNS = 0x00020000
MS_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 1
SYS_MOUNT_SETATTR = 442
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

libc = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    """struct sock_fprog"""
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def checked(result, what):
    if result != 0:
        sys.exit("%s: %s" % (what, os.strerror(ctypes.get_errno())))


def mount(source, target, kind, flags, data=None):
    checked(libc.mount(source.encode(), target.encode(), kind, ctypes.c_ulong(flags), data),
            "mount %s" % target)


def set_read_only(path, read_only):
    """A mount and all below it."""
    wanted = MOUNT_ATTR_RDONLY if read_only else 0
    # attr_set, attr_clr, propagation, userns_fd
    attributes = (ctypes.c_uint64 * 4)(wanted, MOUNT_ATTR_RDONLY - wanted, 0, 0)
    checked(libc.syscall(ctypes.c_long(SYS_MOUNT_SETATTR), AT_FDCWD, path.encode(), AT_RECURSIVE,
                         attributes, ctypes.c_size_t(ctypes.sizeof(attributes))),
            "mount_setattr %s" % path)


def confine_files(programs, writable):
    """What is mounted on the host later is seen here, too."""
    checked(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", None, MS_REC | MS_SLAVE)
    set_read_only("/", True)
    set_read_only("/dev", False)
    mount("proc", "/proc", b"proc", MS_NOSUID_NODEV_NOEXEC, b"hidepid=invisible")
    mount("/proc/sys", "/proc/sys", None, MS_BIND)
    set_read_only("/proc/sys", True)
    for path in writable:
        if os.path.exists(path):
            mount(path, path, None, MS_BIND | MS_REC)
            set_read_only(path, False)
    for built, seen in programs:
        # Where it was built nobody but root may be able to go.
        mount(built, seen, None, MS_BIND)


def become(name, uid, gid, umask):
    """The user with its groups, and no way back."""
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    os.initgroups(name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    os.umask(umask)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def filter_calls(code):
    program = Program(len(code) // 8, code)
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
            "the system call filter")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    told = {"user": [], "writable": [], "filter": [], "program": []}
    for line in sys.argv[1].splitlines():
        key, *words = line.split("\t")
        told[key].append(words)
    command = sys.argv[2:]
    confine_files(told["program"], [path for path, in told["writable"]])
    filters = [read(path) for path, in told["filter"]]
    (name, uid, gid, umask), = told["user"]
    become(name, int(uid), int(gid), int(umask, 8))
    for code in filters:
        filter_calls(code)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
