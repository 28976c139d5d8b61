"""Disks that are frozen and sent, and only what is written meanwhile is mirrored: raw sparse ones,
and qcow2 where it is ordered."""

import contextlib
import os
import pwd
import re

import matrix
from lab import images
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

from stage import SOURCE, long, new_id, overlays

TIB = 1024 * GIB
# Of Debian's QEMU.
USER = "libvirt-qemu"


def named(host, guest, *words):
    """{target: source} of a definition."""
    text = host.virsh("domblklist", guest.name, *words)
    return dict(line.split(None, 1) for line in text.splitlines() if line.strip())


def on_images(host, guest):
    """The running domain and its definition name the images and nothing else, and no overlay is
    left beside them."""
    wanted = {disk.target: disk.path for disk in guest.disks}
    equal(named(host, guest), wanted, "live")
    equal(named(host, guest, "--inactive"), wanted, "defined")
    no_overlays(host, guest)


def no_overlays(host, guest):
    equal([overlay for disk in guest.disks for overlay in overlays(host, disk)], [], "overlays")


def strategies(event):
    report = event.payload["report"]
    return (report["storage_strategy"],
            {disk["target"]: disk["strategy"] for disk in report["disks"]})


def reason(event, target):
    return next(disk["strategy_why"] for disk in event.payload["report"]["disks"]
                if disk["target"] == target)


def sparse(data=64 * MIB, capacity=20 * GIB, target="vda"):
    return Disk(target, capacity, "raw", data=data)


def _cold_boot(stage, guest, host):
    host.virsh("destroy", guest.name)
    host.virsh("start", guest.name)
    stage.runs_on(guest, host)


def _thin(guest, before, host):
    for disk in guest.disks:
        after = images.allocation(disk.path, host)
        check(after <= before[disk.target] * 1.02 + 8 * MIB,
              "%s: %d of %d bytes are allocated" % (disk.target, after, before[disk.target]))


def _there_and_back(stage, capacity, layout):
    guest = stage.counting(sparse(capacity=capacity))
    before = {"vda": images.allocation(guest.disks[0].path, stage.source)}
    event = stage.carry(guest)
    equal(strategies(event), ("seeded", {"vda": "seeded"}))
    check(re.search("[0-9]+ MiB of holes", reason(event, "vda")), reason(event, "vda"))
    stage.runs_on(guest, stage.destination)
    on_images(stage.destination, guest)
    _thin(guest, before, stage.destination)
    equal(len(overlays(stage.source, guest.disks[0])), 1, "left behind")
    stage.carry(guest)
    stage.runs_on(guest, stage.source)
    on_images(stage.source, guest)
    _cold_boot(stage, guest, stage.source)
    matrix.record(layout, moved=True, thin=True, cold_boot=True)


def there_and_back(stage):
    """raw 20 GiB goes there and back by seed while the guest writes, and boots cold there"""
    _there_and_back(stage, 20 * GIB, "raw, sparse, 20 GiB (seeded)")


# As there_and_back(), whose journey is as long: layouts.tebibyte has the size, limited() the holes.
@long
def tebibyte(stage):
    """raw 1 TiB with 64 MiB of data goes there and back by seed while the guest writes"""
    _there_and_back(stage, TIB, "raw, sparse, 1 TiB (seeded)")


def identical(stage):
    """a paused arrival: image and overlay left here say what the one image there says"""
    guest = stage.counting(sparse())
    stage.carry(guest, paused=True)
    image = guest.disks[0].path
    left = overlays(stage.source, guest.disks[0])[0]
    check(images.identical_to_overlay((image, stage.destination), (left, stage.source),
                                      (image, stage.source)), "the copies differ")
    check(not images.identical((image, stage.source), (image, stage.destination)),
          "the guest wrote nothing on the way: this proves nothing")
    on_images(stage.destination, guest)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)


def three_disks(stage):
    """two raw disks that are seeded and a qcow2 that is mirrored, in one journey"""
    guest = stage.counting(sparse(16 * MIB), sparse(16 * MIB, 8 * GIB, "vdb"),
                           Disk("vdc", 10 * GIB, data=16 * MIB))
    before = {disk.target: images.allocation(disk.path, stage.source) for disk in guest.disks}
    event = stage.carry(guest)
    equal(strategies(event), ("seeded", {"vda": "seeded", "vdb": "seeded", "vdc": "mirror"}))
    check("allocated clusters" in reason(event, "vdc"), reason(event, "vdc"))
    stage.runs_on(guest, stage.destination)
    on_images(stage.destination, guest)
    _thin(guest, before, stage.destination)


def by_order(stage):
    """storage_strategy by order: mirror where auto would seed, seeded where auto would mirror"""
    mirrored = stage.still(sparse(4 * MIB, 6 * GIB))
    equal(strategies(stage.carry(mirrored, storage_strategy="mirror")),
          ("mirror", {"vda": "mirror"}))
    seeded = stage.still(sparse(4 * MIB, 1 * GIB))
    event = stage.carry(seeded, storage_strategy="seeded")
    equal((strategies(event), reason(event, "vda")), (("seeded", {"vda": "seeded"}), "by order"))
    on_images(stage.destination, seeded)


