"""Raw images stay as thin as they are, whichever way they go and between whichever releases.

Run with --releases the hosts differ; what a pair of them cannot keep thin is said by `space`.
"""

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from leg import is_told_full, only_seeds_stay_thin
from stage import forget_pool

DATA = 8 * MIB
CAPACITY = 2 * GIB


def _allocated(guest, host):
    return {disk.target: images.allocation(disk.path, host) for disk in guest.disks}


def _thin(before, after):
    for target, bytes_before in before.items():
        check(after[target] <= bytes_before * 1.02 + MIB,
              "%s: %d bytes became %d" % (target, bytes_before, after[target]))


def _carry(stage, guest, to, paths=None, **options):
    """A journey after which the copies are the same and as thin; returns the event of its end."""
    source = guest.host
    before = _allocated(guest, source)
    old = {disk.target: (disk.path, disk.kind) for disk in guest.disks}
    event = stage.carry(guest, to.name, **options)
    for disk in guest.disks:
        disk.path, disk.kind = (paths or {}).get(disk.target, old[disk.target])
        if not options and event.payload["report"]["storage_strategy"] == "mirror":
            check(images.identical((old[disk.target][0], source), (disk.path, to)), disk.target)
    _thin(before, _allocated(guest, to))
    return event


def raw_there_and_back(stage):
    """a raw disk that libvirt mirrors, there and back; its persistent definition stays as it was"""
    guest = stage.still(Disk("vda", CAPACITY, "raw", data=DATA))
    defined = stage.source.virsh("dumpxml", "--inactive", guest.name)
    event = _carry(stage, guest, stage.destination)
    equal(stage.destination.virsh("dumpxml", "--inactive", guest.name).count("discard="),
          defined.count("discard="))
    equal(event.payload["report"]["disks"][0]["strategy"],
          "seeded" if only_seeds_stay_thin(stage, stage.source, stage.destination) else "mirror")
    _carry(stage, guest, stage.source)


def raw_that_is_sent(stage):
    """a raw disk that is seeded"""
    guest = stage.still(Disk("vda", CAPACITY, "raw", data=DATA))
    equal(_carry(stage, guest, stage.destination, storage_strategy="seeded")
          .payload["report"]["storage_strategy"], "seeded")


def raw_that_is_sparsified(stage):
    """blocks of zeroes become holes, and holes stay holes"""
    guest = stage.still(Disk("vda", CAPACITY, "raw", data=DATA))
    path = guest.disks[0].path
    stage.source.run("fallocate", "-z", "-o", str(GIB), "-l", str(16 * MIB), path)
    stage.source.run("dd", "if=/dev/zero", "of=" + path, "bs=1M", "count=16", "seek=600",
                     "conv=notrunc")
    before = images.allocation(path, stage.source)
    _carry(stage, guest, stage.destination, sparsify=True)
    check(images.allocation(path, stage.destination) <= before - 16 * MIB, "the zeroes came along")


def _raw_elsewhere(stage, guest, paths, **options):
    """A journey that no seed can make: thin, or said beforehand; returns the event of its end."""
    pair = (stage.source, stage.destination)
    told = is_told_full(stage, guest, stage.destination, **options)
    equal(told, only_seeds_stay_thin(stage, *pair))
    if not told:
        return _carry(stage, guest, stage.destination, paths, **options)
    event = stage.carry(guest, **options)
    for disk in guest.disks:
        disk.path, disk.kind = paths.get(disk.target, (disk.path, disk.kind))
    return event


def raw_elsewhere(stage):
    """a qcow2 image becomes raw and a raw one goes to another pool, both in one journey"""
    fast = IMAGES + "/fast"
    stage.destination.add_pool("fast", fast)
    stage.defer(stage.remove, stage.destination, fast)
    stage.defer(forget_pool, stage.destination, "fast")
    guest = stage.still(Disk("vda", GIB, data=DATA), Disk("vdb", GIB, "raw", data=DATA))
    for disk in guest.disks:
        stage.defer(stage.remove, stage.source, disk.path)
    paths = {disk.target: (disk.path.replace(IMAGES, fast).replace(".qcow2", ".raw"), "raw")
             for disk in guest.disks}
    _raw_elsewhere(stage, guest, paths, pool_map={"default": "fast"}, disk_formats={"vda": "raw"})


def raw_into_quarantine(stage):
    """a raw disk whose source goes into quarantine, which a seed cannot"""
    guest = stage.still(Disk("vda", GIB, "raw", data=DATA))
    event = _raw_elsewhere(stage, guest, {}, source_disks="quarantine")
    # Paused, it is not seen running.
    stage.controller.call("kvm01", "delete_quarantined_disks", force=True,
                          migration_id=event.payload["migration_id"])


def room_for_all_of_it(stage):
    """what arrives in full is counted in full, what arrives thin as thin"""
    stage.limit_images(400 * MIB)
    guest = stage.still(Disk("vda", CAPACITY, "raw", data=DATA))
    if not only_seeds_stay_thin(stage, stage.source, stage.destination):
        _carry(stage, guest, stage.destination, storage_strategy="mirror")
        return
    error = stage.refused("MigrationPreCheckError", guest, storage_strategy="mirror")
    check("space" in error["message"] and "2048 MiB" in error["message"], error["message"])
    _carry(stage, guest, stage.destination)


CASES = (raw_there_and_back, raw_that_is_sent, raw_that_is_sparsified, raw_elsewhere,
         raw_into_quarantine, room_for_all_of_it)
