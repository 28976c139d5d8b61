"""fstrim by order: Debian's qemu-ga in the guest gives back what its file systems do not use."""

import os
import tempfile
import time

from lab import images
from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import MIB
from lab.tap import check, equal
from lab.tenancy import channel

import matrix
from leg import travel


class FileSystem(Disk):
    """A disk with ext4 on it: one file that is there, and the room of one that is not any more."""

    KEPT, GONE = 16 * MIB, 96 * MIB

    def __init__(self, target, kind):
        super().__init__(target, 256 * MIB, kind, mounted=True, driver={"discard": "unmap"})

    def create_image(self, host):
        raw = self.path + ".new"
        with tempfile.TemporaryDirectory(dir=host.directory, prefix="files-") as folder:
            for name, length in (("kept", self.KEPT), ("gone", self.GONE)):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(os.urandom(length))
            images.create(raw, self.capacity, "raw", inside=host)
            host.run("mkfs.ext4", "-q", "-d", folder, raw)
        host.run("debugfs", "-w", "-R", "rm gone", raw)
        host.run("qemu-img", "convert", "-f", "raw", "-O", self.kind, raw, self.path)
        os.unlink(host.path(raw))


def _fstrim_of(end):
    """What the report says of it, and how the step ended."""
    report = end.payload["report"]
    equal([step["state"] for step in report["steps"] if step["name"] == "trim"], ["done"])
    return report["fstrim"]


def _allocations(guest):
    return [images.allocation(disk.path, guest.host) for disk in guest.disks if disk.mounted]


def trimmed(stage):
    """the agent in the guest trims: what its file systems had freed does not arrive"""
    guest = stage.counting(Disk("vda", data=8 * MIB), FileSystem("vdb", "raw"),
                           FileSystem("vdc", "qcow2"), agent=True)
    full = FileSystem.KEPT + FileSystem.GONE
    check("fstrim" not in stage.carry(guest).payload["report"], "trimmed without order")
    check(min(_allocations(guest)) >= full, "thin before: %s" % _allocations(guest))
    told = _fstrim_of(travel(stage, guest, fstrim=True))
    equal((told["done"], told["message"]), (True, None))
    check(max(_allocations(guest)) < FileSystem.KEPT + 16 * MIB,
          "%s bytes are allocated" % _allocations(guest))
    matrix.record("ext4 with freed blocks, with fstrim", moved=True, thin=True, cold_boot=True)


def without_agent(stage):
    """fstrim where no agent in the guest answers: the journey goes on and the report says why"""
    for guest, word in ((stage.counting(Disk("vda")), "not configured"),
                        (stage.counting(Disk("vda"), devices=[channel()]), "not connected"),
                        (stage.still(Disk("vda")), "does not run")):
        told = _fstrim_of(stage.carry(guest, fstrim=True))
        check(told["done"] is False and word in told["message"], told)
        check(told["duration_ms"] < 5000, told)


def _asked(guest, times):
    wait_until(lambda: guest.console().count("ferry agent was asked") >= times, 30,
               "%s: its agent asked %d times" % (guest.name, times))


def not_waited_for(stage):
    """an agent that does not answer holds up neither a stop of virt-ferryd nor an abort"""
    guest = stage.counting(agent=True, command_line="ferry.mute_agent=1")
    order = stage.migrate(guest, fstrim=True)
    _asked(guest, 1)
    begun = time.monotonic()
    stage.agents["kvm01"].restart()
    check(time.monotonic() - begun < 10, "stopping took %d s" % (time.monotonic() - begun))
    equal(stage.controller.record("kvm01", order)["status"], "preparing")
    begun = time.monotonic()
    stage.controller.call("kvm01", "live_migration_abort", migration_id=order)
    stage.end(order, "cancelled")
    check(time.monotonic() - begun < 10, "the abort took %d s" % (time.monotonic() - begun))
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


CASES = (trimmed, without_agent, not_waited_for)
