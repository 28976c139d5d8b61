"""Two or more hypervisor hosts and a broker on one machine, and nothing of it left afterwards.

    with Lab() as lab:
        guest = lab.guest("kvm01", "vm1", [Disk("vda", data=300 * MIB)])
        guest.create_images().start().wait_number(5)
"""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time

from . import acceleration, release, unit
from .agent import Agent
from .certs import Authority
from .controller import Controller
from .guest import Disk, Guest
from .host import Host
from .hub import Hub, folder_of
from .kernel import Kernel, write_initrd
from .namespace import Namespace, end_init, start_time
from .network import CONTROL, MIGRATION, SUBNETS, Network
from .ssh import Keyring
from .tenancy import Tenancy
from .volume_group import forget_in

__all__ = ("Disk", "Lab", "end", "end_on_signals", "labs", "sweep")

PREFIX = "virt-ferry-lab-"
STATE = "lab.json"
LOCK = "lock"
BROKER = "broker"
BROKER_NUMBER = 1
FIRST_HOST_NUMBER = 11
# A folder younger than this without state may be one that is just being made.
NEWBORN_S = 60

_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Lab:
    """A laboratory; up() and down(), or a with block.

    hosts: names of the hosts, which are also their host names.
    broker, sshd, libvirtd: whether these are started.
    releases: {host: suite of Debian} for hosts of another release than this machine's; by default
    what VIRT_FERRY_LAB_RELEASES says ("kvm02=trixie,kvm03=trixie"). The host "broker" is the one
    with RabbitMQ, from where orders come.
    """

    host_class = Host
    agent_class = Agent

    def __init__(self, hosts=("kvm01", "kvm02"), broker=True, sshd=False, libvirtd=True,
                 releases=None):
        self.directory = None
        self.hosts = {}
        self.broker = None
        self.hub = None
        self.network = None
        self.domain_type = None
        self.url = None
        self.detached = False
        self.releases = _others(release.wanted((*hosts, BROKER)) if releases is None else releases)
        self._names = list(hosts)
        self._wants = {"broker": broker, "sshd": sshd, "libvirtd": libvirtd}
        self._lock = None
        self._broker_release = None

    # Up

    def up(self):
        """Brings everything up; on any failure everything is down again when it returns."""
        sweep()
        made = {suite: release.Release(suite).ensure()
                for suite in sorted({suite for name, suite in self.releases.items()
                                     if name != BROKER})}
        if BROKER in self.releases:
            self._broker_release = release.BrokerRelease(self.releases[BROKER]).ensure()
        self.directory = tempfile.mkdtemp(prefix=PREFIX, dir=base_directory())
        try:
            self._lock = os.open(os.path.join(self.directory, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            # The broker's user has to get to its folder.
            os.chmod(self.directory, 0o711)
            self._make_namespaces(made)
            self._start_services()
        except BaseException:
            self.down()
            raise
        return self

    def _make_namespaces(self, releases):
        # Each init keeps the lock open: it is free only when all of them are gone.
        keep = (self._lock,)
        self.network = Network()
        self.hub = Namespace(BROKER)
        self.hosts = {name: self.host_class(name, FIRST_HOST_NUMBER + index,
                                            os.path.join(self.directory, name),
                                            release=releases.get(self.releases.get(name)))
                      for index, name in enumerate(self._names)}
        for namespace in (self.network, self.hub, *self.hosts.values()):
            namespace.start(keep)
        self._save()
        address = self.network.attach(self.hub, CONTROL, BROKER_NUMBER)
        for host in self.hosts.values():
            host.plug(self.network)
        if self._broker_release:
            self._enter_broker_release()
        if self._wants["broker"]:
            self.broker = Hub(self.hub, address, folder_of(self.directory))
            self.url = self.broker.url()

    def _enter_broker_release(self):
        lines = ["mkdir %s/scratch" % self.directory,
                 "mount -t tmpfs -o mode=755 scratch %s/scratch" % self.directory,
                 "cd %s/scratch" % self.directory]
        self.hub.run("sh", "-ec", "\n".join(
            lines + self._broker_release.root_lines(os.path.dirname(self.directory))))

    def _start_services(self):
        jobs = [self._prepare_boot, self._prepare_unit]
        if self._wants["broker"]:
            jobs.append(self.broker.start)
        authority = Authority(os.path.join(self.directory, "ca"))
        authority.create()
        keyring = Keyring(os.path.join(self.directory, "keys"))
        keyring.create()
        names = {name: host.addresses[MIGRATION] for name, host in self.hosts.items()}
        jobs += [lambda host=host: self._start_host(host, names, authority, keyring)
                 for host in self.hosts.values()]
        self._together(jobs)

    def _together(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            running = [pool.submit(job) for job in jobs]
            try:
                for job in concurrent.futures.as_completed(running):
                    job.result()
            except BaseException:
                # What the others wait for will not come any more.
                self._stop_namespaces()
                raise

    def _start_host(self, host, names, authority, keyring):
        host.furnish(names, authority, keyring)
        if self._wants["libvirtd"]:
            host.start_libvirtd()
            host.wait_libvirtd()
            host.keep_capabilities()
            host.add_pool()
        if self._wants["sshd"]:
            host.start_sshd()

    def _prepare_boot(self):
        boot = os.path.join(self.directory, "boot")
        os.makedirs(boot)
        kernel = Kernel().ensure()
        shutil.copyfile(kernel.image, self.kernel(quick=False))
        shutil.copyfile(kernel.quick, self.kernel())
        write_initrd(kernel, self.initrd)
        self.domain_type = acceleration.domain_type(self.kernel(), self.initrd)
        if self.domain_type == "qemu":
            shutil.copyfile(os.path.join(os.path.dirname(__file__), "emulator"), self.emulator)
            # A checkout may let its group write, and agents ask no emulator of others than root.
            os.chmod(self.emulator, 0o755)

    def _prepare_unit(self):
        folder = os.path.join(self.directory, "unit")
        os.makedirs(folder)
        unit.write_filters(folder)

    @property
    def emulator(self):
        """What guests name in <emulator>."""
        if self.domain_type == "qemu":
            return os.path.join(self.directory, "boot", "qemu-system-x86_64")
        return acceleration.EMULATOR

    def kernel(self, quick=True):
        """What guests boot; UEFI firmware takes only one that is not quick."""
        return os.path.join(self.directory, "boot", "kernel" if quick else "vmlinuz")

    @property
    def initrd(self):
        return os.path.join(self.directory, "boot", "initrd")

    def tenant_initrd(self):
        """What guests with an agent boot, written when the first one asks for it."""
        path = os.path.join(self.directory, "boot", "initrd-tenant")
        if not os.path.exists(path):
            Tenancy(Kernel().ensure()).ensure().write_initrd(path)
        return path

    # Down

    def down(self):
        """Ends everything and removes every trace; a second Ctrl-C does not disturb it."""
        with _undisturbed():
            self._stop_namespaces()
            if self.broker is not None:
                self.broker.destroy()
                self.broker = None
            if self.directory is not None:
                _remove(self.directory)
                self.directory = None
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _stop_namespaces(self):
        for namespace in (*self.hosts.values(), self.hub, self.network):
            if namespace is not None:
                namespace.stop()

    def __enter__(self):
        return self.up()

    def __exit__(self, *exc):
        if exc[0] is not None and os.environ.get("VIRT_FERRY_LAB_KEEP_LOGS"):
            self.keep_logs(os.environ["VIRT_FERRY_LAB_KEEP_LOGS"])
        self.down()

    def keep_logs(self, target):
        """Copies what tells of a failure out of the laboratory before it goes."""
        for name, host in self.hosts.items():
            place = os.path.join(target, name)
            os.makedirs(place, exist_ok=True)
            with contextlib.suppress(OSError, shutil.Error):
                shutil.copytree(host.path("/var/log/libvirt"), os.path.join(place, "libvirt"),
                                dirs_exist_ok=True)
            for entry in os.scandir(host.directory):
                if entry.is_file() and entry.name.endswith((".out", ".log", ".conf")):
                    shutil.copy(entry.path, place)

    # State that outlives this process

    def _save(self):
        namespaces = [self.network.switch, self.hub, *self.hosts.values()]
        state = {"made": time.strftime("%Y-%m-%dT%H:%M:%S"), "detached": self.detached,
                 "owner": {"pid": os.getpid(), "started": start_time(os.getpid()),
                           "pids": _pid_namespace()},
                 "hosts": {name: host.number for name, host in self.hosts.items()},
                 "releases": self.releases,
                 "url": self.url,
                 "domain_type": self.domain_type,
                 "namespaces": {n.name: n.record() for n in namespaces}}
        made = os.path.join(self.directory, STATE + ".new")
        with open(made, "w", encoding="utf-8") as out:
            json.dump(state, out, indent=1)
        os.replace(made, os.path.join(self.directory, STATE))

    def detach(self):
        """From now on the laboratory outlives this process; Lab.attach() finds it again."""
        self.detached = True
        self._save()
        for namespace in (*self.hosts.values(), self.hub, self.network.switch):
            namespace.detach()
        if self.broker is not None:
            self.broker.detach()
            self.broker = None
        os.close(self._lock)
        self._lock = None

    @classmethod
    def attach(cls, directory):
        """A laboratory that another process made: for looking, entering and ending it.

        Its libvirtds and its broker are not this process's children: they can be used, but
        neither started nor stopped.
        """
        state = _state(directory)
        if state is None:
            raise FileNotFoundError("%s is no laboratory" % directory)
        lab = cls(hosts=list(state["hosts"]), releases=state.get("releases", {}))
        lab.directory = directory
        lab.domain_type = state["domain_type"]
        lab.url = state["url"]
        lab.detached = state["detached"]
        records = state["namespaces"]
        lab.network = Network(Namespace(**records["switch"]))
        lab.hub = Namespace(**records[BROKER])
        for name, number in state["hosts"].items():
            suite = lab.releases.get(name)
            host = Host(number=number, directory=os.path.join(directory, name),
                        release=suite and release.Release(suite), **records[name])
            host.addresses = {link: subnet + str(number) for link, subnet in SUBNETS.items()}
            lab.hosts[name] = host
        return lab

    # Use

    def guest(self, host, name, disks, **options):
        """A Guest on a host, given by name; nothing is made yet."""
        return Guest(self, self.hosts[host], name, disks, **options)

    def controller(self, exchange="virt-ferry"):
        """A Controller beside the broker."""
        return Controller(self.hub, self.url, exchange)

    def machine(self, name):
        """What guests name as their machine: one that all hosts know where theirs differ."""
        suites = {self.releases.get(host) for host in self.hosts}
        return release.COMMON_MACHINES.get(name, name) if len(suites) > 1 else name

    def agent(self, host, settings=None, controller=None, root=None):
        """An Agent for a host, given by name; not yet started. root: why it must run as root."""
        return self.agent_class(self.hosts[host], controller or self.controller(), settings, root)


def _others(releases):
    """Those that are not this machine's, for which a tree is needed."""
    return {host: suite for host, suite in releases.items() if suite != release.own_suite()}


def end_on_signals():
    """Makes SIGTERM and SIGHUP end the program as Ctrl-C does, so that with blocks are left.

    And Ctrl-C, too, which a shell has its background jobs ignore.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))


@contextlib.contextmanager
def _undisturbed():
    """Puts signals off until the block is over; a mask would not do with several threads."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number))
              for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            os.kill(os.getpid(), number)


def _remove(directory):
    """Removes a laboratory's folder, never through a mount or a link into something else."""
    for top, folders, _files in os.walk(directory):
        for name in folders:
            if os.path.ismount(os.path.join(top, name)):
                raise RuntimeError("%s is a mount point, not removed" % os.path.join(top, name))
    forget_in(directory)
    shutil.rmtree(directory, onerror=_unless_gone)


def _unless_gone(_function, _path, failure):
    if not issubclass(failure[0], FileNotFoundError):
        raise failure[1]


def base_directory():
    """Where laboratories have their folders: TMPDIR, if the broker's user can get there."""
    base = os.path.realpath(tempfile.gettempdir())
    part = base
    while part != "/":
        if not os.stat(part).st_mode & stat.S_IXOTH:
            return "/tmp"
        part = os.path.dirname(part)
    return base


def labs():
    """Folders of all laboratories of this user, dead or alive."""
    found = []
    for entry in os.scandir(base_directory()):
        if (entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False)
                and entry.stat(follow_symlinks=False).st_uid == os.geteuid()):
            found.append(entry.path)
    return sorted(found)


def sweep():
    """Removes what crashed laboratories left; returns their folders. Living ones are not touched.

    A laboratory lives as long as its lock is held: by the process that made it and by the inits
    of its namespaces, with which everything inside ends.
    """
    swept = []
    for directory in labs():
        # Another sweep may be faster.
        with contextlib.suppress(FileNotFoundError):
            if _sweep_one(directory):
                swept.append(directory)
    return swept


def _sweep_one(directory):
    if (not os.path.exists(os.path.join(directory, STATE))
            and time.time() - os.stat(directory).st_mtime < NEWBORN_S):
        return False
    with open(os.path.join(directory, LOCK), "a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not _orphaned(directory):
                return False
        end(directory)
    return True


def _pid_namespace():
    """Where a PID means what it means here."""
    return os.readlink("/proc/self/ns/pid")


def _orphaned(directory):
    """Whether the process that made a laboratory is gone and did not mean it to stay.

    Its inits end without it, unless something inside them is stopped and cannot be collected.
    """
    state = _state(directory)
    if state is None or not isinstance(state["owner"], dict):
        # Not ours to judge: half made, or made by another version.
        return False
    return (not state["detached"] and state["owner"].get("pids") == _pid_namespace()
            and start_time(state["owner"]["pid"]) != state["owner"]["started"])


def end(directory):
    """Ends a laboratory that another process made and removes it."""
    with _undisturbed():
        _end_recorded(directory)
        _remove(directory)


def _end_recorded(directory):
    state = _state(directory)
    for record in state["namespaces"].values() if state else ():
        end_init(record["pid"], record["started"])


def _state(directory):
    try:
        with open(os.path.join(directory, STATE), encoding="utf-8") as text:
            return json.load(text)
    except FileNotFoundError:
        return None
