"""What runs out in the middle of a journey: the guest goes on where it was, nothing is left."""

import os

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import refresh_pool


def _failed(stage, guest, migration_id):
    end = stage.end(migration_id, "failed", "MigrationError")
    check(end.payload["error"]["hint"], "no hint")
    stage.runs_on(guest, stage.source)
    equal(guest.state(stage.destination), None)
    return end


def destination_becomes_full(stage):
    """the destination's file system becomes full while the disk is on its way"""
    guest = stage.counting(Disk("vda", GIB, data=48 * MIB))
    stage.destination.limit_images(160 * MIB)
    stage.defer(stage.destination.unlimit_images)
    filler = IMAGES + "/somebody-elses"
    migration_id = stage.migrate(guest, bandwidth_mib_s=8)
    stage.recorder.wait_phase("disk", migration_id)
    stage.destination.run("dd", "if=/dev/zero", "of=" + filler, "bs=1M", check=False)
    _failed(stage, guest, migration_id)
    equal(stage.destination.images(), ["somebody-elses"])
    os.unlink(stage.destination.path(filler))
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


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


CASES = (destination_becomes_full, image_in_the_way_is_not_ours)
