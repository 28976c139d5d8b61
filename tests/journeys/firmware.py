"""What outlives a reset beside the disks travels too: firmware's variables and the TPM's state."""

import hashlib
import os
import shutil

from lab import variables
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

import matrix
from leg import boot_cold
from stage import slow_link, start_still

LOADER = "/usr/share/OVMF/OVMF_CODE_4M.fd"
TEMPLATE = "/usr/share/OVMF/OVMF_VARS_4M.fd"
NVRAM = "/var/lib/libvirt/qemu/nvram"
TPM_STATES = "/var/lib/libvirt/swtpm"
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"


def uefi(path):
    """What a guest's <os> needs for firmware with its variables there."""
    return ("<loader readonly='yes' type='pflash'>%s</loader><nvram template='%s'>%s</nvram>"
            % (LOADER, TEMPLATE, path))


def _uefi(stage, path, *disks, **options):
    """A guest with firmware that needs room, and a variable of ours in its store."""
    guest = stage.guest(*(disks or [Disk("vda", GIB, data=4 * MIB)]), memory_mib=256,
                        os_extra=uefi(path), **options)
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    shutil.copyfile(TEMPLATE, stage.source.path(path))
    variables.add(stage.source.path(path), "FerryThere", b"out")
    return guest.create_images()


def _content(host, path):
    with open(host.path(path), "rb") as store:
        return store.read()


def _travel(stage, guest, path, expected):
    """A journey without the cold boot: this firmware takes ten times what a BIOS takes."""
    source = guest.host
    stage.carry(guest)
    stage.runs_on(guest, guest.host)
    _holds(guest, path, expected, "there")
    check(_content(source, path) == _content(guest.host, path), "the variables differ")


def _holds(guest, path, expected, when):
    found = variables.read(guest.host.path(path))
    for name, data in expected.items():
        equal(found.get(name), data, "%s: variable %s" % (when, name))


def variables_travel(stage):
    """UEFI variables: what stood in the store before, and what the firmware wrote; there and back"""
    path = NVRAM + "/ferry_VARS.fd"
    guest = _uefi(stage, path).start()
    guest.wait_number(3, 120)
    booted = variables.read(stage.source.path(path))
    check(len(booted) > 1, "the firmware wrote nothing: %r" % booted)
    _travel(stage, guest, path, {"FerryThere": b"out"})
    # Changed there while it is off: the file that stayed on the first host is the older one now.
    stage.destination.virsh("destroy", guest.name)
    variables.add(stage.destination.path(path), "FerryBack", b"home")
    stage.destination.virsh("start", guest.name)
    guest.wait_counting(3, 120)
    both = {"FerryThere": b"out", "FerryBack": b"home"}
    _holds(guest, path, both, "cold boot there")
    _travel(stage, guest, path, both)
    boot_cold(stage, guest)
    _holds(guest, path, both, "cold boot at home")
    matrix.record("UEFI variables (NVRAM)", moved=True, cold_boot=True)


def variables_in_the_way(stage):
    """a foreign file, a missing folder, a forbidden one, a missing firmware: said before"""
    path = IMAGES + "/vars/ferry_VARS.fd"
    for host in stage.hosts.values():
        os.mkdir(host.path(IMAGES + "/vars"))
        stage.defer(stage.remove, host, IMAGES + "/vars")
    guest = _uefi(stage, path)
    start_still(guest)
    _nvram_fails(stage, guest, "arrive paused")
    stage.source.virsh("resume", guest.name)
    _nvram_fails(stage, guest, "arrive paused", paused=True)
    shutil.copyfile(TEMPLATE, stage.destination.path(path))
    _nvram_fails(stage, guest, path)
    stage.remove(stage.destination, path)
    os.rmdir(stage.destination.path(IMAGES + "/vars"))
    _nvram_fails(stage, guest, "'%s/vars' is missing" % IMAGES)
    info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    for field, value, name in (("nvram", "/etc/x_VARS.fd", "nvram"),
                               ("loader", "/usr/share/OVMF/NONE.fd", "firmware")):
        answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                       instance_info={**info, field: value})
        found = {each["name"]: each["result"] for each in answer["checks"]}
        equal(found[name], "fail", "%s of %s" % (name, value))
    _builds_differ(stage, info)


