"""Both definitions of an instance, the running one and the persistent one, are looked at before a byte
moves; what arrives starts again, and what the destination's libvirt would refuse is said before."""

import os
import re

import libvirt

from lab import images
from lab.guest import Disk, cdrom
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from leg import travel
from stage import boot_cold_still, long

CHECK = "MigrationPreCheckError"
TEMPLATE = "/usr/share/OVMF/OVMF_VARS_4M.fd"


def _guest(stage, **options):
    return stage.still(Disk("vda", GIB, data=MIB), **options)


def _medium(stage, name):
    """A medium on the source; both hosts are rid of it at the end."""
    path = "%s/%s.iso" % (IMAGES, name)
    images.create(path, 2 * MIB, "raw", inside=stage.source)
    with open(stage.source.path(path), "r+b") as medium:
        medium.write(os.urandom(MIB))
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    return path


def _content(host, path):
    with open(host.path(path), "rb") as file:
        return file.read()


def _info(stage, guest, **options):
    return stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                 instance=guest.name, options=options)["instance_info"]


def _at_destination(stage, info):
    answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                   instance_info=info)
    return answer["checks"]


def _unhappy(checks):
    return [(each["name"], each["result"]) for each in checks if each["result"] != "pass"]


def _failed(error):
    return sorted(each["name"] for each in error["details"]["checks"] if each["result"] == "fail")


def _edit(host, guest, *pairs):
    """Changes the persistent definition, as `virsh edit` does, and leaves the running one alone."""
    connection = host.connect()
    try:
        domain = connection.lookupByName(guest.name)
        text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        for old, new in pairs:
            check(re.search(old, text), "%s is not in %s" % (old, text))
            text = re.sub(old, new, text)
        connection.defineXML(text)
    finally:
        connection.close()


# What only the persistent definition names

def media_of_the_persistent_definition(stage):
    """a CD-ROM that was ejected or changed live only: both media come, and the next start has its own"""
    left, taken, new = (_medium(stage, name) for name in ("left", "taken", "new"))
    guest = _guest(stage, devices=[cdrom(left), cdrom(taken, "sdb")])
    stage.source.virsh("change-media", guest.name, "sda", "--eject", "--live", "--force")
    stage.source.virsh("change-media", guest.name, "sdb", new, "--update", "--live", "--force")
    end = stage.carry(guest)
    equal(sorted(file["path"] for file in end.payload["report"]["files"]),
          sorted([left, taken, new]))
    for path in (left, taken, new):
        check(_content(stage.destination, path) == _content(stage.source, path), path)
    boot_cold_still(guest)
    shown = stage.destination.virsh("domblklist", guest.name)
    check(left in shown and taken in shown and new not in shown, shown)


def disk_of_the_persistent_definition(stage):
    """a disk attached with --config only, or exchanged there, is named, with what to do about it"""
    guest = _guest(stage)
    extra = images.create(IMAGES + "/extra.qcow2", 64 * MIB, "qcow2", inside=stage.source)
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, extra)
    stage.source.virsh("attach-disk", guest.name, extra, "vdb", "--subdriver", "qcow2", "--config")
    error = stage.refused(CHECK, guest)
    equal(_failed(error), ["persistent-definition"])
    check(extra in error["message"] and "vdb" in error["message"], error["message"])
    check("detach-disk %s vdb --config" % guest.name in error["hint"], error["hint"])
    # Of an instance that shall not be defined there nothing is asked.
    equal(_unhappy(stage.controller.call(
        "kvm01", "check_can_live_migrate_source", instance=guest.name,
        options={"persistent": False})["checks"]), [])
    stage.source.virsh("attach-disk", guest.name, extra, "vdb", "--subdriver", "qcow2", "--live")
    stage.carry(guest)
    boot_cold_still(guest)
    check(extra in stage.destination.virsh("domblklist", guest.name), "its disk")


