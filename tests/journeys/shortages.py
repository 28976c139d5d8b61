"""What runs out in the middle of a journey: the guest goes on where it was, nothing is left."""

import os

from lab import counting, images
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import SOURCE, holding, refresh_pool


def _failed(stage, guest, migration_id):
    end = stage.end(migration_id, "failed", "InsufficientStorage")
    error = end.payload["error"]
    check(error["hint"], "no hint")
    room = error["details"]["room"]
    check(room["available_bytes"] < room["reserved_bytes"], room)
    check("%d bytes left" % room["available_bytes"] in error["message"], error["message"])
    for host in stage.hosts.values():
        host.virsh("list")
    stage.runs_on(guest, stage.source)
    equal(guest.state(stage.destination), None)
    return end


def destination_becomes_full(stage):
    """the destination's file system becomes full while the disk is on its way"""
    guest = stage.counting(Disk("vda", GIB, data=48 * MIB))
    stage.limit_images(160 * MIB)
    filler = IMAGES + "/somebody-elses"
    migration_id = stage.migrate(guest, bandwidth_mib_s=8)
    stage.recorder.wait_phase("disk", migration_id)
    stage.destination.run("dd", "if=/dev/zero", "of=" + filler, "bs=1M", check=False)
    _failed(stage, guest, migration_id)
    equal(stage.destination.images(), ["somebody-elses"])
    os.unlink(stage.destination.path(filler))
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


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


CASES = (destination_becomes_full, stands_until_there_is_room, image_in_the_way_is_not_ours)
