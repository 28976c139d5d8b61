"""Instances that do not run: the same order moves definition and disks, whole or not at all."""

import filecmp
import os
import shutil

from lab import images, program, variables
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import Skip, check, equal

import firmware
from leg import boot_cold
from matrix import record
from stage import definition, new_id, wait_status
from unopened import unopened

PASSWORD = "sw0rdfis"
CONSOLE = ("<graphics type='vnc' autoport='yes' passwd='%s'><listen type='address' "
           "address='127.0.0.1'/></graphics>" % PASSWORD)
DEFINED = (False, True)


def _lying(stage, *disks, **options):
    """A guest that was never started."""
    return stage.guest(*(disks or [Disk("vda", GIB, data=16 * MIB)]),
                       **options).create_images().define()


def _stopped(stage, *disks, **options):
    """A guest that has counted and was stopped."""
    guest = stage.counting(*disks, **options)
    guest.host.virsh("destroy", guest.name)
    return guest


def _rests_on(guest, host, other):
    equal((definition(host, guest.name), definition(other, guest.name)), (DEFINED, None))


def _same(disk, here, there):
    check(filecmp.cmp(here.path(disk.path), there.path(disk.path), shallow=False),
          "%s: the copies differ" % disk.target)
    allocated = [images.allocation(disk.path, host) for host in (here, there)]
    check(allocated[1] <= allocated[0] + MIB,
          "%s: %d of %d bytes are allocated" % (disk.target, allocated[1], allocated[0]))


def _clean_source(stage, guest):
    for disk in guest.disks:
        stage.defer(stage.remove, stage.source, disk.path)


def _dump(guest):
    """The whole definition, with its secrets."""
    return guest.host.virsh("dumpxml", "--inactive", "--security-info", guest.name)


def there_and_back(stage):
    """there and back: the definition as it was, with its password, disks thin, cold boots that count on"""
    guest = _stopped(stage, Disk("vda", GIB, data=16 * MIB), Disk("vdb", 256 * MIB, "raw", data=4 * MIB), devices=[CONSOLE])
    _clean_source(stage, guest)
    defined = _dump(guest)
    end = stage.carry(guest)
    equal(_dump(guest), defined)
    report = end.payload["report"]
    equal((report["offline"], report["storage_strategy"], report["downtime_ms"]),
          (True, "copy", None))
    check(20 * MIB <= report["moved_bytes"] < 60 * MIB, report)
    phases = {event.payload["phase"] for event in stage.recorder.events(end.migration_id)}
    equal(phases - {None}, {"disk"})
    _rests_on(guest, stage.destination, stage.source)
    for disk in guest.disks:
        _same(disk, stage.source, stage.destination)
    check(PASSWORD in stage.destination.virsh("dumpxml", "--security-info", guest.name),
          "the password of the console is lost")
    before = guest.number(stage.source)
    stage.destination.virsh("start", guest.name)
    guest.wait_number(before + 3)
    stage.runs_on(guest, stage.destination)
    boot_cold(stage, guest)
    stage.destination.virsh("destroy", guest.name)
    # What it left at home is what it was: it may be replaced.
    stage.carry(guest)
    _rests_on(guest, stage.source, stage.destination)
    equal(_dump(guest), defined)
    stage.source.virsh("start", guest.name)
    stage.runs_on(guest, stage.source)
    for disk in guest.disks:
        stage.remove(stage.destination, disk.path)
    record("shut-off instance, qcow2 and sparse raw", moved=True, thin=True, cold_boot=True)


def features(stage):
    """images arrive as they are, bit by bit: clusters of 2 MiB, a raw one with holes, an empty one"""
    guest = _lying(stage, Disk("vda", 10 * GIB, data=16 * MIB, cluster_size=2 * MIB),
                   Disk("vdb", 100 * MIB, "raw", data=8 * MIB), Disk("vdc", GIB))
    _clean_source(stage, guest)
    stage.carry(guest)
    for disk in guest.disks:
        _same(disk, stage.source, stage.destination)


