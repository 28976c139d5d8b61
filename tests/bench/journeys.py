"""Whole journeys against plain virsh: time, bytes on the link, allocation."""

import time

from lab import images
from lab.images import GIB, MIB
from lab.lab import Disk, Lab
from lab.network import MIGRATION

from figures import median

DATA = 300 * MIB
MEMORY_MIB = 256


class Journeys:
    """One laboratory; each run has a guest of its own, started, moved, and removed."""

    def __init__(self, lab):
        self.lab = lab
        self.source = lab.hosts["kvm01"]
        self.destination = lab.hosts["kvm02"]
        self.controller = lab.controller()
        self.recorder = self.controller.recorder()
        self.agents = [lab.agent(name).start() for name in lab.hosts]
        self.number = 0

    def guest(self, capacity, kind):
        self.number += 1
        guest = self.lab.guest("kvm01", "bench%d" % self.number,
                               [Disk("vda", capacity, kind, data=DATA)], memory_mib=MEMORY_MIB)
        guest.create_images().start().wait_number(5)
        return guest

    def clean(self, guest):
        guest.moved_to(self.destination)
        guest.destroy()
        for host in (self.source, self.destination):
            host.run("sh", "-c", "rm -f %s*" % guest.disks[0].path)

    def measure(self, capacity, move, kind="qcow2"):
        """Seconds, bytes on the link, allocation after over before, and non-zero memory sent."""
        guest = self.guest(capacity, kind)
        path = guest.disks[0].path
        before = images.allocation(path, self.source)
        sent = self.lab.network.sent_bytes(self.source, MIGRATION)
        begun = time.monotonic()
        move(guest)
        seconds = time.monotonic() - begun
        sent = self.lab.network.sent_bytes(self.source, MIGRATION) - sent
        connection = self.destination.connect()
        stats = connection.lookupByName(guest.name).jobStats(1 | 2)
        connection.close()
        after = images.allocation(path, self.destination)
        memory = stats.get("memory_normal_bytes", 0)
        self.clean(guest)
        return seconds, sent / (before + memory), after / before

    def by_ferry(self, guest, **options):
        order = self.controller.migrate(guest.name, "kvm01", "kvm02", **options)
        end = self.recorder.wait_terminal(order)
        assert end.payload["status"] == "completed", end.payload["error"]

    def by_virsh_inc(self, guest):
        guest.disks[0].create_empty(self.destination)
        self.destination.virsh("pool-refresh", "default")
        self.source.migrate(guest.name, self.destination, "--persistent", "--undefinesource",
                            "--copy-storage-inc", timeout=600)

    def by_virsh_all(self, guest):
        self.source.migrate(guest.name, self.destination, "--persistent", "--undefinesource",
                            "--copy-storage-all", timeout=600)


def run(table, runs):
    with Lab() as lab:
        journeys = Journeys(lab)
        ways = {
            "ferry": (20 * GIB, journeys.by_ferry),
            "inc": (20 * GIB, journeys.by_virsh_inc),
            "all": (20 * GIB, journeys.by_virsh_all),
            "1 TiB": (1024 * GIB, journeys.by_ferry),
        }
        results = {name: [] for name in ways}
        for _ in range(runs):
            for name, (capacity, move) in ways.items():
                results[name].append(journeys.measure(capacity, move))
        for agent in journeys.agents:
            agent.stop()

    seconds = {name: median([r[0] for r in rows]) for name, rows in results.items()}
    count = "%d alternating runs each" % runs
    table.add("journey, 20 GiB qcow2, 300 MiB data, 256 MiB guest", "%.2f s" % seconds["ferry"],
              count)
    table.add("`virsh --copy-storage-inc`, image made by hand", "%.2f s" % seconds["inc"], count)
    table.add("`virsh --copy-storage-all`", "%.2f s" % seconds["all"], count)
    table.add("journey over virsh inc", "%.2f" % (seconds["ferry"] / seconds["inc"]), "<= 1.15")
    table.add("journey over virsh all", "%.2f" % (seconds["ferry"] / seconds["all"]), "< 0.5")
    table.add("journey of 1 TiB over 20 GiB, same data",
              "%.2f" % (seconds["1 TiB"] / seconds["ferry"]), "<= 1.15")
    table.add("bytes on the link over data + non-zero memory",
              "%.3f" % median([r[1] for r in results["ferry"]]), "<= 1.05")
    table.add("destination's allocation over the source's",
              "%.3f" % median([r[2] for r in results["ferry"]]), "<= 1.02")
