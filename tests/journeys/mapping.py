"""An instance becomes something else at the destination: other pools and folders, other formats of
its images, another name; and comes back."""

import json

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

import matrix
from leg import boot_cold, only_seeds_stay_thin, travel
from stage import definition, forget_pool, long, pools

FAST = IMAGES + "/fast"
SLOW = IMAGES + "/slow/deep"


def _fast_pool(stage, host):
    host.add_pool("fast", FAST)
    host.lend(FAST)
    stage.defer(stage.remove, host, FAST)
    stage.defer(forget_pool, host, "fast")


def _disk_xml(host, name, *flags):
    return host.virsh("dumpxml", "--security-info", *flags, name)


@long
def another_pool(stage):
    """all images go to another pool, and come back from there"""
    _fast_pool(stage, stage.destination)
    guest = stage.counting(Disk("vda", data=16 * MIB), Disk("vdb", GIB, "raw", data=8 * MIB),
                           devices=["<graphics type='vnc' port='-1' autoport='yes' passwd='pw3'/>"])
    home = {disk.target: (disk.path, disk.kind) for disk in guest.disks}
    away = {target: (path.replace(IMAGES, FAST), kind) for target, (path, kind) in home.items()}
    end = travel(stage, guest, away, pool_map={"default": "fast"})
    for target, disk in zip(("vda", "vdb"), end.payload["report"]["disks"]):
        equal((disk["path"], disk["destination_path"]), (home[target][0], away[target][0]))
    for flags in ((), ("--inactive",)):
        xml = _disk_xml(stage.destination, guest.name, *flags)
        check("passwd='pw3'" in xml, "the password is lost")
        for path, _ in away.values():
            check("<source file='%s'" % path in xml, "no %s in %s" % (path, xml))
    travel(stage, guest, home, pool_map={"fast": "default"})
    travel(stage, guest, away, pool_map={IMAGES: FAST})
    matrix.record("images sent to another pool and back", moved=True, cold_boot=True,
                  thin=not only_seeds_stay_thin(stage, stage.source, stage.destination))


def new_folder(stage):
    """one of two folders is mapped, to one that does not exist yet: it becomes a pool"""
    guest = stage.counting(Disk("vda", GIB, data=8 * MIB), Disk("vdb", GIB, path=IMAGES + "/b.img"))
    stage.defer(stage.remove, stage.destination, IMAGES + "/slow")
    stage.defer(stage.remove, stage.destination, SLOW)
    stage.defer(forget_pool, stage.destination, "deep")
    away = {disk.target: (disk.path.replace(IMAGES, SLOW), disk.kind) for disk in guest.disks}
    home = {disk.target: (disk.path, disk.kind) for disk in guest.disks}
    travel(stage, guest, away, pool_map={IMAGES + "/": SLOW})
    equal(pools(stage.destination)["deep"], (SLOW, True, True))
    travel(stage, guest, home, pool_map={SLOW: "default"})


def other_formats(stage):
    """raw becomes qcow2 and qcow2 raw, thin as before; and back again"""
    guest = stage.counting(Disk("vda", 2 * GIB, "raw", data=16 * MIB),
                           Disk("vdb", 2 * GIB, data=16 * MIB),
                           Disk("vdc", GIB, path=IMAGES + "/odd.img"))
    home = {disk.target: (disk.path, disk.kind) for disk in guest.disks}
    away = {"vda": (home["vda"][0].replace(".raw", ".qcow2"), "qcow2"),
            "vdb": (home["vdb"][0].replace(".qcow2", ".raw"), "raw"),
            "vdc": (home["vdc"][0], "raw")}
    end = travel(stage, guest, away, disk_formats={"vda": "qcow2", "vdb": "raw", "vdc": "raw"})
    allocated = [images.allocation(disk.path, stage.destination) for disk in guest.disks]
    equal([disk["destination_format"] for disk in end.payload["report"]["disks"]],
          ["qcow2", "raw", "raw"])
    travel(stage, guest, home, disk_formats={"vda": "raw", "vdb": "qcow2", "vdc": "qcow2"})
    matrix.record("raw made qcow2 and qcow2 made raw on the way", moved=True, cold_boot=True,
                  thin=max(allocated) < 64 * MIB)


def other_name(stage):
    """arrival under another name, images elsewhere; the way back under the old one"""
    _fast_pool(stage, stage.destination)
    guest = stage.counting(Disk("vda", GIB, data=8 * MIB))
    old = guest.name
    home = {"vda": (guest.disks[0].path, "qcow2")}
    away = {"vda": (home["vda"][0].replace(IMAGES, FAST), "qcow2")}
    end = travel(stage, guest, away, name="renamed", pool_map={"default": "fast"})
    equal(end.payload["instance"]["uuid"], guest.uuid)
    record = stage.controller.record("kvm02", end.payload["migration_id"])
    equal((record["status"], record["instance"]),
          ("completed", {"name": "renamed", "uuid": guest.uuid}))
    check("<name>renamed</name>" in _disk_xml(stage.destination, "renamed", "--inactive"), "name")
    equal([definition(host, old) for host in (stage.source, stage.destination)], [None, None])
    travel(stage, guest, home, name=old, pool_map={"fast": "default"})
    equal([definition(host, "renamed") for host in stage.hosts.values()], [None, None])