def devices_of_the_persistent_definition(stage):
    """machine, network, device and host device of the next start are looked for, too"""
    guest = _guest(stage)
    interface = ("<interface type='network'><source network='nowhere'/></interface>"
                 "<video><model type='cirrus'/></video></devices>")
    _edit(stage.source, guest, ("</devices>", interface))
    error = stage.refused(CHECK, guest)
    equal(_failed(error), ["network"])
    check("Persistent definition: " in error["message"] and "'nowhere'" in error["message"],
          error["message"])
    _edit(stage.source, guest, ("(?s)<interface.*</interface>", ""))
    info = _info(stage, guest)
    equal(_unhappy(_at_destination(stage, info)), [])
    for old, new, name in (("machine=(.)pc-q35-[0-9.]*", r"machine=\1pc-q35-99.0", "machine"),
                           ("cirrus", "gop", "devices"),
                           ("<emulator>[^<]*", "<emulator>/usr/bin/qemu-system-none", "machine")):
        text = re.sub(old, new, info["persistent_xml"])
        check(text != info["persistent_xml"], old)
        found = _at_destination(stage, dict(info, persistent_xml=text))
        check((name, "fail") in _unhappy(found), found)
        check(all(each["message"].startswith("Persistent definition: ") for each in found
                  if each["result"] != "pass"), found)
    _edit(stage.source, guest, ("</devices>", "<hostdev mode='subsystem' type='pci'><source>"
                                "<address domain='0' bus='0x7f' slot='0x1f' function='0'/></source>"
                                "</hostdev></devices>"))
    equal(_failed(stage.refused(CHECK, guest)), ["host-device"])


# Drives whose medium is gone

def medium_is_gone(stage):
    """a medium that was removed under its drive: with startupPolicy the drive arrives empty"""
    optional, requisite, needed = (_medium(stage, name) for name in ("optional", "requisite", "needed"))
    drives = [cdrom(path, target).replace("<source ", "<source startupPolicy='%s' " % policy)
              for path, target, policy in ((optional, "sda", "optional"),
                                           (requisite, "sdb", "requisite"))]
    guest = _guest(stage, devices=drives + [cdrom(needed, "sdc")])
    for path in (optional, requisite, needed):
        stage.remove(stage.source, path)
    error = stage.refused(CHECK, guest)
    equal(_failed(error), ["medium"])
    check(needed in error["message"] and "change-media %s sdc --eject" % guest.name in error["hint"],
          error)
    stage.source.virsh("change-media", guest.name, "sdc", "--eject", "--live", "--config", "--force")
    answer = stage.controller.call("kvm01", "check_can_live_migrate_source", instance=guest.name,
                                   host="kvm02")
    check(answer["compatible"], answer)
    check([each["message"] for each in answer["checks"]
           if (each["name"], each["result"]) == ("medium", "warn")][0].count(optional), answer)
    stage.carry(guest)
    shown = stage.destination.virsh("domblklist", guest.name)
    check(optional not in shown and requisite not in shown, shown)


# What the destination lacks

def folders_of_ports(stage):
    """folders of serial logs, sockets and console files, and a network filter, that are not there"""
    folder = "/var/lib/libvirt/ports"
    os.makedirs(stage.source.path(folder + "/log"))
    stage.source.run("chmod", "-R", "0777", folder)
    for host in stage.hosts.values():
        stage.defer(host.run, "rm", "-rf", folder)
    guest = _guest(stage, devices=[
        "<channel type='unix'><source mode='bind' path='%s/socket'/><target type='virtio' "
        "name='own'/></channel>" % folder,
        "<serial type='pty'><log file='%s/log/serial.log'/><target port='1'/></serial>" % folder,
        # In the folder that the instance's image brings.
        "<serial type='file'><source path='%s/console.log'/><target port='2'/></serial>" % IMAGES])
    stage.defer(stage.remove, stage.source, IMAGES + "/console.log")
    stage.defer(stage.remove, stage.destination, IMAGES + "/console.log")
    error = stage.refused(CHECK, guest)
    equal(_failed(error), ["folder", "folder"])
    check(folder + "/socket" in error["message"] and folder + "/log/" in error["message"],
          error["message"])
    info = _info(stage, guest)
    info["domain_xml"] = info["domain_xml"].replace(
        "<channel ", "<interface type='user'><filterref filter='own-filter'/></interface><channel ", 1)
    found = [each["message"] for each in _at_destination(stage, info)
             if (each["name"], each["result"]) == ("network", "fail")]
    equal(len(found), 1, found)
    check("'own-filter'" in found[0], found)
    os.makedirs(stage.destination.path(folder + "/log"))
    stage.destination.run("chmod", "-R", "0777", folder)
    stage.carry(guest)


def devices_that_qemu_lacks(stage):
    """devices that the destination's QEMU lacks, one by name each; libvirt's own word for the rest"""
    info = dict(_info(stage, _guest(stage)), persistent_xml=None)

    def with_devices(text):
        return dict(info, domain_xml=info["domain_xml"].replace("</devices>", text + "</devices>"))

    def failures(text):
        return [each["message"] for each in _at_destination(stage, with_devices(text))
                if each["result"] == "fail" and each["name"] == "devices"]

    for text in ("<graphics type='vnc' port='-1' listen='127.0.0.1'/><video><model type='vga'/></video>",
                 "<panic model='isa'/>", "<channel type='pty'><target type='virtio' name='x'/></channel>",
                 "<watchdog model='i6300esb' action='reset'/>"):
        equal(failures(text), [], text)
    found = failures("<video><model type='gop'/></video><graphics type='rdp'/>")
    equal(len(found), 2, found)
    check("'rdp'" in found[0] and "'gop'" in found[1], found)
    # What libvirt 9.0 lists nowhere.
    found = failures("<panic model='s390'/>")
    equal(len(found), 1, found)
    check("panic" in found[0], found)


