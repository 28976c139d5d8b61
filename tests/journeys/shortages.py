"""What runs out in the middle of a journey: the guest goes on where it was, nothing is left."""

import dataclasses
import os

import matrix
from chains import Base, Overlay
from lab import counting, images
from lab.deadline import wait_until
from lab.guest import Disk, Writes, cdrom
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import SOURCE, definition, forget_pool, holding, long, refresh_pool

FILLER = IMAGES + "/somebody-elses"
ROOM = 160 * MIB
DATA = 48 * MIB
DISC = IMAGES + "/disc.iso"
FAST = IMAGES + "/fast"


def _room(stage):
    """(used, available) bytes of the destination's file system of images."""
    status = os.statvfs(stage.destination.path(IMAGES))
    return ((status.f_blocks - status.f_bfree) * status.f_frsize,
            status.f_bavail * status.f_frsize)


def _fill(stage, left=0):
    if left:
        stage.destination.run("fallocate", "-l", str(_room(stage)[1] - left), FILLER)
    else:
        stage.destination.run("dd", "if=/dev/zero", "of=" + FILLER, "bs=1M", check=False)


def _failed(stage, migration_id):
    """It ended for want of room, with the numbers, and hurt no libvirtd; returns the numbers."""
    error = stage.end(migration_id, "failed", "InsufficientStorage").payload["error"]
    check(error["hint"], "no hint")
    room = error["details"]["room"]
    check(room["available_bytes"] < room["reserved_bytes"], room)
    check("%d bytes left" % room["available_bytes"] in error["message"], error["message"])
    for host in stage.hosts.values():
        # Nobody would start it anew here.
        check(host.libvirtd.alive(), "libvirtd on %s is dead" % host.name)
        host.virsh("list")
    return room


@dataclasses.dataclass
class Way:
    """How data get to the destination: what is full while, the guest's disks, what is ordered."""

    title: str
    disks: callable = lambda: [Disk("vda", GIB, data=DATA)]
    options: dict = dataclasses.field(default_factory=dict)
    runs: bool = True
    devices: tuple = ()
    # By libvirt, as a file.
    sent: bool = False

    def left(self, stage):
        """What another program leaves there. libvirt 11 dies of an upload that meets the very end:
        there it is less than is to stay free, and enough for the journey to be ended before."""
        dies = (11,) <= stage.libvirt_version(stage.destination.name) < (12,)
        return 24 * MIB if self.sent and dies else 0


def _small_raw():
    # On some ways it arrives in full.
    return [Disk("vda", 64 * MIB, "raw", data=DATA)]


def _on_a_base():
    return [Overlay("vda", Base("debian.qcow2", data=DATA), data=MIB)]


WAYS = {
    "raw_mirrored": Way("a raw image is mirrored", _small_raw, {"storage_strategy": "mirror"}),
    "seed": Way("a seed is sent", lambda: [Disk("vda", 20 * GIB, "raw", data=DATA)],
                {"storage_strategy": "seeded"}, sent=True),
    "base": Way("the base of an overlay is sent", _on_a_base, sent=True),
    "medium": Way("a medium is sent", lambda: [Disk("vda", GIB, data=MIB)],
                  devices=(cdrom(DISC),), sent=True),
    "shut_off": Way("the image of an instance that is off is sent", runs=False, sent=True),
    "shut_off_base": Way("the base of an instance that is off is sent", _on_a_base, runs=False,
                         sent=True),
    "made_raw": Way("a qcow2 image is mirrored and becomes raw",
                    lambda: [Disk("vda", 64 * MIB, data=DATA)], {"disk_formats": {"vda": "raw"}}),
    "made_qcow2": Way("a raw image is mirrored and becomes qcow2", _small_raw,
                      {"disk_formats": {"vda": "qcow2"}}),
    "flattened": Way("an overlay is mirrored with its base", _on_a_base, {"flatten": True}),
    "other_pool": Way("an image goes to another pool", options={"pool_map": {"default": "fast"}}),
    "sparsified": Way("a raw image is made sparse on its way", _small_raw, {"sparsify": True}),
    "quarantine": Way("an image is mirrored whose source goes into quarantine",
                      options={"source_disks": "quarantine"}),
}


def _guest_for(stage, way):
    """The guest of a way, with what else its journey needs on both hosts, and leaves there."""
    if way.devices:
        with open(stage.source.path(DISC), "wb") as medium:
            medium.write(os.urandom(DATA))
        stage.defer(stage.remove, stage.source, DISC)
    stage.limit_images(ROOM)
    if "pool_map" in way.options:
        stage.destination.add_pool("fast", FAST)
        stage.destination.lend(FAST)
        stage.defer(forget_pool, stage.destination, "fast")
    guest = stage.guest(*way.disks(), devices=list(way.devices)).create_images().define()
    for disk in guest.disks:
        stage.defer(stage.remove, stage.source, disk.path)
        if disk.backing:
            stage.defer(stage.remove, stage.source, disk.backing.path)
    if way.runs:
        stage.source.virsh("start", "--paused", guest.name)
    return guest


def _is_on(stage, guest, host, way):
    """Still, or off, on this host and nowhere else."""
    equal({each.name: definition(each, guest.name) for each in stage.hosts.values()},
          {each.name: (way.runs, True) if each is host else None
           for each in stage.hosts.values()})


