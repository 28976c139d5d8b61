"""A base image to another host: the agent's carrier against virsh and against qemu-img."""

import os
import subprocess
import time

from lab import images, program
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.lab import Lab
from lab.network import MIGRATION

from figures import median

DATA = 1024 * MIB
CAPACITY = 4 * GIB
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
        """virsh cannot upload a hole from a pipe: a file of holes and data is made on the way."""
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


def run(table, runs):
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
