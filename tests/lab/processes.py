"""Processes of a host, as the machine sees them: by the PID namespace they live in."""

import os


def beside(pid):
    """PIDs of all processes in the PID namespace of a process that lives."""
    mine = os.stat("/proc/%d/ns/pid" % pid).st_ino
    return [other for other, number in _namespaces() if number == mine]


def outer(pid, inner):
    """The machine's PID of what has PID inner in the namespace of pid; None where there is none."""
    for other in beside(pid):
        try:
            with open("/proc/%d/status" % other, encoding="utf-8") as status:
                if any(line.startswith("NSpid:") and line.split()[-1] == str(inner)
                       for line in status):
                    return other
        except OSError:
            continue
    return None


class Namespaces:
    """The PID namespaces of a laboratory that is up, to be asked after it went down too."""

    def __init__(self, lab):
        # The kernel gives the number of a namespace that ended to the next one, which may be
        # another laboratory's: an open one keeps its number.
        self._open = [os.open("/proc/%d/ns/pid" % namespace.pid, os.O_RDONLY | os.O_CLOEXEC)
                      for namespace in (lab.network.switch, lab.hub, *lab.hosts.values())]
        self._numbers = {os.fstat(descriptor).st_ino for descriptor in self._open}

    def close(self):
        """Gives the numbers back."""
        while self._open:
            os.close(self._open.pop())

    def pids(self):
        """PIDs of all processes that live in one of them."""
        return [pid for pid, number in _namespaces() if number in self._numbers]


def _namespaces():
    """(PID, number of its PID namespace) of each process that is there."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                yield int(entry), os.stat("/proc/%s/ns/pid" % entry).st_ino
            except OSError:
                continue