def _builds_differ(stage, info):
    """The same path on both hosts, and another firmware in it: the next cold boot is by that one."""
    with open(stage.source.path(LOADER), "rb") as firmware:
        equal(info["loader_digest"], hashlib.sha256(firmware.read()).hexdigest(), "its digest")
    for digest, words in ((info["loader_digest"], None), (None, None),
                          ("0" * 64, "another build than on the source")):
        answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                       instance_info={**info, "loader_digest": digest})
        said = [each["message"] for each in answer["checks"]
                if (each["name"], each["result"]) == ("firmware", "warn")]
        check(len(said) == 1 and words in said[0] if words else not said, said)


def _nvram_fails(stage, guest, word, **options):
    error = stage.refused("MigrationPreCheckError", guest, **options)
    check("nvram" in error["message"] and word in error["message"], error["message"])


def variables_of_a_failure(stage):
    """after an abort no file of variables is left, and the next attempt succeeds"""
    path = NVRAM + "/failed_VARS.fd"
    guest = _uefi(stage, path, Disk("vda", 2 * GIB, data=96 * MIB)).start()
    slow_link(stage, 100)
    migration_id = stage.migrate(guest)
    wait_until(lambda: os.path.exists(stage.destination.path(path)), 60, "the file of variables")
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    equal(os.path.exists(stage.destination.path(path)), False, "left behind")
    record = stage.controller.record("kvm02", migration_id)
    check("nvram" in [each["kind"] for each in record["report"]["removed"]], record["report"])
    stage.lab.network.unlimit(stage.source)
    guest.wait_number(3, 120)
    _travel(stage, guest, path, {"FerryThere": b"out"})


def _states(host, guest):
    """{file: digest} of the guest's TPM on a host."""
    top = host.path(os.path.join(TPM_STATES, guest.uuid))
    return {name: hashlib.sha256(_content(host, os.path.join(TPM_STATES, guest.uuid, folder, name)))
            .hexdigest()
            for folder in (os.listdir(top) if os.path.isdir(top) else ())
            for name in os.listdir(os.path.join(top, folder)) if not name.startswith(".")}


def tpm_travels(stage):
    """an emulated TPM: its state is the same there, after a cold boot and back"""
    guest = stage.counting(Disk("vda", GIB, data=4 * MIB), devices=[TPM])
    first = _states(stage.source, guest)
    check(first, "no state of a TPM")
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)
    equal(_states(stage.destination, guest), first, "state there")
    boot_cold(stage, guest)
    second = _states(stage.destination, guest)
    check(second != first, "the boot left the TPM's state as it was: this proves nothing")
    stage.carry(guest)
    stage.runs_on(guest, stage.source)
    equal(_states(stage.source, guest), second, "state back")
    boot_cold(stage, guest)
    matrix.record("emulated TPM", moved=True, cold_boot=True)


def tpm_of_a_failure(stage):
    """after an abort no state of a TPM is left; a paused arrival has it all"""
    guest = stage.still(Disk("vda", 2 * GIB, data=96 * MIB), devices=[TPM])
    before = _states(stage.source, guest)
    slow_link(stage, 100)
    migration_id = stage.migrate(guest)
    wait_until(lambda: _states(stage.destination, guest), 60, "the TPM's state")
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    equal(_states(stage.destination, guest), {}, "left behind")
    equal(_states(stage.source, guest), before)
    stage.lab.network.unlimit(stage.source)
    stage.carry(guest)
    equal(_states(stage.destination, guest), before, "a paused arrival")


CASES = (variables_travel, variables_in_the_way, variables_of_a_failure, tpm_travels,
         tpm_of_a_failure)
