"""A base image to another host: the agent's carrier against virsh and against qemu-img."""

import os
import subprocess
import time

from lab import images, program
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.lab import Disk, Lab
from lab.network import MIGRATION

from figures import median

DATA = 1024 * MIB
CAPACITY = 4 * GIB
OVERLAY_DATA = 64 * MIB
LINK_MBIT_S = 1000
PORT = "10809"


class Files:
    """Two hosts, a base on the first, and three ways to bring it to the second."""

    def __init__(self, lab):
        self.lab = lab
        self.source = lab.hosts["kvm01"]
        self.destination = lab.hosts["kvm02"]
        self.base = IMAGES + "/base.qcow2"
        self.copy = IMAGES + "/copy"
        self.uri = "qemu+tcp://kvm02/system"
        images.create(self.base, CAPACITY, data=DATA, pieces=8, inside=self.source)
        self.source.virsh("pool-refresh", "default")
        self.length = os.stat(self.source.path(self.base)).st_size

    def measure(self, way):
        """Seconds and bytes on the link; the copy is compared and removed."""
        self.destination.run("truncate", "-s", "0", self.copy)
        self.destination.virsh("pool-refresh", "default")
        sent = self.lab.network.sent_bytes(self.source, MIGRATION)
        begun = time.monotonic()
        way()
        seconds = time.monotonic() - begun
        sent = self.lab.network.sent_bytes(self.source, MIGRATION) - sent
        subprocess.run(["cmp", self.source.path(self.base), self.destination.path(self.copy)],
                       check=True)
        os.unlink(self.destination.path(self.copy))
        return seconds, sent

    def by_ferry(self):
        self.source.run(program.find("tests/bench/copy-file"), self.uri, self.base,
                        self.copy, timeout=300)

    def by_virsh(self):
        """Through a pipe, which has no holes: neither of the two is told to look for them."""
        self.source.run(
            "sh", "-c", "virsh -q -c qemu:///system vol-download --pool default base.qcow2 "
            "/dev/stdout | virsh -q -c %s vol-upload --pool default copy /dev/stdin" % self.uri,
            timeout=300)

    def by_qemu_img(self):
        self.destination.run("truncate", "-s", str(self.length), self.copy)
        server = self.destination.spawn(
            "qemu-nbd", "/usr/bin/qemu-nbd", "-f", "raw", "--discard=unmap", "-p", PORT, self.copy)
        self.destination.wait_port(int(PORT), 10, server)
        self.source.run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", "--target-is-zero",
                        self.base, "nbd://kvm02:%s" % PORT, timeout=300)
        server.wait(10)


class Instances:
    """Overlays of one base that move by order, one after the other."""

    def __init__(self, lab):
        self.lab = lab
        self.source, self.destination = lab.hosts["kvm01"], lab.hosts["kvm02"]
        self.controller = lab.controller()
        self.recorder = self.controller.recorder()
        self.agents = [lab.agent(name).start() for name in lab.hosts]
        self.base = Disk("base", CAPACITY, data=DATA, path=IMAGES + "/shared.qcow2")
        self.base.name_image = lambda stem: None
        self.number = 0

    def move(self):
        """Moves a new instance; bytes on the link over its overlay and non-zero memory."""
        self.number += 1
        disk = Disk("vda", CAPACITY, data=OVERLAY_DATA, backing=self.base)
        guest = self.lab.guest("kvm01", "overlay%d" % self.number, [disk], memory_mib=256)
        guest.create_images().start().wait_number(5)
        sent = self.lab.network.sent_bytes(self.source, MIGRATION)
        end = self.recorder.wait_terminal(self.controller.migrate(guest.name, "kvm01", "kvm02"))
        assert end.payload["status"] == "completed", end.payload["error"]
        sent = self.lab.network.sent_bytes(self.source, MIGRATION) - sent
        connection = self.destination.connect()
        memory = connection.lookupByName(guest.name).jobStats(1 | 2).get("memory_normal_bytes", 0)
        connection.close()
        wanted = images.allocation(disk.path, self.destination) + memory
        guest.moved_to(self.destination).destroy()
        return sent / wanted

    def stop(self):
        for agent in self.agents:
            agent.stop()


def second_instance(table, runs):
    with Lab() as lab:
        instances = Instances(lab)
        instances.move()
        ratios = [instances.move() for _ in range(runs)]
        instances.stop()
    table.add("second instance of a base of 1 GiB: bytes on the link over overlay and memory",
              "%.3f" % median(ratios), "<= 1.1")


def run(table, runs):
    carriers(table, runs)
    second_instance(table, runs)


def carriers(table, runs):
    with Lab() as lab:
        files = Files(lab)
        ways = {"ferry": files.by_ferry, "virsh": files.by_virsh, "qemu-img": files.by_qemu_img}
        for link, limit in (("no limit", None), ("1 Gbit/s", LINK_MBIT_S)):
            if limit:
                lab.network.limit(files.source, limit, MIGRATION)
            results = {name: [] for name in ways}
            for _ in range(runs):
                for name, way in ways.items():
                    results[name].append(files.measure(way))
            seconds = {name: median([r[0] for r in rows]) for name, rows in results.items()}
            for name, took in seconds.items():
                table.add("base of 1 GiB data, link with %s, by %s" % (link, name),
                          "%.2f s" % took, "%d alternating runs each" % runs)
            table.add("ferry over the better of both, link with %s" % link, "%.2f" % (
                seconds["ferry"] / min(seconds["virsh"], seconds["qemu-img"])), "<= 1")
