"""Only the file that was made is deleted, whatever has its name by then."""

import os

from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id

FOLDER = IMAGES + "/tenants/web"
PATH = FOLDER + "/disk.qcow2"
OUTSIDE = "/var/lib/libvirt/elsewhere"
PRECIOUS = b"somebody's own"


def _write(stage, path):
    host = stage.destination
    stage.defer(stage.remove, host, path)
    os.makedirs(os.path.dirname(host.path(path)), exist_ok=True)
    with open(host.path(path), "wb") as file:
        file.write(PRECIOUS)


def _check_precious(stage, path):
    with open(stage.destination.path(path), "rb") as file:
        equal(file.read(), PRECIOUS)


def _info(stage, **changes):
    """An instance_info whose disk is to lie in two folders that are not there yet."""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    info["disks"][0].update(source=PATH, pool=None)
    info.update(changes)
    return info


def _prepare(stage, info):
    migration_id = new_id()
    stage.controller.call("kvm02", "pre_live_migration", migration_id=migration_id,
                          instance_info=info, options={}, source="kvm01")
    return migration_id


def _roll_back(stage, migration_id):
    """Returns what was kept: {path: why}."""
    answer = stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                                   migration_id=migration_id)
    for each in answer["kept"]:
        check(each["why"], each)
    return {each["path"]: each["why"] for each in answer["kept"]}


def _clear(stage, *paths):
    """What the rollback had to keep, and its folders."""
    for path in paths:
        stage.remove(stage.destination, path)
    stage.destination.run("rm", "-rf", IMAGES + "/tenants", IMAGES + "/aside")
    for pool in ("web", "tenants"):
        stage.destination.run("sh", "-c", "virsh pool-destroy %s; virsh pool-undefine %s; true"
                              % (pool, pool))


def all_is_gone(stage):
    """image, pool, and every folder that was new, are gone again"""
    info = _info(stage)
    with stage.unchanged():
        equal(_roll_back(stage, _prepare(stage, info)), {})
        check(not os.path.exists(stage.destination.path(IMAGES + "/tenants")), "a folder is left")


def image_is_replaced(stage):
    """the image is another one under the same name by then: it is kept"""
    migration_id = _prepare(stage, _info(stage))
    os.unlink(stage.destination.path(PATH))
    _write(stage, PATH)
    kept = _roll_back(stage, migration_id)
    check("is not the file" in kept[PATH], kept)
    _check_precious(stage, PATH)
    _clear(stage, PATH)


def folder_becomes_a_link(stage):
    """a folder is swapped for a link to files outside of the allowed paths: they are not touched"""
    migration_id = _prepare(stage, _info(stage))
    host = stage.destination
    stage.defer(stage.remove, host, OUTSIDE)
    _write(stage, OUTSIDE + "/disk.qcow2")
    host.run("mv", FOLDER, IMAGES + "/aside")
    host.run("ln", "-s", OUTSIDE, FOLDER)
    kept = _roll_back(stage, migration_id)
    check("not a folder any more" in kept[PATH], kept)
    _check_precious(stage, OUTSIDE + "/disk.qcow2")
    _clear(stage, OUTSIDE + "/disk.qcow2")


def nvram_is_claimed(stage):
    """a path that is claimed for the firmware's variables is not deleted when it gets a file"""
    path = IMAGES + "/web.qcow2.quarantine"
    migration_id = _prepare(stage, _info(stage, nvram=path))
    _write(stage, path)
    kept = _roll_back(stage, migration_id)
    check("Nothing proves" in kept[path], kept)
    _check_precious(stage, path)
    _clear(stage, path)


def folder_of_everybody(stage):
    """a folder that everybody may write to is refused by name"""
    host = stage.destination
    host.run("mkdir", "-m", "1777", IMAGES + "/open")
    stage.defer(stage.remove, host, IMAGES + "/open")
    info = _info(stage)
    info["disks"][0].update(source=IMAGES + "/open/disk.qcow2")
    error = stage.refuses("PathNotAllowed", "kvm02", "pre_live_migration", migration_id=new_id(),
                          instance_info=info, options={}, source="kvm01")
    check("/open" in error.message and "chmod" in error.hint, error)


def folder_of_another_tenant(stage):
    """what a tenant made into a link to another tenant's folder is not followed: check and order name
    it; where root made it, it is"""
    host = stage.destination
    own, other = IMAGES + "/tenant", IMAGES + "/other"
    link = own + "/instance"
    for folder, owner in ((own, 64001), (other, 64002)):
        os.mkdir(host.path(folder))
        os.chown(host.path(folder), owner, owner)
        stage.defer(stage.remove, host, folder)
    os.symlink(other, host.path(link))
    stage.defer(stage.remove, host, link)
    info = _info(stage)
    info["disks"][0].update(source=link + "/disk.qcow2")
    os.lchown(host.path(link), 64001, 64001)
    words = {"instance_info": info, "options": {}}
    answer = stage.controller.call("kvm02", "check_can_live_migrate_destination", **words)
    failed = [each for each in answer["checks"] if each["result"] == "fail"]
    check(failed and all(link in each["message"] for each in failed), failed)
    error = stage.refuses("PathNotAllowed", "kvm02", "pre_live_migration", migration_id=new_id(),
                          source="kvm01", **words)
    check(link in error.message and "64001" in error.message and other in error.message
          and "chown -h root" in error.hint, error)
    os.lchown(host.path(link), 0, 0)
    answer = stage.controller.call("kvm02", "check_can_live_migrate_destination", **words)
    equal([each for each in answer["checks"] if each["result"] == "fail"], [])


def allowed_folder_itself(stage):
    """a path that is the allowed folder itself makes no pool on its parent"""
    info = _info(stage)
    info["disks"][0].update(source=IMAGES)
    with stage.unchanged():
        stage.refuses("PathNotAllowed", "kvm02", "pre_live_migration", migration_id=new_id(),
                      instance_info=info, options={}, source="kvm01")


CASES = (all_is_gone, image_is_replaced, folder_becomes_a_link, nvram_is_claimed,
         folder_of_everybody, folder_of_another_tenant, allowed_folder_itself)
