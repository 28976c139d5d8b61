"""Overlays on base images: the chain arrives as it was, each base once, verified, read-only."""

import os

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

import matrix


class Overlay(Disk):
    """An overlay whose header names its base as told: by its whole path, or as seen from here."""

    def __init__(self, target, base, capacity=GIB, data=0, relative=False):
        super().__init__(target, capacity, data=data, backing=base)
        self.relative = relative

    def create_image(self, host):
        self.backing.create_image(host)
        if os.path.exists(host.path(self.path)):
            return
        name = os.path.relpath(self.backing.path, os.path.dirname(self.path)) \
            if self.relative else self.backing.path
        host.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", name, "-F", self.backing.kind,
                 self.path, self.capacity)
        if self.data:
            images.fill(self.path, "qcow2", self.capacity, self.data, inside=host)

    def chain(self):
        """The overlay and all below it, top first."""
        found = [self]
        while found[-1].backing:
            found.append(found[-1].backing)
        return found


class Base(Disk):
    """A base of its own name, with data of its own."""

    def __init__(self, name, kind="qcow2", capacity=GIB, data=16 * MIB):
        super().__init__("base", capacity, kind, data=data, path="%s/%s" % (IMAGES, name))

    def name_image(self, stem):
        pass


def _names(disk, host):
    """What the headers of a chain say of the next."""
    return [(info.get("backing-filename"), info.get("backing-filename-format"))
            for info in (images.info(image.path, host) for image in disk.chain())]


def _forget_bases(stage, disk):
    for image in disk.chain()[1:]:
        for host in stage.hosts.values():
            stage.defer(stage.remove, host, image.path)


def _carry_and_compare(stage, disk, layout):
    """There, cold boot, and back: content, names and allocation of each image are the same."""
    _forget_bases(stage, disk)
    guest = stage.counting(disk)
    names = _names(disk, stage.source)
    before = {image.path: images.allocation(image.path, stage.source) for image in disk.chain()}
    stage.carry(guest, paused=True)
    equal(_names(disk, stage.destination), names, "names of backing files")
    for image in disk.chain():
        check(_same_content(stage, image), "%s: the copies differ" % image.path)
        allocated = images.allocation(image.path, stage.destination)
        check(allocated <= before[image.path] * 1.02 + 8 * MIB,
              "%s: %d of %d bytes are allocated" % (image.path, allocated, before[image.path]))
    for image in disk.chain()[1:]:
        equal(os.stat(stage.destination.path(image.path)).st_mode & 0o777, 0o444, image.path)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)
    _boot_cold(stage, guest)
    end = stage.carry(guest)
    _counts_on(guest, stage.source)
    check(all(file["present"] for file in end.payload["report"]["files"]), "a base came back")
    matrix.record(layout, moved=True, thin=True, chain=True, cold_boot=True)


def _same_content(stage, image):
    """Each host reads its own copy under the names that the headers have."""
    sums = [host.output("sh", "-c", "qemu-img convert -U -f %s -O raw %s /dev/stdout | sha256sum"
                        % (image.kind, image.path), timeout=120)
            for host in (stage.source, stage.destination)]
    return sums[0] == sums[1]


def _boot_cold(stage, guest):
    """Off and on again from the definition that arrived."""
    stage.destination.virsh("destroy", guest.name)
    stage.destination.virsh("start", guest.name)
    guest.wait_counting(3)


def _counts_on(guest, host):
    """As runs_on(), for a guest that was switched off between a write and its announcement."""
    guest.moved_to(host).wait_counting(3)
    equal(guest.hosts_running(), [host.name])
    found = guest.paused_complaints()
    equal([fault for fault in found if not fault.endswith("missing")], [])


def one_level(stage):
    """an overlay on a qcow2 base: there and back, the base is carried once and used at home"""
    _carry_and_compare(stage, Overlay("vda", Base("debian.qcow2"), data=8 * MIB),
                       "qcow2 overlay on a qcow2 base")


def three_levels(stage):
    """three levels, named relatively, the lowest one raw"""
    low = Base("low.raw", "raw")
    middle = Overlay("base", low, data=8 * MIB, relative=True)
    middle.path = IMAGES + "/middle.qcow2"
    top = Overlay("vda", middle, data=8 * MIB, relative=True)
    _carry_and_compare(stage, top, "three levels, relative names, raw base")


CASES = (one_level, three_levels)
