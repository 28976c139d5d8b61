"""What the guest only reads is brought along: copied when missing, used when equal, else refused."""

import os

from lab import images
from lab.guest import Disk, cdrom
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

import matrix
from stage import boot_cold_still, forget_pool, overlays

DISC = IMAGES + "/disc.iso"


def _medium(stage, path=DISC, size=4 * MIB, data=2 * MIB):
    """A medium on the source; both hosts are rid of it at the end."""
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    images.create(path, size, "raw", inside=stage.source)
    with open(stage.source.path(path), "r+b") as medium:
        medium.write(os.urandom(data))
    return path


def _content(host, path):
    with open(host.path(path), "rb") as file:
        return file.read()


def _same(stage, path):
    equal(_content(stage.destination, path) == _content(stage.source, path), True, path)


def floppy(path, target="fda", readonly=True):
    return ("<disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='%s'/>"
            "<target dev='%s' bus='fdc'/>%s</disk>"
            % (path, target, "<readonly/>" if readonly else ""))


def cdrom_copied_and_used(stage):
    """a CD-ROM's medium is brought; there it stays for the way back and for the next instance"""
    guest = stage.counting(Disk("vda", GIB, data=MIB), devices=[cdrom(_medium(stage))])
    end = stage.carry(guest)
    _same(stage, DISC)
    stage.runs_on(guest, stage.destination)
    equal([(file["kind"], file["present"]) for file in end.payload["report"]["files"]],
          [("medium", False)])
    back = stage.carry(guest)
    stage.runs_on(guest, stage.source)
    check(back.payload["report"]["files"][0]["present"], "it came back")
    other = stage.still(Disk("vda", GIB), devices=[cdrom(DISC)])
    check(stage.carry(other).payload["report"]["files"][0]["present"], "it was sent again")
    boot_cold_still(other)
    matrix.record("CD-ROM with a local medium", moved=True, cold_boot=True)


def other_medium_is_refused(stage):
    """another medium under the same name, of the same length or not, is refused and left alone"""
    guest = stage.still(Disk("vda", GIB), devices=[cdrom(_medium(stage))])
    for length in (4 * MIB, 3 * MIB):
        with open(stage.destination.path(DISC), "wb") as foreign:
            foreign.write(os.urandom(length))
        before = _content(stage.destination, DISC)
        code = "DestinationDiskExists" if length == 4 * MIB else "MigrationPreCheckError"
        error = stage.refused(code, guest)
        check(DISC in error["message"], error["message"])
        equal(_content(stage.destination, DISC) == before, True, "content")
    stage.remove(stage.destination, DISC)
    stage.carry(guest)


def floppy_and_read_only_disk(stage):
    """a read-only floppy and a read-only disk are brought as media"""
    medium = _medium(stage, IMAGES + "/floppy.img", 1474560, MIB)
    disk = Disk("vdb", 4 * MIB, "raw", data=0, readonly=True, path=IMAGES + "/readonly.raw")
    _medium(stage, disk.path)
    guest = stage.counting(Disk("vda", GIB, data=MIB), disk, devices=[floppy(medium)],
                           machine="pc")
    stage.carry(guest)
    _same(stage, medium)
    _same(stage, disk.path)
    stage.runs_on(guest, stage.destination)
    boot_cold_still(guest)
    matrix.record("read-only floppy and read-only disk", moved=True, cold_boot=True)


def writable_floppy(stage):
    """a floppy that the guest may write to moves as a disk does"""
    medium = _medium(stage, IMAGES + "/writable.img", 1474560, MIB)
    guest = stage.counting(Disk("vda", GIB, data=MIB), devices=[floppy(medium, readonly=False)],
                           machine="pc")
    end = stage.carry(guest)
    check("files" not in end.payload["report"], end.payload["report"])
    # A raw one: it is seeded where nothing else keeps it thin.
    for overlay in overlays(stage.source, Disk("fda", path=medium)):
        stage.defer(stage.remove, stage.source, overlay)
    _same(stage, medium)
    stage.runs_on(guest, stage.destination)
    boot_cold_still(guest)
    matrix.record("writable floppy", moved=True, cold_boot=True)


def empty_drives(stage):
    """empty drives pass"""
    empty = floppy("x").replace("<source file='x'/>", "")
    guest = stage.still(Disk("vda", GIB), devices=[cdrom(), empty], machine="pc")
    end = stage.carry(guest)
    check("files" not in end.payload["report"], end.payload["report"])
    boot_cold_still(guest)


def config_drive(stage):
    """a config drive in the instance's own folder, which is no pool at the destination yet"""
    folder = IMAGES + "/instance"
    stage.source.add_pool("instance", folder)
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, folder)
        stage.defer(forget_pool, host, "instance")
    drive = _medium(stage, folder + "/disk.config", MIB, 64 * 1024)
    guest = stage.counting(Disk("vda", GIB, data=MIB, path=folder + "/disk"),
                           devices=[cdrom(drive)])
    stage.carry(guest)
    _same(stage, drive)
    equal(os.stat(stage.destination.path(drive)).st_mode,
          os.stat(stage.source.path(drive)).st_mode, "mode of the drive")
    stage.runs_on(guest, stage.destination)
    boot_cold_still(guest)
    matrix.record("config drive beside the disk", moved=True, cold_boot=True)


def medium_outside(stage):
    """a medium outside the allowed folders is neither read nor sent"""
    path = "/var/lib/libvirt/secret.iso"
    _medium(stage, path)
    guest = stage.still(Disk("vda", GIB), devices=[cdrom(path)])
    error = stage.refused("PathNotAllowed", guest)
    check(path in error["message"], error["message"])


CASES = (cdrom_copied_and_used, other_medium_is_refused, floppy_and_read_only_disk,
         writable_floppy, empty_drives,
         config_drive, medium_outside)