def _becomes_full(name, way):
    def case(stage):
        guest = _guest_for(stage, way)
        with stage.unchanged():
            used = _room(stage)[0]
            migration_id = stage.migrate(guest, bandwidth_mib_s=8, **way.options)
            wait_until(lambda: _room(stage)[0] > used + 4 * MIB, 60, "some of it is over there",
                       interval=0.05)
            _fill(stage, way.left(stage))
            _failed(stage, migration_id)
            os.unlink(stage.destination.path(FILLER))
        _is_on(stage, guest, stage.source, way)
        event = stage.carry(guest, **way.options)
        if way.options.get("source_disks") == "quarantine":
            # Paused, it is not seen running.
            stage.controller.call(SOURCE, "delete_quarantined_disks", force=True,
                                  migration_id=event.payload["migration_id"])
        _is_on(stage, guest, stage.destination, way)
        matrix.record_shortage(way.title)

    case.__name__ = "full_" + name
    case.__doc__ = "the destination's file system becomes full while %s" % way.title
    return case


def destination_becomes_full(stage):
    """the destination's file system becomes full while a qcow2 image is mirrored"""
    guest = stage.counting(Disk("vda", GIB, data=DATA))
    stage.limit_images(ROOM)
    migration_id = stage.migrate(guest, bandwidth_mib_s=8)
    stage.recorder.wait_phase("disk", migration_id)
    _fill(stage)
    _failed(stage, migration_id)
    stage.runs_on(guest, stage.source)
    equal(guest.state(stage.destination), None)
    equal(stage.destination.images(), ["somebody-elses"])
    os.unlink(stage.destination.path(FILLER))
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)
    matrix.record_shortage("a qcow2 image is mirrored")


@long
def outgrows_the_room(stage):
    """an instance that writes more than there is room for is stopped from going before the
    destination's file system is full"""
    guest = stage.counting(Disk("vda", GIB, data=DATA), writes=Writes(1024, 12 * 1024, mib=512))
    stage.limit_images(ROOM + 40 * MIB)
    migration_id = stage.migrate(guest, bandwidth_mib_s=8)
    least = [_room(stage)[1]]

    def over():
        least.append(_room(stage)[1])
        return any(event.type == "migration.failed"
                   for event in stage.recorder.events(migration_id))
    stage.recorder.wait_phase("disk", migration_id)
    wait_until(over, 90, "its end", interval=0.05)
    room = _failed(stage, migration_id)
    check(min(least) > room["reserved_bytes"] * 3 // 4, "%d bytes were left" % min(least))
    stage.runs_on(guest, stage.source)
    equal(guest.state(stage.destination), None)
    equal(stage.destination.images(), [])


def stands_until_there_is_room(stage):
    """a file system that is full when the instance has arrived: the record says which disk stands,
    the source's disk stays, and the instance goes on when there is room again"""
    # Each number needs room of its own.
    guest = stage.counting(Disk("vda", GIB, "raw", data=4 * MIB),
                           layout=counting.Layout(slots=256, stride=MIB))
    stage.limit_images(160 * MIB)
    filler, path = IMAGES + "/somebody-elses", guest.disks[0].path
    with holding(stage, "confirm:begin", SOURCE) as held:
        migration_id = stage.migrate(guest, storage_strategy="mirror", source_disks="delete")
        held.wait()
        stage.destination.run("dd", "if=/dev/zero", "of=" + filler, "bs=4k", check=False)
        wait_until(lambda: guest.state(stage.destination) == "paused", 30, "it stands")
    error = stage.end(migration_id, "error", "MigrationError").payload["error"]
    equal(error["details"]["reason"], "io-error")
    check("kvm02" in error["message"] and path in error["message"], error["message"])
    check(os.path.exists(stage.source.path(path)), "the source's disk is gone")
    os.unlink(stage.destination.path(filler))
    event = stage.recorder.wait(lambda event: event.type == "migration.resolved"
                                and event.migration_id == migration_id, 60, "its end")
    equal(event.payload["status"], "completed")
    guest.moved_to(stage.destination).wait_counting(3)
    equal(guest.hosts_running(), [stage.destination.name])
    check(not os.path.exists(stage.source.path(path)), "the source's disk is still there")


def image_in_the_way_is_not_ours(stage):
    """a file that appears between check and preparation is not overwritten"""
    guest = stage.still(Disk("vda", GIB, data=MIB), Disk("vdb", GIB, data=MIB))
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    there = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                  instance_info=info)
    check(there["compatible"], there["checks"])
    images.create(guest.disks[1].path, GIB, inside=stage.destination)
    refresh_pool(stage.destination)
    with stage.unchanged():
        stage.end(stage.migrate(guest), "failed", "DestinationDiskExists")


# What the ordinary tests play of the ways: the others take a minute more.
_ORDINARY = ("base", "shut_off")
_FULL = [_becomes_full(*each) for each in WAYS.items()]
CASES = (destination_becomes_full, stands_until_there_is_room, image_in_the_way_is_not_ours,
         outgrows_the_room,
         *(case if case.__name__.removeprefix("full_") in _ORDINARY else long(case)
           for case in _FULL))
