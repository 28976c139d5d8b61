#!/usr/bin/python3
"""Runs a program as systemd would by virt-ferryd's unit, as far as namespaces give it.

Started inside a host by agent.py, never by hand, with what unit.py says as JSON and a command. It
stays one process: what was started is what the command becomes.
"""

import ctypes
import json
import os
import resource
import subprocess
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


def confine_files(program, writable):
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
    if program:
        # Where it was built nobody but root may be able to go.
        mount(program["built"], program["seen"], None, MS_BIND)


def become(user):
    """The user with its groups, and no way back."""
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    os.initgroups(user["name"], user["gid"])
    os.setresgid(user["gid"], user["gid"], user["gid"])
    os.setresuid(user["uid"], user["uid"], user["uid"])
    os.umask(user["umask"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def filter_calls(code):
    program = Program(len(code) // 8, code)
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
            "the system call filter")


def main():
    unit = json.loads(sys.argv[1])
    command = sys.argv[2:]
    for words in unit["before"]:
        subprocess.run(words, check=False)
    confine_files(unit["program"], unit["writable"])
    filters = []
    for path in unit["filters"]:
        with open(path, "rb") as file:
            filters.append(file.read())
    become(unit["user"])
    for code in filters:
        filter_calls(code)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
