"""Images of every kind arrive as what they were; cost follows the data; pools are made to fit."""

import os
import time

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

import matrix
from leg import identical, travel
from stage import boot_cold_still, definition, forget_pool, long, pools


TIB = 1024 * GIB


class Image(Disk):
    """A qcow2 disk whose image has particular features, given as qemu-img takes them."""

    def __init__(self, target, features, capacity=GIB, data=0):
        super().__init__(target, capacity, data=data)
        self.features = features

    def create_image(self, host):
        host.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", self.features, self.path,
                 self.capacity)
        if self.data:
            images.fill(self.path, "qcow2", self.capacity, self.data, inside=host)


def features_of(path, host):
    """What of an image has to survive the journey."""
    info = images.info(path, host)
    data = (info.get("format-specific") or {}).get("data") or {}
    return {"format": info["format"], "size": info["virtual-size"],
            "cluster size": info.get("cluster-size"), "compat": data.get("compat"),
            "refcount bits": data.get("refcount-bits"), "lazy": data.get("lazy-refcounts"),
            "extended": data.get("extended-l2"), "compression": data.get("compression-type")}


def _mode_and_owner(path, host):
    info = os.stat(host.path(path))
    return info.st_mode, info.st_uid, info.st_gid


def _carry_and_compare(stage, guest):
    """A paused arrival: all features and every bit are the same, and the copy is as thin."""
    before = {disk.target: features_of(disk.path, stage.source) for disk in guest.disks}
    stage.carry(guest, paused=True)
    for disk in guest.disks:
        pair = [(disk.path, host) for host in (stage.source, stage.destination)]
        equal(features_of(*pair[1]), before[disk.target], disk.target)
        check(identical(disk, disk.path, stage.source, stage.destination),
              "%s: the copies differ" % disk.target)
        allocated = [images.allocation(*each) for each in pair]
        check(allocated[1] <= allocated[0] * 1.02 + 8 * MIB,
              "%s: %d of %d bytes are allocated" % (disk.target, allocated[1], allocated[0]))


def three_disks(stage):
    """three disks: qcow2, raw, and qcow2 with clusters of 2 MiB"""
    guest = stage.counting(Disk("vda", data=16 * MIB), Disk("vdb", 2 * GIB, "raw", data=8 * MIB),
                           Disk("vdc", 10 * GIB, data=16 * MIB, cluster_size=2 * MIB))
    ours = [_mode_and_owner(disk.path, stage.source) for disk in guest.disks]
    _carry_and_compare(stage, guest)
    equal([_mode_and_owner(disk.path, stage.destination) for disk in guest.disks], ours)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)
    boot_cold_still(guest)
    matrix.record("three disks: qcow2, sparse raw, qcow2 with clusters of 2 MiB", moved=True,
                  thin=True, cold_boot=True)


def image_features(stage):
    """features of qcow2: compat, refcount bits, lazy refcounts, subclusters, odd sizes"""
    guest = stage.still(
        Image("vda", "compat=0.10", data=4 * MIB),
        Image("vdb", "refcount_bits=1", data=4 * MIB),
        Image("vdc", "refcount_bits=64,cluster_size=4k"),
        Image("vdd", "lazy_refcounts=on"),
        Image("vde", "extended_l2=on,cluster_size=128k", data=4 * MIB),
        Image("vdf", "compression_type=zstd"),
        Image("vdg", "cluster_size=64k", capacity=64 * MIB + 512),
        Disk("vdh", 64 * MIB + 512, "raw"))
    for disk in guest.disks:
        os.chmod(stage.source.path(disk.path), 0o640)
    _carry_and_compare(stage, guest)
    for disk in guest.disks:
        equal(_mode_and_owner(disk.path, stage.destination),
              _mode_and_owner(disk.path, stage.source), disk.path)
    boot_cold_still(guest)
    matrix.record("qcow2 features: compat, refcount bits, lazy refcounts, extended L2, zstd, odd "
                  "sizes", moved=True, thin=True, cold_boot=True)


@long
def image_features_come_back(stage):
    """images of unusual features there and back, written to on the way, with a cold boot each"""
    guest = stage.counting(Image("vda", "refcount_bits=64,compat=1.1", data=4 * MIB),
                           Image("vdb", "cluster_size=4k", 256 * MIB + 512),
                           Image("vdc", "compression_type=zstd,lazy_refcounts=on"),
                           Image("vdd", "extended_l2=on,cluster_size=128k"),
                           Image("vde", "compat=0.10"))
    before = [features_of(disk.path, stage.source) for disk in guest.disks]
    for _ in range(2):
        travel(stage, guest)
        equal([features_of(disk.path, guest.host) for disk in guest.disks], before)
    matrix.record("qcow2 features, written to, there and back", moved=True, thin=True,
                  cold_boot=True)


def full_raw_and_sparse_raw(stage):
    """a raw image that is allocated in full keeps its content, a sparse one its holes"""
    guest = stage.still(Disk("vda", 96 * MIB, "raw", data=64 * MIB),
                        Disk("vdb", 8 * GIB, "raw", data=4 * MIB))
    _carry_and_compare(stage, guest)
    boot_cold_still(guest)


