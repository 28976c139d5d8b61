"""The crossing itself: the guest goes on, its data is the same, its definition is as ordered."""

import json
import os

from lab import images
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from leg import identical
from stage import definition, start_still

# Of the source's saga, in their order; a unit test compares them with the agent's table.
STEPS = ("check", "prepare", "files", "trim", "snapshot", "seed", "transfer", "confirm", "finish",
         "source-domain", "source-disks")


def one_disk(stage):
    """one disk: the guest goes on without losing a write, the copy is thin, the report tells"""
    guest = stage.counting(Disk("vda", data=64 * MIB))
    path = guest.disks[0].path
    before = images.allocation(path, stage.source)
    end = stage.carry(guest)
    stage.runs_on(guest, stage.destination)
    check(images.allocation(path, stage.destination) < before + 4 * MIB, "the copy is not thin")
    report = end.payload["report"]
    equal([disk["target"] for disk in report["disks"]], ["vda"])
    equal(report["disks"][0]["capacity_bytes"], guest.disks[0].capacity)
    check(report["downtime_ms"] is not None and report["downtime_ms"] < 5000, "downtime")
    check(report["moved_bytes"] >= 64 * MIB, "moved bytes: %r" % report["moved_bytes"])
    equal([step["name"] for step in report["steps"]],
          list(STEPS))
    equal({step["state"] for step in report["steps"]}, {"done"})
    equal([definition(host, guest.name) for host in (stage.source, stage.destination)],
          [None, (True, True)])


def uuid_and_paused_guest(stage):
    """a guest that a person has paused, named by its UUID, moves and stays paused"""
    guest = stage.still(Disk("vda", data=8 * MIB))
    migration_id = stage.controller.migrate(guest.uuid, "kvm01", "kvm02")
    stage.completed(migration_id)
    equal(guest.state(stage.destination), "paused")
    equal(guest.state(stage.source), None)
    check(images.identical((guest.disks[0].path, stage.source),
                           (guest.disks[0].path, stage.destination)), "the copies differ")


def paused_arrival(stage):
    """a running guest that shall arrive paused: source and copy are the same bit by bit"""
    guest = stage.counting(Disk("vda", data=32 * MIB), Disk("vdb", GIB, "raw", data=8 * MIB))
    stage.carry(guest, paused=True)
    equal(guest.state(stage.destination), "paused")
    equal(guest.state(stage.source), None)
    for disk in guest.disks:
        check(identical(disk, disk.path, stage.source, stage.destination),
              "%s: the copies differ" % disk.target)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)


def _define_and_carry(stage, defined, **options):
    guest = stage.guest(Disk("vda", GIB, data=4 * MIB)).create_images()
    start_still(guest, defined)
    stage.carry(guest, **options)
    return [definition(host, guest.name) for host in (stage.source, stage.destination)]


def transient_stays_transient(stage):
    """a transient guest stays transient"""
    equal(_define_and_carry(stage, False), [None, (True, False)])


def transient_becomes_persistent(stage):
    """a transient guest becomes persistent where that is ordered"""
    equal(_define_and_carry(stage, False, persistent=True), [None, (True, True)])


def persistent_becomes_transient(stage):
    """a persistent guest becomes transient where that is ordered"""
    equal(_define_and_carry(stage, True, persistent=False), [None, (True, False)])


def source_stays_defined(stage):
    """undefine_source=false leaves a definition that is shut off"""
    equal(_define_and_carry(stage, True, undefine_source=False),
          [(False, True), (True, True)])


def source_disks_are_kept(stage):
    """source_disks=keep leaves the images where they were"""
    guest = stage.still(Disk("vda", GIB, data=4 * MIB))
    stage.carry(guest, source_disks="keep")
    check(os.path.exists(stage.source.path(guest.disks[0].path)), "the image is gone")


def source_disks_are_deleted(stage):
    """source_disks=delete removes the images after the arrival"""
    guest = stage.still(Disk("vda", GIB, data=4 * MIB), Disk("vdb", GIB, "raw"))
    stage.carry(guest, source_disks="delete")
    for disk in guest.disks:
        check(not os.path.exists(stage.source.path(disk.path)), "%s is there" % disk.path)
    stage.rests_on(guest, stage.destination)


def way_back(stage):
    """there, back and there again: images of ours that became stale are replaced"""
    guest = stage.counting(Disk("vda", data=16 * MIB), Disk("vdb", GIB, "raw", data=4 * MIB))
    for host in (stage.destination, stage.source, stage.destination):
        stage.carry(guest, host.name)
        stage.runs_on(guest, host)


def forgotten_copy(stage):
    """nodes of a copy that broke off, which libvirt has forgotten in QEMU, are not in the way"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    # As a link leaves them that breaks at the switch; here a copy to nowhere.
    for node in ({"driver": "null-co", "node-name": "migration-vda-storage"},
                 {"driver": "raw", "node-name": "migration-vda-format",
                  "file": "migration-vda-storage"}):
        stage.source.virsh("qemu-monitor-command", guest.name,
                           json.dumps({"execute": "blockdev-add", "arguments": node}))
    stage.carry(guest)


CASES = (one_disk, uuid_and_paused_guest, paused_arrival, transient_stays_transient,
         transient_becomes_persistent, persistent_becomes_transient, source_stays_defined,
         source_disks_are_kept, source_disks_are_deleted, way_back, forgotten_copy)
