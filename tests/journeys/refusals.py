"""What is refused: each case by its code, with nothing made, and everything that is in the way told
at once."""

import os

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import Skip, check, equal

from stage import forget_pool, new_id, start_still

CHECK = "MigrationPreCheckError"


def _still(stage, *disks, **options):
    return stage.still(*(disks or [Disk("vda", GIB, data=1 * MIB)]), **options)


def _failed_checks(error):
    return {each["name"] for each in error["details"]["checks"] if each["result"] == "fail"}


def _refused_by(stage, names, guest, code=CHECK, **options):
    """Refused by these checks and no others; `check` says the same before."""
    error = stage.refused(code, guest, **options)
    equal(_failed_checks(error), set(names), error["message"])
    return error


# Who and where

def no_such_instance(stage):
    """InstanceNotFound: by name, by UUID, for every method that names one"""
    for instance in ("nobody", new_id()):
        stage.refuses("InstanceNotFound", "kvm01", "live_migrate_instance", instance=instance,
                      host="kvm02")
        stage.refuses("InstanceNotFound", "kvm01", "describe_instance", instance=instance)
        stage.refuses("InstanceNotFound", "kvm01", "check_can_live_migrate_source",
                      instance=instance)


def instance_is_elsewhere(stage):
    """InstanceNotFound where the instance is on another host"""
    guest = _still(stage)
    stage.refuses("InstanceNotFound", "kvm02", "live_migrate_instance", instance=guest.name,
                  host="kvm01")


def post_copy_is_banned_there(stage):
    """InvalidRequest: a policy of the source's own, which ends in what the destination bans"""
    guest = _still(stage)
    with stage.settings({"kvm01": {"libvirt": {"live_migration_permit_post_copy": "true"},
                                   "policy night": {"at_end": "post-copy"}}}):
        error = stage.refused("InvalidRequest", guest, policy="night")
    check("post_copy" in error["message"] and "'kvm02'" in error["message"], error["message"])


def already_migrating(stage):
    """InstanceAlreadyMigrating while another order for it is under way"""
    with stage.both(DEFAULT={"max_concurrent_live_migrations": "3"}):
        guest = stage.still(Disk("vda", GIB, data=24 * MIB))
        first = stage.migrate(guest, bandwidth_mib_s=3)
        stage.wait_copying(first)
        stage.refused("InstanceAlreadyMigrating", guest)
        stage.controller.call("kvm01", "live_migration_abort", migration_id=first)
        stage.end(first, "cancelled")
        stage.rests_on(guest, stage.source)


def itself(stage):
    """DestinationNotAllowed: the source itself"""
    stage.refused("DestinationNotAllowed", _still(stage), "kvm01")


def destination_not_allowed(stage):
    """DestinationNotAllowed: what allowed_destinations leaves out"""
    guest = _still(stage)
    with stage.settings({"kvm01": {"migration": {"allowed_destinations": "rack1-*,kvm0?x"}}}):
        error = stage.refused("DestinationNotAllowed", guest)
        check("allowed_destinations" in error["hint"], error["hint"])
    with stage.settings({"kvm01": {"migration": {"allowed_destinations": "rack1-*,kvm0?"}}}):
        stage.carry(guest)


def no_agent_there(stage):
    """DestinationUnreachable: a host that nobody serves, and one whose agent is away"""
    guest = _still(stage)
    # What the broker would take for all of them in a binding is a name like others here.
    stage.refused("DestinationUnreachable", guest, "#")
    stage.agents["kvm02"].stop()
    try:
        stage.refused("DestinationUnreachable", guest)
    finally:
        stage.agents["kvm02"].start()
    stage.carry(guest)


def name_is_taken(stage):
    """an instance of the same name, and one of the same UUID, at the destination"""
    guest = _still(stage)
    other = stage.lab.guest("kvm02", guest.name, [Disk("vda", GIB, path=IMAGES + "/other")])
    other.define()
    stage.defer(_undefine, other)
    _refused_by(stage, ["name"], guest)
    _undefine(other)
    other.name, other.uuid = "other", guest.uuid
    other.define()
    _refused_by(stage, ["uuid"], guest)


def _undefine(guest):
    if guest.state() is not None:
        guest.destroy()


# What is in the way

