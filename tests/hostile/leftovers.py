"""What an instance left behind, what is being brought, and what lies in quarantine: nobody gets rid
of it by an order, and nothing that has its name instead is touched."""

import os
import shutil

from lab.controller import RemoteError
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import long, new_id

DIGEST = "ferry1-sha256:" + 64 * "0"
STRANGERS = b"a stranger's"


def _bytes(host, path):
    with open(host.path(path), "rb") as file:
        return file.read()


def _replace(host, path):
    """Another file gets the name."""
    with open(host.path(path + ".other"), "wb") as file:
        file.write(STRANGERS)
    os.rename(host.path(path + ".other"), host.path(path))


def _leave(stage):
    """A guest that moved away, and whose image stayed on the first host."""
    guest = stage.still(Disk("vda", GIB, data=8 * MIB))
    stage.carry(guest, "kvm02", source_disks="keep")
    stage.defer(stage.remove, stage.source, guest.disks[0].path)
    return guest


def _info(stage, guest, where):
    return stage.controller.call(where, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]


def _prepared(stage, info, host, source):
    """A host is prepared for a guest as somebody who knows its UUID can have it prepared."""
    return stage.controller.call(host, "pre_live_migration", migration_id=new_id(),
                                 instance_info=info, source=source)["migration_id"]


def _roll_back(stage, host, migration_id):
    return stage.controller.call(host, "rollback_live_migration_at_destination",
                                 migration_id=migration_id)


def kept_image_of_a_stranger(stage):
    """a preparation for an instance at its old host does not cost the image that was kept there"""
    guest = _leave(stage)
    path = guest.disks[0].path
    before = _bytes(stage.source, path)
    with stage.unchanged():
        migration_id = _prepared(stage, _info(stage, guest, "kvm02"), "kvm01", "kvm03")
        aside = "%s.left-%s" % (path, migration_id)
        equal(_bytes(stage.source, aside), before)
        check(len(_bytes(stage.source, path)) < len(before), "no empty image is in its place")
        # The agent may die in between.
        stage.agents["kvm01"].restart()
        equal(_roll_back(stage, "kvm01", migration_id)["kept"], [])
        equal(_bytes(stage.source, path), before)


def kept_image_is_replaced(stage):
    """when the instance has come back, what it had left is gone, and nothing lies beside its image"""
    guest = _leave(stage)
    stage.carry(guest, "kvm01", source_disks="delete")
    equal(stage.source.images(), [os.path.basename(guest.disks[0].path)])
    equal(stage.destination.images(), [])


@long
def kept_image_that_was_swapped(stage):
    """another file in the place of what was left, or of what was set aside, stays"""
    guest = _leave(stage)
    path = guest.disks[0].path
    migration_id = _prepared(stage, _info(stage, guest, "kvm02"), "kvm01", "kvm02")
    aside = "%s.left-%s" % (path, migration_id)
    stage.defer(stage.remove, stage.source, aside)
    _replace(stage.source, aside)
    kept = _roll_back(stage, "kvm01", migration_id)["kept"]
    equal([(each["kind"], each["path"]) for each in kept], [("leftover", aside)])
    equal(_bytes(stage.source, aside), STRANGERS)


def _brought(stage, guest):
    """An image that is on its way: who brings it, and the file in which it grows."""
    info = _info(stage, guest, "kvm01")
    disk, = info["disks"]
    file = {"kind": "image", "path": disk["source"], "format": disk["format"], "pool": "default",
            "file_bytes": disk["file_bytes"], "data_bytes": disk["allocation_bytes"],
            "digest": DIGEST}
    migration_id = _prepared(stage, info, "kvm02", "kvm01")
    answer = stage.controller.call("kvm02", "prepare_file", migration_id=migration_id, file=file)
    equal(answer["state"], "copy")
    return migration_id, file, answer["path"]


def _refused(stage, migration_id, file, partial):
    for method, words in (("prepare_file", {"file": file}),
                          ("publish_file", {"path": file["path"]})):
        try:
            answer = stage.controller.call("kvm02", method, migration_id=migration_id, **words)
        except RemoteError as error:
            check(partial in error.message, error)
        else:
            # Its digest is not that of the order: it would be copied again.
            raise AssertionError("%s: %s" % (method, answer))