def qcow2(stage):
    """qcow2 by order, one of them on a base: thin, the chain kept, and started anew there"""
    base = Disk("base", GIB, data=8 * MIB)
    disks = [Disk("vda", 20 * GIB, data=16 * MIB, backing=base),
             Disk("vdb", GIB, data=16 * MIB, cluster_size=4096)]
    guest = stage.guest(*disks)
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, base.path)
    guest.create_images().start()
    guest.wait_number(3)
    before = {disk.target: images.allocation(disk.path, stage.source) for disk in disks}
    names = [images.info(disk.path, stage.source).get("backing-filename") for disk in disks]
    event = stage.carry(guest, storage_strategy="seeded")
    equal(strategies(event), ("seeded", {"vda": "seeded", "vdb": "seeded"}))
    equal(reason(event, "vdb"), "by order")
    stage.runs_on(guest, stage.destination)
    on_images(stage.destination, guest)
    _thin(guest, before, stage.destination)
    equal([images.info(disk.path, stage.destination).get("backing-filename") for disk in disks],
          names, "the chain")
    # Beside what the guest counts into.
    check(len({images.read(disks[1].path, "qcow2", images.DATA_START, 4 * MIB, host)
               for host in stage.hosts.values()}) == 1, "the copies differ")
    equal(images.info(disks[1].path, stage.destination)["cluster-size"], 4096)
    stage.destination.virsh("destroy", guest.name)
    stage.destination.virsh("start", guest.name, "--paused")


def refused_by_order(stage):
    """a disk that is ordered to be seeded and cannot be is refused with the reason"""
    guest = stage.still(sparse(MIB, GIB), Disk("vdb", GIB, data=MIB))
    error = stage.refused("MigrationPreCheckError", guest, storage_strategy="seeded",
                          source_disks="quarantine")
    check("vda" in error["message"] and "quarantine" in error["message"], error)


def limited(stage):
    """with a bandwidth limit holes cost nothing, and the data keeps to it"""
    guest = stage.still(sparse(48 * MIB, GIB))
    sent = stage.lab.network.sent_bytes(stage.source, MIGRATION)
    event = stage.carry(guest, bandwidth_mib_s=16)
    equal(strategies(event), ("seeded", {"vda": "seeded"}))
    seed = next(step for step in event.payload["report"]["steps"] if step["name"] == "seed")
    # The holes alone would take 60 s.
    check(2500 < seed["duration_ms"] < 15000, "the seed took %d ms" % seed["duration_ms"])
    sent = stage.lab.network.sent_bytes(stage.source, MIGRATION) - sent
    check(sent < 300 * MIB, "%d MiB were sent" % (sent / MIB))
    stage.rests_on(guest, stage.destination)