def variables_and_tpm(stage):
    """UEFI variables that lie beside the images come along; elsewhere they and a TPM are in the way"""
    path = IMAGES + "/ferry_VARS.fd"
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    shutil.copyfile(firmware.TEMPLATE, stage.source.path(path))
    variables.add(stage.source.path(path), "FerryThere", b"out")
    guest = _lying(stage, os_extra=firmware.uefi(path), memory_mib=256)
    with stage.settings({"kvm02": {"storage": {"allowed_paths": IMAGES + "x"}}}):
        stage.refused("MigrationPreCheckError", guest)
    _clean_source(stage, guest)
    stage.carry(guest)
    equal(variables.read(stage.destination.path(path)).get("FerryThere"), b"out")
    stage.destination.virsh("start", guest.name)
    guest.wait_number(3, 120)
    equal(variables.read(stage.destination.path(path)).get("FerryThere"), b"out")
    other = _lying(stage, os_extra=firmware.uefi(firmware.NVRAM + "/ferry_VARS.fd"),
                   devices=[firmware.TPM])
    error = stage.refused("MigrationPreCheckError", other)
    equal([each["name"] for each in error["details"]["checks"] if each["result"] == "fail"],
          ["tpm", "nvram"])


def _overlay(stage, path=None):
    """A guest that was never started, with an overlay on a base."""
    guest = stage.guest(Disk("vda", GIB, data=4 * MIB, path=path,
                             backing=Disk("base", GIB, data=16 * MIB)))
    guest.create_images().define()
    base = guest.disks[0].backing
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, base.path)
    return guest, guest.disks[0], base


def _tell_chain(guest, chain):
    """Defines the guest anew, with what its definition says of backing files."""
    connection = guest.host.connect()
    try:
        connection.defineXML(guest.xml().replace('<target dev="vda"', chain + '<target dev="vda"'))
    finally:
        connection.close()


def chain_is_kept(stage):
    """an overlay keeps its base, whether the definition names it or only the header"""
    guest, overlay, base = _overlay(stage)
    _clean_source(stage, guest)
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    equal(info["disks"][0]["backing_chain"], [base.path])
    stage.carry(guest)
    for disk in (overlay, base):
        _same(disk, stage.source, stage.destination)
    stage.destination.virsh("start", guest.name)
    guest.wait_number(3)
    stage.runs_on(guest, stage.destination)
    record("shut-off instance, overlay on a base", moved=True, thin=True, chain=True,
           cold_boot=True)
    guest, overlay, base = _overlay(stage)
    _tell_chain(guest, "<backingStore type='file'><format type='qcow2'/><source file='%s'/>"
                "<backingStore/></backingStore>" % base.path)
    _clean_source(stage, guest)
    stage.carry(guest)
    for disk in (overlay, base):
        _same(disk, stage.source, stage.destination)


def _refuses_chain(stage, guest, word):
    error = stage.refused("MigrationPreCheckError", guest)
    failed = [each for each in error["details"]["checks"] if each["result"] == "fail"]
    equal([each["name"] for each in failed], ["backing-chain"])
    check(word in failed[0]["message"], "%s is not named: %s" % (word, failed))