def tebibyte(stage):
    """1 TiB with 64 MiB of data: time and allocation follow the data"""
    guest = stage.still(Disk("vda", TIB, data=64 * MIB, pieces=8))
    begun = time.monotonic()
    before = images.allocation(guest.disks[0].path, stage.source)
    end = stage.carry(guest)
    took = time.monotonic() - begun
    after = images.allocation(guest.disks[0].path, stage.destination)
    check(after <= before * 1.02 + 8 * MIB, "%d of %d bytes are allocated" % (after, before))
    # The mirror of all of it takes minutes, of the data a second or two.
    check(took < 30, "%.1f s" % took)
    moved = end.payload["report"]["moved_bytes"]
    check(moved < 300 * MIB, "%d MiB were moved" % (moved / MIB))
    equal(features_of(guest.disks[0].path, stage.destination)["size"], TIB)
    boot_cold_still(guest)
    matrix.record("qcow2 of 1 TiB", moved=True, thin=True, cold_boot=True)


# Pools

FOLDER = IMAGES + "/fast"


def _in_folder_of_its_own(stage, still=True):
    """A guest whose image lies in a pool that only the source has."""
    stage.source.add_pool("fast", FOLDER)
    stage.defer(stage.remove, stage.source, FOLDER)
    stage.defer(forget_pool, stage.source, "fast")
    disk = Disk("vda", GIB, data=8 * MIB, path=FOLDER + "/disk.qcow2")
    return stage.still(disk) if still else stage.counting(disk)


def _end_with_pool(stage, name, guest):
    for host in (stage.source, stage.destination):
        if definition(host, guest.name):
            guest.destroy(host)
        stage.remove(host, guest.disks[0].path)
    forget_pool(stage.destination, name)
    stage.remove(stage.destination, FOLDER)


def pool_is_missing(stage):
    """a pool that is missing at the destination, folder and all, is made, started, autostarted"""
    guest = _in_folder_of_its_own(stage, still=False)
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)
    equal(pools(stage.destination)["fast"], (FOLDER, True, True))
    _end_with_pool(stage, "fast", guest)


def pool_folder_exists(stage):
    """a folder that no pool at the destination has is taken as it is"""
    guest = _in_folder_of_its_own(stage)
    os.mkdir(stage.destination.path(FOLDER))
    os.chmod(stage.destination.path(FOLDER), 0o751)
    stage.carry(guest)
    equal(pools(stage.destination)["fast"], (FOLDER, True, True))
    equal(os.stat(stage.destination.path(FOLDER)).st_mode & 0o777, 0o751)
    boot_cold_still(guest)
    _end_with_pool(stage, "fast", guest)


def pool_has_another_name(stage):
    """a pool of another name for the same folder is used"""
    guest = _in_folder_of_its_own(stage)
    stage.destination.add_pool("quick", FOLDER)
    stage.carry(guest)
    check("fast" not in pools(stage.destination), "a second pool was made")
    _end_with_pool(stage, "quick", guest)


def pool_name_is_taken(stage):
    """a pool of the same name for another folder is left alone"""
    guest = _in_folder_of_its_own(stage)
    other = IMAGES + "/other"
    stage.destination.add_pool("fast", other)
    end = stage.carry(guest)
    equal(pools(stage.destination)["fast"], (other, True, True))
    made = next(name for name, (path, _, _) in pools(stage.destination).items()
                if path == FOLDER)
    equal(end.type, "migration.completed")
    _end_with_pool(stage, made, guest)
    forget_pool(stage.destination, "fast")
    stage.remove(stage.destination, other)


def pool_is_inactive(stage):
    """a pool that is not started at the destination is started and autostarted"""
    guest = _in_folder_of_its_own(stage)
    stage.destination.add_pool("fast", FOLDER, autostart=False)
    stage.destination.virsh("pool-destroy", "fast")
    stage.carry(guest)
    equal(pools(stage.destination)["fast"], (FOLDER, True, True))
    _end_with_pool(stage, "fast", guest)


def _aborted(stage, guest):
    """A journey that is given up while the disk is on its way."""
    migration_id = stage.migrate(guest, bandwidth_mib_s=1)
    stage.recorder.wait_event("migration.running", migration_id)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    return stage.end(migration_id, "cancelled")


def pool_is_unmade(stage):
    """a pool and a folder made for a journey that fails are gone again"""
    guest = _in_folder_of_its_own(stage)
    with stage.unchanged():
        _aborted(stage, guest)


def pool_is_stopped_again(stage):
    """a pool started for a journey that fails is stopped again, its folder removed again"""
    guest = _in_folder_of_its_own(stage)
    stage.destination.add_pool("fast", FOLDER, autostart=False)
    stage.destination.virsh("pool-destroy", "fast")
    stage.defer(forget_pool, stage.destination, "fast")
    os.rmdir(stage.destination.path(FOLDER))
    with stage.unchanged():
        _aborted(stage, guest)
        equal(pools(stage.destination)["fast"], (FOLDER, False, False))


CASES = (three_disks, image_features, image_features_come_back, full_raw_and_sparse_raw, tebibyte,
         pool_is_missing, pool_folder_exists, pool_has_another_name, pool_name_is_taken,
         pool_is_inactive, pool_is_unmade, pool_is_stopped_again)