def name_only(stage):
    """another name and nothing else: no document but libvirt's own is needed"""
    guest = stage.counting(Disk("vda", GIB, data=4 * MIB))
    travel(stage, guest, name="renamed")


def undone(stage):
    """a journey that is aborted leaves nothing in the mapped folder"""
    _fast_pool(stage, stage.destination)
    guest = stage.still(Disk("vda", GIB, data=8 * MIB), Disk("vdb", GIB, "raw"))
    with stage.unchanged():
        answer = stage.controller.call(
            "kvm02", "pre_live_migration", migration_id=guest.uuid, instance_info=_info(stage, guest),
            options={"pool_map": {"default": "fast"}, "disk_formats": {"vdb": "qcow2"},
                     "dest_name": "renamed"})
        equal([(volume["path"], volume["format"]) for volume in answer["volumes"]],
              [(guest.disks[0].path.replace(IMAGES, FAST), "qcow2"),
               (guest.disks[1].path.replace(IMAGES, FAST).replace(".raw", ".qcow2"), "qcow2")])
        for volume in answer["volumes"]:
            check(images.info(volume["path"], stage.destination)["virtual-size"] == GIB, "size")
        stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                              migration_id=guest.uuid)


def _info(stage, guest):
    return stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]


def overlay_elsewhere(stage):
    """an overlay goes to another pool, its base to where it was; relative names stay together"""
    _fast_pool(stage, stage.destination)
    base = Disk("base", GIB, data=8 * MIB)
    guest = stage.counting(Disk("vda", GIB, backing=base))
    overlay = guest.disks[0]
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, base.path)
        stage.defer(stage.remove, host, overlay.path)
    stage.carry(guest, pool_map={"default": "fast"})
    overlay.path = overlay.path.replace(IMAGES, FAST)
    stage.runs_on(guest, stage.destination)
    equal(images.info(overlay.path, stage.destination)["backing-filename"], base.path)
    boot_cold(stage, guest)
    stage.destination.virsh("destroy", guest.name)
    stage.destination.run("qemu-img", "rebase", "-u", "-F", "qcow2", "-b",
                          "../" + base.path.rsplit("/", 1)[1], overlay.path)
    stage.destination.virsh("start", "--paused", guest.name)
    there = stage.controller.call("kvm02", "check_can_live_migrate_source", instance=guest.name)
    answer = stage.controller.call("kvm01", "check_can_live_migrate_destination",
                                   instance_info=there["instance_info"],
                                   options={"pool_map": {"fast": "default"}})
    failed = [each["message"] for each in answer["checks"]
              if each["name"] == "pool-map" and each["result"] == "fail"]
    check(failed and "../" in failed[0], answer["checks"])


class Full(Disk):
    """A disk whose image is allocated in full, with 16 MiB of data and zeroes for the rest."""

    def create_image(self, host):
        images.create(self.path, self.capacity, self.kind, inside=host)
        host.run("qemu-io", "-f", self.kind, "-c", "write -q -P 0 0 %d" % self.capacity, self.path)
        images.fill(self.path, self.kind, self.capacity, 16 * MIB, inside=host)


def zeroes_become_holes(stage):
    """sparsify: images allocated in full for zeroes arrive thin, and only on their way"""
    guest = stage.counting(Full("vda", 256 * MIB, "raw"), Full("vdb", 256 * MIB),
                           Full("vdc", 128 * MIB, "raw", driver={"discard": "ignore"}))
    for disk in guest.disks:
        check(images.allocation(disk.path, stage.source) >= disk.capacity, "not full before")
    end = travel(stage, guest, sparsify=True)
    for disk, told in zip(guest.disks, end.payload["report"]["disks"]):
        allocated = images.allocation(disk.path, stage.destination)
        check(allocated < 40 * MIB, "%s: %d bytes are allocated" % (disk.target, allocated))
        check(told["allocation_after_bytes"] < 40 * MIB < told["allocation_before_bytes"], told)
    xml = _disk_xml(stage.destination, guest.name, "--inactive")
    check("detect_zeroes" not in xml and "discard='unmap'" not in xml, "it is for good: %s" % xml)
    check("discard='ignore'" in xml, "the definition has changed: %s" % xml)
    travel(stage, guest)
    matrix.record("raw and qcow2 allocated in full for zeroes, with sparsify", moved=True, thin=True,
                  cold_boot=True)


def impossible(stage):
    """what a map cannot mean is said by name before anything is made"""
    guest = stage.still(Disk("vda", GIB))
    other = stage.guest(Disk("vda", GIB), host="kvm02", stem="other").create_images().define()
    check_error, path_error = "MigrationPreCheckError", "PathNotAllowed"
    for code, options, word in (
            (check_error, {"pool_map": {"default": "nowhere"}}, "nowhere"),
            (check_error, {"pool_map": {"elsewhere": "default"}}, "elsewhere"),
            (check_error, {"disk_formats": {"vdq": "raw"}}, "vdq"),
            (check_error, {"dest_name": other.name}, other.name),
            (path_error, {"pool_map": {"default": "/etc/cron.d"}}, "/etc/cron.d"),
            (path_error, {"pool_map": {"default": IMAGES + "/../../../../etc"}}, "/etc")):
        error = stage.refused(code, guest, **options)
        check(word in json.dumps(error), "%s is not named: %s" % (word, error))


CASES = (another_pool, new_folder, other_formats, other_name, name_only, undone, overlay_elsewhere,
         zeroes_become_holes, impossible)
