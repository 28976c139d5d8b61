"""Machines that boot with their own systemd, from copies of a tree.

Everything is mounted in a mount namespace of this process (apart()), and goes with it.
"""

import os
import shutil
import subprocess
import sys

from .deadline import wait_until
from .namespace import Namespace, children, end_init, start_time

_APART = "VIRT_FERRY_MOUNTS_APART"
APT = ("DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "--no-install-recommends",
        "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root", "-o",
        "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Options::=--force-confold")


def install(**packages):
    """Installs what this machine lacks: program=package."""
    missing = [package for program, package in packages.items()
               if not shutil.which(program.replace("_", "-"))]
    if missing:
        print("# installing %s" % " ".join(missing), flush=True)
        subprocess.run(["env", *APT, "install", *missing], check=True, stdout=subprocess.DEVNULL)


def apart():
    """Starts the program again with mounts of its own, which end with it."""
    if os.environ.get(_APART):
        return
    install(systemd_nspawn="systemd-container")
    os.environ[_APART] = "1"
    # Not with processes of its own: laboratories know each other's owners by their PIDs.
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                          *sys.argv])


class Copy:
    """A root that may be written to, over a tree that stays as it is.

    folder: one whose removal is the caller's; only after close(), because the cache is bound below.
    """

    def __init__(self, folder, lower, archives=None):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        scratch = os.path.join(folder, "scratch")
        for place in (self.root, scratch):
            os.makedirs(place)
        # The upper layer may not lie on another overlay, so it has a tmpfs.
        _mount("-t", "tmpfs", "-o", "mode=755", "scratch", scratch)
        for place in ("upper", "work"):
            os.mkdir(os.path.join(scratch, place))
        os.chmod(os.path.join(scratch, "upper"), 0o755)
        _mount("-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/upper,workdir=%s/work"
               % (lower, scratch, scratch), "overlay", self.root)
        self.upper = os.path.join(scratch, "upper")
        if archives:
            self.bind(archives, "/var/cache/apt/archives")

    def close(self):
        for place in ("root", "scratch"):
            subprocess.run(["umount", "--recursive", "--lazy", os.path.join(self.folder, place)],
                           check=True)

    def bind(self, source, target):
        os.makedirs(self.root + target, exist_ok=True)
        _mount("--bind", source, self.root + target)

    def run(self, *command, check=True, env=(), timeout=1800):
        """Runs a command in it with this machine's network and no service; returns what it said."""
        script = """
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
test -L "$1/etc/resolv.conf" || cp /etc/resolv.conf "$1/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"
status=0; root=$1; shift; chroot "$root" env HOME=/root LC_ALL=C.UTF-8 "$@" || status=$?
rm -f "$root/usr/sbin/policy-rc.d"; exit $status
"""
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-ec",
             script, "sh", self.root, *env, *command], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise RuntimeError("%s: status %d\n%s" % (" ".join(command), done.returncode,
                                                      done.stdout[-4000:]))
        return done.stdout

    def apt(self, *words):
        return self.run("env", *APT, *words)


class Machine(Namespace):
    """A machine with systemd that boots from a copy, without a network of its own.

    kept: folders of this machine that it sees at the same place.
    """

    def __init__(self, name, copy, kept=(), arguments=()):
        super().__init__(name)
        self.copy = copy
        self.log = os.path.join(copy.folder, "boot.log")
        self._kept = kept
        self._arguments = arguments
        self._nspawn = None

    def start(self, keep_open=()):
        """Boots it; nothing of it outlives this process."""
        with open(os.path.join(self.copy.root, "etc/hostname"), "w", encoding="ascii") as out:
            out.write(self.name + "\n")
        with open(self.log, "wb") as log:
            self._nspawn = subprocess.Popen(
                # Its init dies with the namespace, and that with this process, however it ends.
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child",
                 "--mount-proc", "systemd-nspawn", "--quiet", "--boot",
                 "--private-network", "--register=no", "--keep-unit", "--console=read-only",
                 "--link-journal=no", "--machine=" + self.name, "--directory=" + self.copy.root,
                 "--capability=all", *["--bind=" + folder for folder in self._kept],
                 *self._arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                # The layout of this machine's control groups may be one that systemd gave up.
                env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"), start_new_session=True,
                pass_fds=tuple(keep_open))
        self.pid = wait_until(self._find, 30, "%s: the init" % self.name)
        self._started = start_time(self.pid)
        wait_until(self._is_up, 180, "%s: the end of its boot" % self.name, interval=0.2)
        return self

    def _find(self):
        if self._nspawn.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise RuntimeError("%s: does not boot\n%s" % (self.name, log.read()[-2000:]))
        for pid in (pid for parent in children(self._nspawn.pid) for pid in children(parent)):
            try:
                with open("/proc/%d/cmdline" % pid, "rb") as cmdline:
                    words = cmdline.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # A child that is about to end has no words any more, and one that ended no file.
            if words and b"systemd-nspawn" not in words:
                return pid
        return None

    def _is_up(self):
        done = self.run("systemctl", "is-system-running", check=False)
        return done.stdout.strip() in ("running", "degraded")

    def stop(self):
        if self.pid is None:
            return
        end_init(self.pid, self._started)
        self._nspawn.kill()
        self._nspawn.wait(20)
        self.pid = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def apt(self, *words, check=True):
        return self.run("env", *APT, *words, timeout=600, check=check,
                        env=dict(PATH=_PATH, LC_ALL="C.UTF-8"))


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _mount(*words):
    subprocess.run(["mount", *words], check=True)