def partial_file_swapped(stage):
    """another file, or a link, in the place of one that is being brought is not written or deleted"""
    guest = stage.guest(Disk("vda", GIB, data=MIB)).create_images().define()
    victim = guest.disks[0].path + ".victim"
    for is_link in (False, True):
        migration_id, file, partial = _brought(stage, guest)
        stage.defer(stage.remove, stage.destination, partial)
        if is_link:
            stage.defer(stage.remove, stage.destination, victim)
            os.rename(stage.destination.path(partial), stage.destination.path(victim))
            _replace(stage.destination, victim)
            os.symlink(victim, stage.destination.path(partial))
        else:
            _replace(stage.destination, partial)
        _refused(stage, migration_id, file, partial)
        kept = _roll_back(stage, "kvm02", migration_id)["kept"]
        equal([each["path"] for each in kept], [partial])
        equal(_bytes(stage.destination, victim if is_link else partial), STRANGERS)
        stage.remove(stage.destination, partial)


def quarantined_file_swapped(stage):
    """another file in the place of one in quarantine is not deleted, and not given its name"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = stage.carry(guest, source_disks="quarantine").migration_id
    held, = stage.controller.call("kvm01", "list_quarantined_disks", instance=guest.name)
    path = held["disks"][0]["held_path"]
    stage.defer(stage.remove, stage.source, path)
    _replace(stage.source, path)
    stage.refuses("MigrationError", "kvm01", "delete_quarantined_disks",
                  migration_id=migration_id, force=True)
    guest.destroy()
    stage.refuses("MigrationError", "kvm01", "restore_quarantined_disks",
                  migration_id=migration_id, force=True)
    equal(_bytes(stage.source, path), STRANGERS)
    stage.remove(stage.source, path)
    stage.controller.call("kvm01", "delete_quarantined_disks", migration_id=migration_id, force=True)


def _clone(stage, base):
    """An instance that does not run, whose overlay lies on this image; only its header says so."""
    path = IMAGES + "/clone-" + os.path.basename(base)
    stage.source.run("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base,
                     path, str(GIB))
    stage.defer(stage.remove, stage.source, path)
    stage.guest(Disk("vda", GIB, path=path)).define()


def base_of_another(stage):
    """a kept image that became the base of another instance stays: the return finds it in its way"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    path = guest.disks[0].path
    stage.carry(guest)
    stage.defer(stage.remove, stage.source, path)
    _clone(stage, path)
    inode = os.stat(stage.source.path(path)).st_ino
    stage.refused("DestinationDiskExists", guest, "kvm01")
    equal(os.stat(stage.source.path(path)).st_ino, inode)


def base_of_another_deleted(stage):
    """an image that is the base of another instance is not deleted when its own goes away: the check
    refuses the order, and one that becomes it on the way is seen at its end"""
    early = stage.still(Disk("vda", GIB, data=MIB))
    late = stage.still(Disk("vda", GIB, data=12 * MIB))
    path = late.disks[0].path
    stage.defer(stage.remove, stage.source, path)
    _clone(stage, early.disks[0].path)
    error = stage.refused("MigrationPreCheckError", early, source_disks="delete")
    equal([each["name"] for each in error["details"]["checks"] if each["result"] == "fail"],
          ["source-disks"])
    migration_id = stage.migrate(late, source_disks="delete", bandwidth_mib_s=4)
    stage.recorder.wait_phase("disk", migration_id)
    _clone(stage, path)
    event = stage.recorder.wait_terminal(migration_id, 90)
    late.moved_to(stage.destination)
    check(os.path.basename(path) in stage.source.images(), event.payload)
    equal(event.type, "migration.error")


def one_image_of_two(stage):
    """two instances of two hosts, images of one path and content: they do not end on one file"""
    path = IMAGES + "/same.qcow2"
    guests = [stage.guest(Disk("vda", GIB, data=8 * MIB, path=path), host=host)
              for host in ("kvm01", "kvm03")]
    guests[0].create_images()
    shutil.copyfile(stage.source.path(path), stage.hosts["kvm03"].path(path))
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    for guest in guests:
        guest.define()
    orders = [stage.migrate(guest) for guest in guests]
    ends = sorted(stage.recorder.wait_terminal(order, 90).type for order in orders)
    equal(ends, ["migration.completed", "migration.failed"])


CASES = (base_of_another, base_of_another_deleted, one_image_of_two,
         kept_image_of_a_stranger, kept_image_is_replaced, kept_image_that_was_swapped,
         partial_file_swapped, quarantined_file_swapped)
