"""What the guest of a cell is made of, and what is to be seen of that after its journey."""

import os

import world
from lab.deadline import wait_until
from lab.guest import Disk, cdrom
from lab.images import GIB, MIB
from lab.tap import check, equal

DATA = 32 * MIB
HELD_MODE, BASE_MODE = "400", "444"


class Layout:
    """A qcow2 image with a running guest: what every cell has that names no other."""
    title = None
    # Of the order.
    options = {}
    runs = True
    # It was on the other host before, and left its image there.
    returns = False
    # Of the source's, the last before the instance goes over.
    last_point = "transfer:begin"

    def disks(self, stem):
        return [Disk("vda", GIB, data=DATA, path=stem + "-vda.qcow2")]

    def devices(self, stem):
        return []

    def shared(self, stem):
        """Paths that the guest only reads: after a journey both hosts have them."""
        return set()

    def make(self, guest, stem):
        """Makes on the guest's host what the disks do not."""

    def verify(self, journey, status):
        """What else has to be so, when the guest is where it belongs."""


class Seeded(Layout):
    """Frozen under an overlay, sent, mirrored, committed."""
    title = "a sparse raw disk, seeded"
    options = {"storage_strategy": "seeded"}

    def disks(self, stem):
        return [Disk("vda", 20 * GIB, "raw", data=DATA, path=stem + "-vda.raw")]


class Chain(Layout):
    title = "an overlay on a base that is missing there"

    def disks(self, stem):
        return [Disk("vda", GIB, data=8 * MIB, path=stem + "-vda.qcow2",
                     backing=Disk("base", GIB, data=DATA, path=stem + "-base.qcow2"))]

    def shared(self, stem):
        return {stem + "-base.qcow2"}

    def verify(self, journey, status):
        if status != "completed":
            return
        for path in journey.ground.shared:
            equal(_mode(journey.destination, path), BASE_MODE, path)
            _same(journey, path)


class Medium(Layout):
    title = "a CD-ROM whose medium is missing there"

    def devices(self, stem):
        return [cdrom(stem + "-disc.iso")]

    def shared(self, stem):
        return {stem + "-disc.iso"}

    def make(self, guest, stem):
        with open(guest.host.path(stem + "-disc.iso"), "wb") as medium:
            medium.write(os.urandom(4 * MIB))

    def verify(self, journey, status):
        if status == "completed":
            for path in journey.ground.shared:
                _same(journey, path)


class ShutOff(Layout):
    """The guest is off when it is carried; it is started where it arrived, and counts on."""
    title = "a shut-off instance"
    runs = False
    last_point = "define:begin"


class Returning(Layout):
    """The guest comes back to where its image was kept, which is set aside until it has come."""
    title = "an instance that comes back to its kept image"
    returns = True

    def verify(self, journey, status):
        for host in (journey.source, journey.destination):
            left = [name for name in os.listdir(host.path(os.path.dirname(
                journey.guest.disks[0].path))) if ".left-" in name]
            equal(left, [], "set aside on %s" % host.name)


class Quarantine(Layout):
    """The old disk is put aside; that it can be let go is the last thing to be seen."""
    title = "source disks in quarantine"
    options = {"source_disks": "quarantine"}

    def disks(self, stem):
        return super().disks(stem) + [
            Disk("vdb", 64 * MIB, "raw", data=MIB, path=stem + "-vdb.raw")]

    def verify(self, journey, status):
        held = held_of(journey)
        if status != "completed":
            equal(held, [], "held after a migration that did not take place")
            return
        equal([each["state"] for each in held], ["held"])
        paths = [disk["held_path"] for disk in held[0]["disks"]]
        for path in paths:
            if journey.agent("source").owns(path):
                equal(_mode(journey.source, path), HELD_MODE, path)
        journey.ground.controller.call(journey.source.name, "delete_quarantined_disks",
                                       migration_id=journey.migration_id)
        nothing_held(journey)


class Untouched(Quarantine):
    """A quarantine that stays, for cells that are about what becomes of it."""

    def verify(self, journey, status):
        pass


def held_of(journey):
    """The quarantine of a journey as its source lists it, as long as it holds something."""
    found = journey.ground.controller.call(journey.source.name, "list_quarantined_disks",
                                           instance=journey.guest.uuid)
    return [each for each in found if each["migration_id"] == journey.migration_id
            and each["state"] not in ("restored", "deleted")]


def nothing_held(journey):
    """Waits until a journey's quarantine is over; then nothing of it is left."""
    wait_until(lambda: not held_of(journey), 30, "the end of the quarantine")
    equal(world.Journal(journey.agent("source")).held(), set(), "held")
    folder = os.path.join(journey.agent("source").state_path, "definitions")
    check(journey.migration_id + ".xml" not in os.listdir(folder), "the definition is still kept")


def _mode(host, path):
    return "%o" % (os.stat(host.path(path)).st_mode & 0o777)


def _same(journey, path):
    equal(world.digest(journey.destination, path), world.digest(journey.source, path), path)


KINDS = {
    "plain": Layout(),
    "seeded": Seeded(),
    "chain": Chain(),
    "medium": Medium(),
    "shut-off": ShutOff(),
    "returning": Returning(),
    "quarantine": Quarantine(),
}
PLAIN = KINDS["plain"]