def headers_alone(stage):
    """what only a header names is opened when it is a plain file in an allowed folder, not else"""
    # In no pool: libvirt itself opens what headers name when it refreshes one.
    alone = IMAGES + "/alone"
    os.mkdir(stage.source.path(alone))
    stage.defer(stage.remove, stage.source, alone)
    guest, overlay, base = _overlay(stage, alone + "/overlay.qcow2")
    secret, link = "/var/lib/libvirt/secret.img", alone + "/link.img"
    images.create(secret, MIB, "raw", inside=stage.source)
    os.symlink(secret, stage.source.path(link))
    for path in (secret, link):
        stage.defer(stage.remove, stage.source, path)
    for name, kind, word in ((secret, "raw", secret), (link, "raw", link), (overlay.path, "qcow2", "loops"),
                             ("json:{}", "raw", "json:"), ("nbd://192.0.2.9/a", "raw", "nbd:"),
                             (alone + "/gone", "qcow2", "cannot be looked at")):
        stage.source.run("qemu-img", "rebase", "-u", "-b", name, "-F", kind, overlay.path)
        with unopened(stage.source, secret):
            _refuses_chain(stage, guest, word)
    stage.source.run("qemu-img", "rebase", "-u", "-b", base.path, "-F", "qcow2", overlay.path)
    _tell_chain(guest, "<backingStore/>")
    _refuses_chain(stage, guest, "ends at")
    _tell_chain(guest, "")
    with open(stage.source.path(overlay.path), "r+b") as image:
        # Without the extension that states the format nobody knows it.
        image.seek(image.read(1024).index(b"\xe2\x79\x2a\xca"))
        image.write(b"\x01\x02\x03\x04")
    _refuses_chain(stage, guest, base.path)


def paths(stage):
    """an image outside the allowed folders is not read, whatever the definition says"""
    guest = _lying(stage, Disk("vda", MIB, "raw", path="/etc/hosts"))
    stage.refused("PathNotAllowed", guest)
    guest.destroy()
    guest.disks.clear()


def fates(stage):
    """source disks in quarantine and restored while it lies there"""
    guest = _lying(stage)
    migration_id = stage.carry(guest, source_disks="quarantine").migration_id
    stage.refuses("InstanceInvalidState", "kvm01", "delete_quarantined_disks",
                  migration_id=migration_id)
    stage.controller.call("kvm01", "restore_quarantined_disks", migration_id=migration_id)
    equal(definition(stage.source, guest.name), DEFINED)
    equal(stage.source.images(), [os.path.basename(guest.disks[0].path)])


def definition_stays(stage):
    """undefine_source false: the definition stays here, and is in the way of a return"""
    guest = _lying(stage)
    _clean_source(stage, guest)
    stage.carry(guest, undefine_source=False)
    equal([definition(host, guest.name) for host in (stage.source, stage.destination)],
          [DEFINED, DEFINED])
    with stage.unchanged():
        error = stage.end(stage.migrate(guest, "kvm01"), "failed",
                          "MigrationPreCheckError").payload["error"]
    equal([each["name"] for each in error["details"]["checks"] if each["result"] == "fail"],
          ["uuid"])


def other_name(stage):
    """dest_name: it arrives under another name"""
    guest = _lying(stage)
    _clean_source(stage, guest)
    stage.carry(guest, dest_name="moved")
    equal((definition(stage.source, guest.name), definition(stage.destination, "moved")),
          (None, DEFINED))
    guest.name = "moved"


def refused(stage):
    """what makes no sense for it is refused; what is for running ones only is of no account"""
    guest = _lying(stage)
    for options, name in (({"persistent": False}, "persistent"), ({"sparsify": True}, "options"),
                          ({"pool_map": {"default": "fast"}}, "options"),
                          ({"flatten": True}, "options"),
                          # Nobody has seen it running with the disks over there.
                          ({"source_disks": "delete"}, "source-disks")):
        error = stage.refused("MigrationPreCheckError", guest, **options)
        check(name in [each["name"] for each in error["details"]["checks"]
                       if each["result"] == "fail"], error)
    _clean_source(stage, guest)
    stage.carry(guest, paused=True, downtime_ms=5, completion_timeout_s=1, parallel_connections=2)
    _rests_on(guest, stage.destination, stage.source)


def _slowly(stage, guest, **options):
    """A journey that lasts, with some of it on the other side already."""
    migration_id = stage.migrate(guest, bandwidth_mib_s=4, **options)
    stage.recorder.wait(
        lambda event: event.type == "migration.progress" and event.migration_id == migration_id
        and event.payload["progress"]["percent"] >= 20, 60, "a fifth of %s" % migration_id)
    return migration_id


