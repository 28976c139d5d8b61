"""A set of Linux namespaces with an init of its own, and processes inside."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import threading

from .deadline import Deadline, wait_until

HOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "holder.py")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class CommandFailed(RuntimeError):
    """A command inside a namespace ended with another status than expected."""


def start_time(pid):
    """The kernel's start time of a process, None if it is gone: tells a reused PID apart."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # A zombie has ended; only its parent has not noticed.
    return None if fields[0] in b"ZX" else int(fields[19])


def children(parent):
    """PIDs of the direct children of a process."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry, "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and fields[0] not in b"ZX":
            found.append(int(entry))
    return found


def end_init(pid, started, patience=10.0):
    """Kills an init and waits until all of its namespace is gone; a reused PID is left alone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Checked with the handle held: from here on the PID cannot change its meaning.
        if start_time(pid) != started:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        deadline = Deadline(patience, "the end of process %d" % pid)
        while not select.select([handle], [], [], 0.2)[0]:
            _resume_entering(pid)
            deadline.check()
    finally:
        os.close(handle)


def _resume_entering(init):
    """nsenter stops itself when its child is stopped, and then does not collect the dead child,
    for which the end of the namespace waits."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % entry, "rb") as words:
                if words.read().startswith(b"/usr/bin/nsenter\0--target\0%d\0" % init):
                    os.kill(int(entry), signal.SIGCONT)
        except (FileNotFoundError, ProcessLookupError):
            continue


class Stoppable:
    """What has signal(), wait() and a log_path; its users take it for a Process."""

    log_path = None

    def stop(self, seconds=10.0):
        """SIGTERM, then SIGKILL when it does not help; returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait(10)

    def log(self):
        if self.log_path is None or not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Process(Stoppable):
    """A process inside a namespace, seen from outside: `pid` is the machine's view of it."""

    def __init__(self, name, entering, log_path=None):
        self.name = name
        self.log_path = log_path
        self._entering = entering
        self.pid = self._find()
        self._started = self.pid and start_time(self.pid)

    def _find(self):
        # nsenter has to fork to get into a PID namespace; the child is the one that is meant.
        for _ in range(2000):
            found = children(self._entering.pid)
            if found:
                return found[0]
            if self._entering.poll() is not None:
                return None
        raise RuntimeError("%s: no process inside the namespace" % self.name)

    def alive(self):
        return self._entering.poll() is None

    def signal(self, number):
        if self.pid and start_time(self.pid) == self._started:
            os.kill(self.pid, number)
        if number != signal.SIGSTOP and self._entering.poll() is None:
            # It stops together with its child, but does not see the child go on.
            os.kill(self._entering.pid, signal.SIGCONT)

    def wait(self, seconds):
        """Exit status; negative for a signal as far as nsenter tells."""
        return self._entering.wait(seconds)


class Namespace:
    """Own mounts, host name, network and PIDs; whatever runs inside dies with it."""

    def __init__(self, name, pid=None, started=None):
        self.name = name
        self.pid = pid
        self._started = started
        self._holder = None

    # Life

    def start(self, keep_open=()):
        """Makes the namespaces; keep_open are descriptors that stay open while they live."""
        self._holder = subprocess.Popen(
            ["/usr/bin/python3", "-IS", HOLDER, self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=tuple(keep_open))
        told = self._holder.stdout.readline()
        self._holder.stdout.close()
        if not told.strip().isdigit():
            self._holder.stdin.close()
            self._holder.wait()
            raise RuntimeError("%s: the namespaces could not be made (are you root?)" % self.name)
        self.pid = int(told)
        self._started = start_time(self.pid)

    def record(self):
        return {"name": self.name, "pid": self.pid, "started": self._started}

    def alive(self):
        return self.pid is not None and start_time(self.pid) == self._started

    def detach(self):
        """From now on the namespaces outlive this process."""
        self._holder.stdin.write(b"d")
        self._holder.stdin.close()
        self._holder = None

    def stop(self):
        """Ends the init: the kernel kills all inside before its end is seen."""
        if self.pid is not None:
            end_init(self.pid, self._started)
        if self._holder is not None:
            with contextlib.suppress(OSError):
                self._holder.stdin.close()
            self._holder.wait(10)
            self._holder = None
        self.pid = None

    # What goes on inside

    def path(self, inside):
        """Where a path of the inside is seen from the outside."""
        return "/proc/%d/root%s" % (self.pid, inside)

    def prefix(self, directory="/"):
        """Words to put before a command that shall run inside."""
        return ["/usr/bin/nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc",
                "--net", "--pid", "--wd=" + directory, "--"]

    def run(self, *command, check=True, timeout=60, stdin=None, env=None):
        """Runs a command inside to its end; returns CompletedProcess with text output."""
        done = subprocess.run(
            self.prefix() + [str(word) for word in command], input=stdin, text=True, env=env,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
            start_new_session=True)
        if check and done.returncode != 0:
            raise CommandFailed("%s: %s: status %d\n%s%s" % (
                self.name, " ".join(map(str, command)), done.returncode, done.stdout,
                done.stderr))
        return done

    def run_network_script(self, lines):
        """Runs shell lines in the network namespace only: PIDs and files are the machine's."""
        subprocess.run(["/usr/bin/nsenter", "--target", str(self.pid), "--net", "--",
                        "sh", "-ec", "\n".join(lines)],
                       stdin=subprocess.DEVNULL, check=True, timeout=30, start_new_session=True)

    def output(self, *command, **options):
        return self.run(*command, **options).stdout.strip()

    def spawn(self, name, *command, log_path=None, env=None, append=True):
        """Starts a long-running command inside; its output goes to log_path."""
        with open(log_path or os.devnull, "ab" if append else "wb") as log:
            entering = subprocess.Popen(
                self.prefix() + [str(word) for word in command], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True)
        return Process(name, entering, log_path)

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread makes in the block belong to the inside."""
        if not self.alive():
            raise ProcessLookupError("%s: the namespaces are gone" % self.name)
        with open("/proc/thread-self/ns/net", "rb") as own, \
                open("/proc/%d/ns/net" % self.pid, "rb") as other:
            _setns(other)
            try:
                yield self
            finally:
                _setns(own)

    def wait_port(self, port, seconds, process=None):
        """Waits until something listens on a TCP port inside."""
        def listening():
            if process is not None and not process.alive():
                raise RuntimeError("%s: %s has ended\n%s"
                                   % (self.name, process.name, process.log()[-4000:]))
            return self._listens(port)
        wait_until(listening, seconds, "%s: port %d" % (self.name, port), interval=0.02)

    def _listens(self, port):
        for table in ("tcp", "tcp6"):
            with open("/proc/%d/net/%s" % (self.pid, table), encoding="ascii") as sockets:
                for line in sockets.readlines()[1:]:
                    local, state = line.split()[1], line.split()[3]
                    if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                        return True
        return False


def _setns(handle):
    if _libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "setns in thread %d: %s"
                      % (threading.get_ident(), os.strerror(error)))