def foreign_file(stage):
    """DestinationDiskExists: a file, a folder or a link in the way, and it is not touched"""
    guest = _still(stage)
    place = stage.destination.path(guest.disks[0].path)
    with open(place, "wb") as other:
        other.write(b"somebody's")
    error = _refused_by(stage, ["disk-exists"], guest, "DestinationDiskExists")
    check(guest.disks[0].path in error["message"], error["message"])
    with open(place, "rb") as other:
        equal(other.read(), b"somebody's")
    os.unlink(place)
    os.mkdir(place)
    _refused_by(stage, ["disk-exists"], guest, "DestinationDiskExists")
    os.rmdir(place)


def identical_foreign_file(stage):
    """DestinationDiskExists: even where it looks like our own empty image"""
    guest = _still(stage)
    guest.disks[0].create_empty(stage.destination)
    _refused_by(stage, ["disk-exists"], guest, "DestinationDiskExists")


def one_of_three_in_the_way(stage):
    """DestinationDiskExists: of three images one is in the way, and none is made"""
    guest = _still(stage, *(Disk(target, GIB) for target in ("vda", "vdb", "vdc")))
    guest.disks[2].create_empty(stage.destination)
    _refused_by(stage, ["disk-exists"], guest, "DestinationDiskExists")


def changed_leftover(stage):
    """DestinationDiskExists: what the instance left behind and somebody has changed since"""
    guest = _still(stage)
    stage.carry(guest)
    images.fill(guest.disks[0].path, "qcow2", GIB, MIB, 1, stage.source)
    with stage.unchanged():
        stage.end(stage.migrate(guest, "kvm01"), "failed", "DestinationDiskExists")
    equal(guest.state(stage.destination), "paused")


def leftover_of_another(stage):
    """DestinationDiskExists: what another instance left behind there"""
    path = IMAGES + "/shared-name.qcow2"
    first = _still(stage, Disk("vda", GIB, path=path), host="kvm02")
    stage.carry(first)
    equal(stage.destination.images(), ["shared-name.qcow2"])
    first.destroy()
    stage.remove(stage.source, path)
    second = _still(stage, Disk("vda", GIB, path=path))
    _refused_by(stage, ["disk-exists"], second, "DestinationDiskExists")


# Paths

OUTSIDE = "/var/lib/libvirt/elsewhere"


def path_outside(stage):
    """PathNotAllowed: an image outside the allowed paths"""
    os.makedirs(stage.source.path(OUTSIDE), exist_ok=True)
    stage.defer(stage.remove, stage.source, OUTSIDE)
    guest = _still(stage, Disk("vda", GIB, path=OUTSIDE + "/disk.qcow2"))
    stage.defer(stage.remove, stage.source, guest.disks[0].path)
    _refused_by(stage, ["path"], guest, "PathNotAllowed")
    with stage.settings({"kvm02": {"storage": {"allowed_paths": IMAGES + ":" + OUTSIDE + "x"}}}):
        _refused_by(stage, ["path"], guest, "PathNotAllowed")
    guest.destroy()


def path_by_link(stage):
    """PathNotAllowed: a folder that is a symbolic link out of the allowed paths"""
    folder = IMAGES + "/linked"
    os.mkdir(stage.source.path(folder))
    stage.defer(stage.remove, stage.source, folder)
    guest = _still(stage, Disk("vda", GIB, path=folder + "/disk.qcow2"))
    stage.defer(stage.remove, stage.source, guest.disks[0].path)
    os.makedirs(stage.destination.path(OUTSIDE), exist_ok=True)
    stage.defer(stage.remove, stage.destination, OUTSIDE)
    stage.destination.run("ln", "-s", OUTSIDE, folder)
    stage.defer(stage.remove, stage.destination, folder)
    _refused_by(stage, ["path"], guest, "PathNotAllowed")
    equal(os.listdir(stage.destination.path(OUTSIDE)), [])
    guest.destroy()


def image_is_a_link(stage):
    """PathNotAllowed: a symbolic link in the image's place at the destination"""
    guest = _still(stage)
    stage.destination.run("ln", "-s", "/etc/hostname", guest.disks[0].path)
    _refused_by(stage, ["path"], guest, "PathNotAllowed")
    equal(stage.destination.output("cat", "/etc/hostname"), "kvm02")