def aborted(stage):
    """abort: nothing is left there, everything stays here; it cannot be forced"""
    guest = _lying(stage)
    with stage.unchanged():
        migration_id = _slowly(stage, guest)
        try:
            stage.controller.call("kvm01", "live_migration_force_complete",
                                  migration_id=migration_id)
        except Exception as error:  # pylint: disable=broad-except
            equal(error.code, "InvalidMigrationState")
        else:
            raise AssertionError("forced")
        stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
        stage.end(migration_id, "cancelled")
    _clean_source(stage, guest)
    stage.carry(guest)


def started_meanwhile(stage):
    """started while its files are carried, or started and stopped: it stays, nothing is left there"""
    guest = _lying(stage)
    clean = stage.picture(stage.destination)
    for stops_again in (False, True):
        migration_id = _slowly(stage, guest)
        stage.source.virsh("start", guest.name)
        guest.wait_counting(3)
        if stops_again:
            stage.source.virsh("destroy", guest.name)
        error = stage.end(migration_id, "failed", "InstanceInvalidState").payload["error"]
        check("started" in error["message"] or "written to" in error["message"], error)
        equal(stage.picture(stage.destination), clean)
        if not stops_again:
            stage.runs_on(guest, stage.source)
            stage.source.virsh("destroy", guest.name)
    equal(definition(stage.source, guest.name), DEFINED)


def _offsets(agent, mark):
    """Where copies began since, as the source's agent says."""
    return [int(line.split("from byte ")[1].split()[0])
            for line in agent.log()[mark:].splitlines() if "from byte " in line]


def agent_killed(stage):
    """either agent is killed in the middle: the rest is carried, not the whole; one end"""
    for side in ("kvm01", "kvm02"):
        guest = _lying(stage)
        source, killed = stage.agents["kvm01"], stage.agents[side]
        mark = len(source.log())
        migration_id = _slowly(stage, guest)
        killed.kill()
        killed.start()
        end = stage.completed(migration_id)
        guest.moved_to(stage.destination)
        _rests_on(guest, stage.destination, stage.source)
        _same(guest.disks[0], stage.source, stage.destination)
        if side == "kvm01":
            offsets = _offsets(source, mark)
            check(len(offsets) == 2 and offsets[1] >= 2 * MIB, offsets)
            check(end.payload["report"]["moved_bytes"] < 15 * MIB, end.payload["report"])
        stage.remove(stage.source, guest.disks[0].path)


def started_at_the_last_moment(stage):
    """started after the last look, before it is defined there: it is taken back there"""
    with open(program.find("virt-ferryd"), "rb") as file:
        if b"VIRT_FERRY_FAULT_POINT" not in file.read():
            raise Skip("this build has no fault points")
    agent = stage.agents["kvm01"]
    guest = _lying(stage, Disk("vda", GIB, data=MIB))
    clean = stage.picture(stage.destination)
    agent.stop()
    agent.start(environment={"VIRT_FERRY_FAULT_POINT": "define:end"})
    migration_id = stage.migrate(guest)
    agent.wait_end(60)
    equal(definition(stage.destination, guest.name), DEFINED)
    stage.source.virsh("start", guest.name)
    agent.start()
    stage.end(migration_id, "failed", "MigrationError")
    wait_status(stage, "kvm02", migration_id, "rolled-back")
    equal(stage.picture(stage.destination), clean)
    stage.runs_on(guest, stage.source)


def definition_of_somebody(stage):
    """a rollback leaves alone what somebody defined there before its images came"""
    guest = _lying(stage)
    migration_id = new_id()
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    stage.controller.call("kvm02", "pre_live_migration", instance_info=info,
                          migration_id=migration_id)
    guest.moved_to(stage.destination).define()
    answer = stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                                   migration_id=migration_id)
    equal((answer["status"], answer["kept"]), ("rolled-back", []))
    equal(definition(stage.destination, guest.name), DEFINED)


CASES = (there_and_back, features, variables_and_tpm, chain_is_kept, headers_alone, paths,
         fates, definition_stays, other_name, refused, aborted,
         started_meanwhile, agent_killed, started_at_the_last_moment,
         definition_of_somebody)
