"""Folders and images as other programs lay them out: a folder for each instance with its console's log
in it, no storage pool, links in the place of folders and images, owners of their own."""

import os
import stat

from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import forget_pool, long, needs_root, pools

TOP = IMAGES + "/instances"
OWNER = (1000, 1000)


def _tree(host, top):
    """{path below top: (kind, permissions, owner, group)} of a folder, and itself."""
    found = {}
    outer = host.path(top)
    for folder, folders, files in os.walk(outer):
        for path in [folder] + [os.path.join(folder, name) for name in folders + files]:
            info = os.lstat(path)
            found[os.path.relpath(path, outer)] = (
                stat.S_IFMT(info.st_mode), oct(stat.S_IMODE(info.st_mode)), info.st_uid, info.st_gid)
    return found


def _give(host, *paths, mode):
    for path in paths:
        os.chown(host.path(path), *OWNER)
        os.chmod(host.path(path), mode)


def _instance_folder(stage, console=True):
    """A guest in a folder of its own that no pool has, as nova lays it out."""
    folder = TOP + "/instance"
    os.makedirs(stage.source.path(folder))
    for host in stage.hosts.values():
        for path in (TOP, folder, folder + "/disk.info", folder + "/console.log"):
            stage.defer(stage.remove, host, path)
    log = ("<serial type='pty'><log file='%s/console.log' append='off'/><target port='1'/></serial>"
           % folder)
    disk = Disk("vda", GIB, data=8 * MIB, path=folder + "/disk")
    guest = stage.guest(disk, devices=[log] if console else ())
    guest.create_images()
    with open(stage.source.path(folder + "/disk.info"), "w", encoding="ascii") as info:
        info.write("{}")
    _give(stage.source, folder + "/disk", mode=0o664)
    _give(stage.source, folder, mode=0o2775)
    return guest, folder


def console_log(stage):
    """a folder of its own with console.log in it: an abort and a timeout leave nothing of either"""
    guest, _ = _instance_folder(stage)
    guest.start()
    guest.wait_number(3)
    with stage.unchanged(stage.destination):
        migration_id = stage.migrate(guest, bandwidth_mib_s=1)
        stage.wait_copying(migration_id)
        stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
        stage.end(migration_id, "cancelled")
        stage.end(stage.migrate(guest, bandwidth_mib_s=1, completion_timeout_s=2), "failed",
                  "MigrationTimeout")
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


@needs_root("only root reads libvirt's note of whose an image was before its guest ran, and gives "
            "a folder its setgid bit")
def owners_without_a_pool(stage):
    """owner and permissions of images and folder, its setgid bit too, are kept, on the way back too, running and shut off;
    no pool stays"""
    guest, folder = _instance_folder(stage, console=False)
    guest.start()
    guest.wait_number(3)
    before = pools(stage.destination)
    stage.carry(guest)
    equal(pools(stage.destination), before)
    guest.host.virsh("destroy", guest.name)
    wanted = {name: seen for name, seen in _tree(stage.source, folder).items()
              if name in (".", "disk")}
    equal(wanted["disk"][1:], (oct(0o664),) + OWNER)
    equal(wanted["."][1:], (oct(0o2775),) + OWNER)
    equal(_tree(stage.destination, folder), wanted)
    # The one that was left behind gives way, and the folder is the source's own.
    stage.carry(guest)
    equal({name: _tree(stage.source, folder)[name] for name in wanted}, wanted)
    equal(pools(stage.source).keys(), before.keys())
    stage.source.virsh("start", guest.name)
    stage.runs_on(guest, stage.source)


def _links(stage, guest, image):
    stage.carry(guest)
    equal(stage.destination.domain_state(guest.name), "paused")
    stage.carry(guest)
    check(os.path.islink(stage.source.path(image)), "the link is gone")
    stage.carry(guest, source_disks="delete")
    check(not os.path.exists(stage.source.path(image)), "the image is still there")
    stage.carry(guest)
    check(os.path.exists(stage.source.path(image)), "the link leads nowhere")


def image_is_a_link(stage):
    """an image that is a link within the allowed folders (OpenNebula's disk.0) goes there and back, and
    back to where the link leads when that was deleted"""
    folder = IMAGES + "/101"
    image = folder + "/disk.0"
    os.makedirs(stage.source.path(folder + "/disk.0.snap"))
    os.symlink("disk.0.snap/0", stage.source.path(image))
    for host in stage.hosts.values():
        for path in (folder, folder + "/disk.0.snap", folder + "/disk.0.snap/0"):
            stage.defer(stage.remove, host, path)
    disk = Disk("vda", GIB, path=image)
    stage.source.run("qemu-img", "create", "-q", "-f", "qcow2", folder + "/disk.0.snap/0",
                     str(GIB))
    _links(stage, stage.still(disk), image)


@long
def folder_is_a_link(stage):
    """an images folder that is a link on one host only, seeded and mirrored, there and back"""
    real, link = IMAGES + "/real", IMAGES + "/vm"
    for host in stage.hosts.values():
        os.mkdir(host.path(real))
        if host is stage.source:
            os.symlink(real, host.path(link))
        else:
            os.mkdir(host.path(link))
        # What is removed first is named last: the images by their own folder, where the link is gone.
        for path in (real, real + "/a.qcow2", real + "/b.img", link):
            stage.defer(stage.remove, host, path)
    guest = stage.still(Disk("vda", GIB, data=MIB, path=link + "/a.qcow2"),
                        Disk("vdb", 8 * GIB, "raw", data=MIB, path=link + "/b.img"))
    for _ in range(2):
        stage.carry(guest)
        stage.carry(guest)


def volumes_of_pools(stage):
    """disks that the definition names as volumes of pools: running and shut off, there and back; where
    the other host's pool of that name is another one, they are named by their paths"""
    def name_volumes(text):
        return text.replace("<disk type='file' device='disk'>",
                            "<disk type='volume' device='disk'>").replace(
                                "<source file='%s/" % IMAGES, "<source pool='default' volume='").replace(
                                    '<source file="%s/' % IMAGES, '<source pool="default" volume="')

    guest = stage.guest(Disk("vda", GIB, data=MIB)).create_images()
    plain = guest.xml
    guest.xml = lambda: name_volumes(plain())
    stage.source.virsh("pool-refresh", "default")
    guest.start()
    guest.wait_number(3)
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)
    check("pool='default'" in stage.destination.virsh("dumpxml", "--inactive", guest.name),
          "the definition names no volume any more")
    guest.host.virsh("destroy", guest.name)
    stage.carry(guest)
    stage.source.virsh("start", guest.name)
    stage.runs_on(guest, stage.source)
    # The same name, another folder.
    forget_pool(stage.destination, "default")
    other = IMAGES + "/other"
    stage.destination.add_pool("default", other)
    try:
        stage.carry(guest, source_disks="delete")
        check("type='file'" in stage.destination.virsh("dumpxml", "--inactive", guest.name)
              and "pool='default'" not in stage.destination.virsh("dumpxml", guest.name),
              "it names the other pool")
    finally:
        forget_pool(stage.destination, "default")
        for name in set(pools(stage.destination)):
            forget_pool(stage.destination, name)
        stage.remove(stage.destination, other)
        stage.destination.add_pool()


CASES = (console_log, owners_without_a_pool, image_is_a_link, folder_is_a_link, volumes_of_pools)