def allowed_elsewhere(stage):
    """but paths that the configuration allows are used, on the source without a pool"""
    folder = OUTSIDE + "/deep"
    os.makedirs(stage.source.path(folder), exist_ok=True)
    guest = _still(stage, Disk("vda", GIB, path=folder + "/disk.qcow2"))
    for host in (stage.source, stage.destination):
        stage.defer(stage.remove, host, OUTSIDE)
        stage.defer(stage.remove, host, folder)
    with stage.both(storage={"allowed_paths": "%s:%s" % (IMAGES, OUTSIDE)}):
        with stage.unchanged_pools():
            stage.carry(guest, source_disks="delete")


# Room

def too_little_space(stage):
    """images that do not fit, reserve included"""
    guest = _still(stage, Disk("vda", GIB, data=48 * MIB))
    stage.limit_images(100 * MIB)
    error = _refused_by(stage, ["space"], guest)
    check("reserved_bytes" in error["hint"], error["hint"])
    with stage.settings({"kvm02": {"storage": {"reserved_bytes": "0"}}}):
        stage.carry(guest)
    guest.destroy()


def too_little_memory(stage):
    """memory that the destination does not have"""
    guest = stage.guest(Disk("vda", GIB), memory_mib=128).create_images()
    start_still(guest)
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    info["memory_bytes"] = 1 << 50
    answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                   instance_info=info)
    equal((answer["compatible"], {each["name"] for each in answer["checks"]
                                  if each["result"] == "fail"}), (False, {"memory"}))


# What the instance has

SHARED = IMAGES + "/shared"
FOLDER = ("<filesystem type='mount' accessmode='mapped'><source dir='%s'/><target dir='one'/>"
          "</filesystem>" % SHARED)


def _make_shared(stage, *hosts):
    """The folder of the 9p device, on these hosts."""
    for host in hosts:
        os.mkdir(host.path(SHARED), mode=0o755)
        stage.defer(stage.remove, host, SHARED)


SHMEM = "<shmem name='s'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>"


def snapshots(stage):
    """a snapshot that libvirt knows, inside the image; all of it is told"""
    guest = _still(stage)
    stage.source.virsh("snapshot-create-as", guest.name, "before")
    _refused_by(stage, ["snapshots", "internal-snapshots"], guest)
    stage.source.virsh("snapshot-delete", guest.name, "before")
    stage.carry(guest)


def external_snapshot(stage):
    """an external snapshot: the chain that it makes could move, what libvirt knows of it cannot"""
    guest = _still(stage)
    overlay = IMAGES + "/overlay"
    stage.source.virsh("snapshot-create-as", guest.name, "before", "--disk-only", "--diskspec",
                       "vda,file=" + overlay)
    stage.defer(stage.remove, stage.source, overlay)
    _refused_by(stage, ["snapshots"], guest)


def snapshot_inside_the_image(stage):
    """a snapshot inside the image that libvirt does not know"""
    guest = stage.guest(Disk("vda", GIB, data=MIB)).create_images()
    stage.source.run("qemu-img", "snapshot", "-c", "hidden", guest.disks[0].path)
    start_still(guest)
    _refused_by(stage, ["internal-snapshots"], guest)


def external_data_file(stage):
    """a qcow2 whose data lies in another file"""
    guest = stage.guest(Disk("vda", GIB))
    data = guest.disks[0].path + ".data"
    stage.defer(stage.remove, stage.source, data)
    stage.source.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=" + data,
                     guest.disks[0].path, GIB)
    start_still(guest)
    _refused_by(stage, ["data-file"], guest)


def checkpoint_and_backup(stage):
    """a checkpoint"""
    guest = _still(stage)
    stage.source.virsh("checkpoint-create-as", guest.name, "since")
    _refused_by(stage, ["checkpoints"], guest)
    stage.source.virsh("checkpoint-delete", guest.name, "since")


def block_job(stage):
    """a copy of the disk under way"""
    guest = _still(stage, Disk("vda", GIB, data=16 * MIB))
    copy = IMAGES + "/copy"
    stage.source.virsh("blockcopy", guest.name, "vda", copy, "--transient-job", "--bandwidth", "1")
    stage.defer(stage.remove, stage.source, copy)
    error = stage.refused(CHECK, guest)
    check("block-job" in _failed_checks(error), error["message"])
    stage.source.virsh("blockjob", guest.name, "vda", "--abort")


