"""Where the faults happen: one laboratory for many cells, and what every cell begins with."""

import contextlib
import os
import shutil
import signal
import time

import layouts
import libvirt
import world
from lab import release
from lab.deadline import DeadlineExceeded, wait_until
from lab.durable import DurableController
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import MIB
from lab.network import CONTROL, MIGRATION
from lab.tap import equal

POOL = "cells"
FOLDER = IMAGES + "/" + POOL
ROOM_BYTES = 768 * MIB
LOG_LINES = 80


class Ground:
    """Two hosts with small file systems for images, agents that can be held, a guest that counts.

    The guest stays where a journey left it; the next one goes the other way.
    """

    def __init__(self, lab, cut_seconds=60, controller=None, messaging=None,
                 ready_s=30):
        self.lab = lab
        self.hosts = lab.hosts
        self.cut_seconds = cut_seconds
        self.ready_s = ready_s
        self.controller = controller or DurableController(lab.hub, lab.url)
        self.recorder = self.controller.recorder()
        self.guests = []
        # What the guest of the day is made of, and what of that it only reads.
        self.layout = layouts.PLAIN
        self.shared = set()
        self._names = 0
        self._log_starts = {}
        for host in self.hosts.values():
            host.limit_images(ROOM_BYTES)
            os.makedirs(self.holds(host))
        self.agents = {name: lab.agent(name, controller=self.controller, settings={
            "migration": {"outcome_timeout": "30", "prepare_timeout": "120"},
            "storage": {"reserved_bytes": str(16 * MIB)},
            "oslo_messaging_rabbit": messaging or {"amqp_durable_queues": "true"}})
            for name in self.hosts}
        for name in self.hosts:
            self.start_agent(name)

    # Agents

    @staticmethod
    def holds(host):
        """The folder by which an agent is held at its fault points."""
        return os.path.join(host.directory, "holds")

    def start_agent(self, name, wait=True):
        agent = self.agents[name]
        agent.start(wait=False,
                    environment={"VIRT_FERRY_FAULT_POINTS": self.holds(agent.host)})
        if wait:
            agent.wait_ready(self.ready_s)

    def hold(self, host, point):
        with open(os.path.join(self.holds(host), point), "w", encoding="ascii"):
            pass

    def wait_held(self, host, point, seconds=40):
        reached = os.path.join(self.holds(host), point + ".reached")
        wait_until(lambda: os.path.exists(reached), seconds, "%s at %s" % (host.name, point),
                   interval=0.01)

    def release(self, host, point):
        for name in (point, point + ".reached"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.holds(host), name))

    def release_all(self):
        for host in self.hosts.values():
            for name in os.listdir(self.holds(host)):
                self.release(host, name)

    def answer(self):
        """Both agents live and answer."""
        for agent in self.agents.values():
            agent.wait_ready(self.ready_s)

    def logs(self):
        """The last lines that the agents said since begin()."""
        lines = []
        for name, agent in self.agents.items():
            said = agent.log()[self._log_starts.get(name, 0):].splitlines()[-LOG_LINES:]
            lines += ["--- %s" % name] + said
        return "\n".join(lines)

    # Guests

    def _new_guest(self, layout, host="kvm01"):
        self._names += 1
        stem = "%s/vm%d" % (FOLDER, self._names)
        guest = self.lab.guest(host, "vm%d" % self._names, layout.disks(stem),
                               devices=layout.devices(stem))
        self.guests.append(guest)
        self.layout, self.shared = layout, layout.shared(stem)
        self.ensure_pool(guest.host)
        layout.make(guest.create_images(), stem)
        guest.start().wait_number(3, seconds=120)
        return guest

    def guest(self, layout=layouts.PLAIN):
        """The guest of the day: one that runs and counts, made when there is none like it."""
        if self.guests and self.layout is not layout:
            self.forget(self.guests[0])
            for host in self.hosts.values():
                self.forget_pool(host)
        if not self.guests:
            return self._new_guest(layout)
        guest = self.guests[0]
        guest.wait_counting(1)
        return guest

    def paused_guest(self, host):
        """Another guest, never booted: it moves as well and costs nothing."""
        self._names += 1
        path = "%s/vm%d-vda.qcow2" % (FOLDER, self._names)
        guest = self.lab.guest(host.name, "vm%d" % self._names,
                               [Disk("vda", capacity=64 * MIB, path=path)], memory_mib=32)
        self.guests.append(guest)
        guest.create_images()
        connection = host.connect()
        try:
            connection.defineXML(guest.xml()).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        finally:
            connection.close()
        return guest

    def forget(self, guest):
        """Ends a guest and removes what it has, everywhere."""
        self.guests.remove(guest)
        for host in self.hosts.values():
            if guest.name in world.domains(host):
                guest.destroy(host)
            for disk in guest.disks:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(host.path(disk.path))

    # Between the cells

    @staticmethod
    def ensure_pool(host):
        if POOL not in world.pools(host):
            host.add_pool(POOL, FOLDER)
        os.makedirs(host.path(FOLDER), exist_ok=True)
        host.lend(FOLDER)

    @staticmethod
    def forget_pool(host):
        """As a person would clean up a host that the guest left: the next one makes it anew."""
        connection = host.connect()
        try:
            with contextlib.suppress(libvirt.libvirtError):
                pool = connection.storagePoolLookupByName(POOL)
                with contextlib.suppress(libvirt.libvirtError):
                    pool.destroy()
                pool.undefine()
        finally:
            connection.close()
        shutil.rmtree(host.path(FOLDER), ignore_errors=True)

    def other(self, host):
        return next(other for other in self.hosts.values() if other is not host)

    def begin(self, layout=layouts.PLAIN):
        """A guest on one host, which runs where its layout says nothing else; nothing on the
        other. Where the releases differ it is on the first, as the pair is called."""
        self._log_starts = {name: len(agent.log()) for name, agent in self.agents.items()}
        guest = self.guest(layout)
        if guest.host is not self.hosts["kvm01"] and len(set(release.pair().split("→"))) > 1:
            self._go_once(guest)
        self.forget_pool(self.other(guest.host))
        if layout.returns:
            self._go_once(guest)
        if not layout.runs:
            guest.host.virsh("destroy", guest.name)
        return guest

    def _go_once(self, guest):
        """To the other host; an image is left behind."""
        to = self.other(guest.host)
        migration_id = self.controller.migrate(guest.name, guest.host.name, to.name)
        equal(self.recorder.wait_terminal(migration_id).type, "migration.completed")
        guest.moved_to(to)

    def mend(self):
        """After a failure: nobody knows what is where, so everything goes and begins anew."""
        self.release_all()
        self.heal_links()
        if self.lab.broker.process is None:
            self.lab.broker.start()
        for name, agent in self.agents.items():
            if agent.alive():
                agent.kill()
            shutil.rmtree(agent.state_path, ignore_errors=True)
        for host in self.hosts.values():
            if not host.libvirtd.alive():
                host.start_libvirtd()
            host.libvirtd.signal(signal.SIGCONT)
            host.wait_libvirtd()
            self.unfill(host)
            self._end_domains(host)
            self.forget_pool(host)
        self.guests = []
        for name in self.agents:
            self.start_agent(name)

    @staticmethod
    def _end_domains(host):
        for pid in host.qemu_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        deadline = time.monotonic() + 20
        while True:
            connection = host.connect()
            try:
                left = connection.listAllDomains()
                for domain in left:
                    with contextlib.suppress(libvirt.libvirtError):
                        domain.destroy()
                    with contextlib.suppress(libvirt.libvirtError):
                        domain.undefine()
            finally:
                connection.close()
            if not left:
                return
            if time.monotonic() > deadline:
                raise DeadlineExceeded("%s: domains stay" % host.name)
            time.sleep(0.1)

    # Links and disks

    def slow(self, host, mbit_s):
        self.lab.network.limit(host, mbit_s, MIGRATION)

    def fast(self, host):
        self.lab.network.unlimit(host, MIGRATION)

    def heal_links(self):
        for host in self.hosts.values():
            self.fast(host)
            self.lab.network.heal(host.name, MIGRATION)
        self.lab.network.heal("broker", CONTROL)

    @staticmethod
    def fill(host):
        """Leaves no room in the images' file system."""
        path = host.path(IMAGES + "/filler")
        with open(path, "ab", buffering=0) as filler:
            status = os.fstatvfs(filler.fileno())
            with contextlib.suppress(OSError):
                os.posix_fallocate(filler.fileno(), 0, status.f_bavail * status.f_frsize)
            with contextlib.suppress(OSError):
                while filler.write(b"\1" * 65536):
                    pass
            with contextlib.suppress(OSError):
                while filler.write(b"\1" * 4096):
                    pass

    @staticmethod
    def unfill(host):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(host.path(IMAGES + "/filler"))