def template_of_variables(stage):
    """a template of the firmware's variables that is not there"""
    info = dict(_info(stage, _guest(stage)), persistent_xml=None, state="running",
                nvram="/var/lib/libvirt/qemu/nvram/none_VARS.fd")
    for template, result in ((TEMPLATE, []), (TEMPLATE + ".none", [("nvram", "fail")])):
        text = info["domain_xml"].replace(
            "</os>", "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
            "<nvram template='%s'>%s</nvram></os>" % (template, info["nvram"]))
        found = _at_destination(stage, dict(info, domain_xml=text))
        equal(_unhappy(found), result, found)


def a_question_touches_nothing(stage):
    """the question whether the destination's libvirt would take the definition makes no file there"""
    info = dict(_info(stage, _guest(stage)), persistent_xml=None)
    text = info["domain_xml"].replace(
        "</devices>", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>"
        "<serial type='file'><source path='/var/log/libvirt/console/never.log'/></serial></devices>")
    text = text.replace(
        "</os>", "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
        "<nvram template='%s'>/var/lib/libvirt/qemu/nvram/never_VARS.fd</nvram></os>" % TEMPLATE)
    # Another guest than the one that is here: nothing of it exists anywhere.
    uuid = "7a7f1f3e-1c1b-4a7e-9a77-0123456789ab"
    text = text.replace(info["uuid"], uuid).replace(info["name"] + "</name>", "never</name>")
    info = dict(info, uuid=uuid, name="never", domain_xml=text, tpm=True)
    places = ("/var/lib/libvirt", "/run/libvirt", "/var/log/libvirt", "/var/log/swtpm", "/etc/libvirt")
    before = _files(stage.destination, places)
    found = _at_destination(stage, info)
    check(("devices", "pass") in [(each["name"], each["result"]) for each in found], found)
    equal(_files(stage.destination, places), before)


def _files(host, places):
    return sorted(host.run("find", *places, "!", "-name", "*.log*", check=False).stdout.splitlines())


def _scsi(stage):
    """A disk on virtio-scsi, and the devices for it, which work in an iothread."""
    path = images.create(IMAGES + "/scsi.qcow2", 64 * MIB, "qcow2", 8 * MIB, inside=stage.source)
    for host in stage.hosts.values():
        stage.defer(stage.remove, host, path)
    return path, {"domain_extra": "<iothreads>1</iothreads>", "devices": [
        "<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1'/></controller>",
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
        "<source file='%s'/><target dev='sdb' bus='scsi'/></disk>" % path]}


def scsi_iothread(stage):
    """virtio-scsi on an iothread arrives without it where QEMU there cannot copy into one, and the
    next cold boot has it again"""
    path, options = _scsi(stage)
    guest = _guest(stage, **options)
    faulty = stage.controller.call("kvm02", "describe_host")["qemu_version"].startswith("7.2.")
    equal(_unhappy(_at_destination(stage, _info(stage, guest))),
          [("devices", "warn")] if faulty else [])
    end = stage.carry(guest)
    equal(end.payload["report"].get("left_out"), ["scsi-iothread"] if faulty else None)
    check(images.identical((path, stage.source), (path, stage.destination)), path)
    equal([_has_iothread(stage.destination, guest, *words) for words in ((), ("--inactive",))],
          [not faulty, True])
    boot_cold_still(guest)
    check(_has_iothread(stage.destination, guest), "after the cold boot")


def _has_iothread(host, guest, *words):
    return bool(re.search("<driver[^>]*iothread=.1.", host.virsh("dumpxml", guest.name, *words)))


@long
def scsi_iothread_of_two_processors(stage):
    """the same while it runs, with more queues than one: there, a cold boot, and back"""
    _, options = _scsi(stage)
    guest = stage.counting(Disk("vda", GIB, data=MIB), vcpus=2, **options)
    for _ in range(2):
        travel(stage, guest)


CASES = (media_of_the_persistent_definition, disk_of_the_persistent_definition,
         devices_of_the_persistent_definition, medium_is_gone, folders_of_ports,
         devices_that_qemu_lacks, template_of_variables, a_question_touches_nothing, scsi_iothread,
         scsi_iothread_of_two_processors)