def shareable(stage):
    """shareable disks, read-only or not"""
    guest = _still(stage, Disk("vda", GIB), Disk("vdb", 4 * MIB, "raw", shareable=True),
                   Disk("vdc", 4 * MIB, "raw", readonly=True, shareable=True))
    error = _refused_by(stage, ["shareable-disk", "shareable-disk"], guest)
    check("vdb" in error["message"] and "vdc" in error["message"], error["message"])


def network_disk(stage):
    """a disk that lies on the network, unless the order says that both hosts reach it; and a 9p
    folder, which moves without its content where the destination has it"""
    export = images.create(IMAGES + "/export", 4 * MIB, "raw", inside=stage.source)
    stage.defer(stage.remove, stage.source, export)
    server = stage.source.spawn("qemu-nbd", "qemu-nbd", "-f", "raw", "-x", "e", "-t", "-e", "4",
                                "-b", stage.source.addresses[MIGRATION], "-p", "10899", export)
    stage.defer(server.kill)
    stage.source.wait_port(10899, 10, server)
    _make_shared(stage, stage.source)
    guest = _still(stage, devices=[
        "<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
        "<source protocol='nbd' name='e'><host name='%s' port='10899'/></source>"
        "<target dev='vdb' bus='virtio'/></disk>" % stage.source.addresses[MIGRATION], FOLDER])
    _refused_by(stage, ["disk-type", "filesystem"], guest)
    error = stage.refused("InvalidRequest", guest, attached_disks=["vdz"])
    equal(error["hint"], "Its disks are vda, vdb")
    _make_shared(stage, stage.destination)
    event = stage.carry(guest, attached_disks=["vdb"])
    equal([disk["target"] for disk in event.payload["report"]["disks"]], ["vda"])
    arrived = stage.destination.virsh("dumpxml", guest.name)
    check("protocol='nbd'" in arrived and SHARED in arrived, arrived)
    guest.destroy()


def block_device(stage):
    """a disk that is a block device of the host, and no volume of a pool"""
    medium = images.create(IMAGES + "/loop", 4 * MIB, "raw", inside=stage.source)
    stage.defer(stage.remove, stage.source, medium)
    made = stage.source.run("losetup", "--find", "--show", medium, check=False)
    if made.returncode != 0:
        raise Skip("no loop devices here: " + made.stderr.strip())
    device = made.stdout.strip()
    try:
        guest = _still(stage, devices=[
            "<disk type='block' device='disk'><driver name='qemu' type='raw'/>"
            "<source dev='%s'/><target dev='vdb' bus='virtio'/></disk>" % device])
    finally:
        # As long as QEMU has it open it stays; then the kernel lets go of it, whatever happens.
        stage.source.run("losetup", "--detach", device)
    _refused_by(stage, ["block-volume"], guest)
    guest.destroy()


def all_at_once(stage):
    """everything that is in the way is told at once, from both hosts"""
    _make_shared(stage, stage.source)
    guest = _still(stage, Disk("vda", GIB, data=MIB), Disk("vdb", 4 * MIB, "raw", shareable=True),
                   devices=[FOLDER, SHMEM])
    guest.disks[0].create_empty(stage.destination)
    _refused_by(stage, ["shareable-disk", "filesystem", "shared-memory", "migration-blockers",
                        "disk-exists"], guest)


def disks_left_out(stage):
    """an order that leaves a disk out, or names one twice, or one that there is not"""
    guest = _still(stage, Disk("vda", GIB), Disk("vdb", GIB))
    _refused_by(stage, ["disk-left-out"], guest, disks=["vda"])
    stage.refused("InvalidRequest", guest, disks=["vda", "vda", "vdb"])
    stage.refused("InvalidRequest", guest, disks=["vda", "vdb", "vdz"])
    _refused_by(stage, ["disk-left-out"], guest, disks=[])
    stage.carry(guest, disks=["vdb", "vda"])


CASES = (no_such_instance, instance_is_elsewhere, already_migrating, post_copy_is_banned_there,
         itself, destination_not_allowed, no_agent_there, name_is_taken, foreign_file,
         identical_foreign_file, one_of_three_in_the_way, changed_leftover, leftover_of_another,
         path_outside, path_by_link, image_is_a_link, allowed_elsewhere, too_little_space,
         too_little_memory, snapshots, external_snapshot,
         snapshot_inside_the_image, external_data_file, checkpoint_and_backup, block_job, shareable,
         network_disk, block_device, all_at_once, disks_left_out)