@long
def progress_rises(stage):
    """the seed is part of the disk phase: its bytes are told as they move, percent never falls"""
    guest = stage.counting(sparse(48 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=16)
    stage.completed(migration_id)
    guest.moved_to(stage.destination)
    samples = [event.payload for event in
               stage.recorder.events(migration_id, "migration.progress")]
    percents = [sample["progress"]["percent"] for sample in samples]
    equal(percents, sorted(percents))
    moving = [sample["progress"]["disk"]["processed_bytes"] for sample in samples
              if 0 < sample["progress"]["disk"]["remaining_bytes"]]
    check(len(set(moving)) > 3, "disk bytes told: %s" % moving)


def source_disks_deleted(stage):
    """source_disks=delete removes image and overlay"""
    guest = stage.still(sparse(16 * MIB))
    stage.carry(guest, source_disks="delete")
    stage.rests_on(guest, stage.destination)
    equal(stage.source.images(), [])


def by_a_controller(stage):
    """a controller that prepares the destination itself: what it was told there is done"""
    for method, strategy in (("check_can_live_migrate_source", "seeded"),
                             ("describe_instance", "mirror")):
        guest = stage.still(sparse(4 * MIB, 6 * GIB))
        info = stage.controller.call("kvm01", method, instance=guest.name)
        order = {"migration_id": new_id(), "options": {}}
        data = stage.controller.call("kvm02", "pre_live_migration", source="kvm01",
                                     instance_info=info.get("instance_info", info), **order)
        stage.controller.call("kvm01", "live_migration", instance=guest.name, migrate_data=data,
                              **order)
        event = stage.completed(order["migration_id"])
        guest.moved_to(stage.destination)
        equal(strategies(event), (strategy, {"vda": strategy}))
        on_images(stage.destination, guest)
        check(images.identical(*[(guest.disks[0].path, host)
                                 for host in (stage.source, stage.destination)]),
              "the copies differ")


def _seeding(stage, migration_id):
    """Waits until a part of the seed, and not all of it, is on the other side."""
    stage.recorder.wait(lambda event: event.migration_id == migration_id
                        and event.type == "migration.progress"
                        and 0 < event.payload["progress"]["disk"]["processed_bytes"]
                        and 0 < event.payload["progress"]["disk"]["remaining_bytes"],
                        30, "a part of the seed")


def stayed(stage, guest):
    """The guest runs on the source on its image, and nothing is left of the journey."""
    stage.runs_on(guest, stage.source)
    on_images(stage.source, guest)
    equal(guest.state(stage.destination), None)
    equal(stage.destination.images(), [])


def aborted_in_seed(stage):
    """an abort while the seed is sent: the guest is back on its image, nothing is left"""
    guest = stage.counting(sparse())
    migration_id = stage.migrate(guest, bandwidth_mib_s=4)
    _seeding(stage, migration_id)
    equal(len(overlays(stage.source, guest.disks[0])), 1)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    stayed(stage, guest)
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


def aborted_in_transfer(stage):
    """an abort while memory is sent: the guest is back on its image, nothing is left"""
    guest = stage.counting(sparse(16 * MIB), dirty_mib=48, dirty_mib_s=24)
    migration_id = stage.migrate(guest, bandwidth_mib_s=4)
    stage.recorder.wait_phase("memory", migration_id, 60)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    stayed(stage, guest)


def _give_kvm(host):
    """/dev/kvm has the group that Debian gives it. Where QEMU's user may not open what a probe of
    libvirt could, libvirt probes anew for each question. Returns: what takes that back, or None."""
    if not os.path.exists("/dev/kvm"):
        return None
    node = host.directory + "/kvm"
    info = os.stat("/dev/kvm")
    os.mknod(node, info.st_mode, info.st_rdev)
    os.chmod(node, 0o660)
    host.run("chgrp", "kvm", node)
    host.run("mount", "--bind", node, "/dev/kvm")
    return lambda: (host.run("umount", "/dev/kvm"), os.unlink(node))


@contextlib.contextmanager
def _users_of_qemu(stage):
    """Hosts whose QEMU has a user of its own, and whose libvirt gives no image to it."""
    before = {}
    given = [take for take in map(_give_kvm, stage.hosts.values()) if take]
    for host in stage.hosts.values():
        path = host.path("/etc/libvirt/qemu.conf")
        with open(path, encoding="utf-8") as conf:
            before[path] = conf.read()
        with open(path, "w", encoding="utf-8") as conf:
            conf.write(re.sub('= "root"', '= "%s"' % USER, before[path])
                       + "dynamic_ownership = 0\n")
        host.run("chmod", "-R", "a+rX", stage.lab.directory + "/boot")
        host.run("chmod", "0755", "/var/log/libvirt")
        host.run("chmod", "1777", "/var/log/libvirt/console")
        host.restart_libvirtd()
    try:
        yield
    finally:
        for path, text in before.items():
            with open(path, "w", encoding="utf-8") as conf:
                conf.write(text)
        for take in given:
            take()
        for host in stage.hosts.values():
            host.restart_libvirtd()


def users_of_qemu(stage):
    """where libvirt gives no image to QEMU's user: aborted, there and back, cold boot"""
    with _users_of_qemu(stage):
        guest = stage.guest(sparse(8 * MIB)).create_images()
        path = guest.disks[0].path

        guest.host.run("chown", "%s:%s" % (USER, USER), path)
        guest.host.run("chmod", "0640", path)
        guest.start()
        guest.wait_number(3)
        with stage.unchanged():
            migration_id = stage.migrate(guest, bandwidth_mib_s=1)
            stage.recorder.wait_phase("disk", migration_id)
            stage.controller.call(SOURCE, "live_migration_abort", migration_id=migration_id)
            stage.end(migration_id, "cancelled")
        for host in (stage.destination, stage.source):
            equal(strategies(stage.carry(guest)), ("seeded", {"vda": "seeded"}))
            stage.runs_on(guest, host)
            on_images(host, guest)
            info = os.stat(host.path(path))
            equal((info.st_uid, oct(info.st_mode & 0o777)), (pwd.getpwnam(USER).pw_uid, "0o640"))
        _cold_boot(stage, guest, stage.source)


@long
def paused_on_the_way(stage):
    """a guest that a person pauses while its seed is sent arrives paused: completed"""
    guest = stage.counting(sparse(24 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=2, storage_strategy="seeded")
    stage.recorder.wait_phase("disk", migration_id)
    stage.source.virsh("suspend", guest.name)
    stage.controller.call("kvm01", "live_migration_set_parameters", migration_id=migration_id,
                          bandwidth_mib_s=0)
    stage.completed(migration_id)
    equal((guest.state(stage.source), guest.state(stage.destination)), (None, "paused"))
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)


CASES = (there_and_back, tebibyte, identical, three_disks, by_order, qcow2, refused_by_order,
         limited, progress_rises, source_disks_deleted, by_a_controller, aborted_in_seed,
         aborted_in_transfer, users_of_qemu, paused_on_the_way)
