"""What an order claims is not believed: URIs, volumes, hosts and arrivals."""

import os
import stat
import uuid

from lab import images
from lab.controller import RemoteError
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import definition, new_id, wait_status

DIGEST = "ferry1-sha256:" + 64 * "0"
OTHER = "kvm03"


def _lying(stage, **options):
    """A guest that was never started, which costs the least."""
    return stage.guest(Disk("vda", GIB, data=MIB), **options).create_images().define()


def _prepared(stage, guest):
    """The destination is prepared for the guest; its answer."""
    info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    return stage.controller.call("kvm02", "pre_live_migration", migration_id=new_id(),
                                 instance_info=info, source="kvm01")


def _led_elsewhere(stage, guest):
    """An order with a true preparation, but the URIs of another host, comes to nothing."""
    address = stage.hosts[OTHER].addresses["migration"]
    state = guest.state(stage.source)
    for key, value in (("libvirt_uri", "qemu+tcp://%s/system" % address),
                       ("migrate_uri", "tcp://%s" % address)):
        with stage.unchanged():
            data = _prepared(stage, guest)
            stage.controller.call("kvm01", "live_migration", migration_id=data["migration_id"],
                                  instance=guest.name, migrate_data=dict(data, **{key: value}))
            error = stage.end(data["migration_id"], "failed", "InvalidRequest").payload["error"]
            check(key in error["message"] and "kvm02" in error["message"], error)
    equal(guest.state(stage.source), state)


def uris_of_another_host(stage):
    """a proper preparation at an allowed host, and the URIs of another one: the guest stays"""
    _led_elsewhere(stage, stage.still(Disk("vda", GIB, data=MIB)))


def uris_of_another_host_shut_off(stage):
    """the same of an instance that does not run: none of its bytes goes there"""
    _led_elsewhere(stage, _lying(stage))


def volumes_of_the_order(stage):
    """volumes that an order names itself are not looked at: the destination's word counts"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    data = _prepared(stage, guest)
    wrong = [dict(data["volumes"][0], path=IMAGES + "/elsewhere.qcow2", format="raw", seeded=True)]
    stage.controller.call("kvm01", "live_migration", migration_id=data["migration_id"],
                          instance=guest.name, migrate_data=dict(data, volumes=wrong))
    stage.completed(data["migration_id"])
    guest.moved_to(stage.destination)
    record = stage.controller.record("kvm01", data["migration_id"])
    equal(record["migrate_data"]["volumes"], data["volumes"])
    stage.remove(stage.source, guest.disks[0].path)


def talked_into_tcp(stage):
    """a source that wants TLS is not led over plain TCP, by an order or by a destination"""
    guest = _lying(stage)
    data = _prepared(stage, guest)
    with stage.settings({"kvm01": {"libvirt": {"live_migration_scheme": "tls"}}}):
        error = stage.refuses("InvalidRequest", "kvm01", "live_migration", instance=guest.name,
                              migration_id=data["migration_id"], migrate_data=data)
        check("libvirt_uri" in error.message and "live_migration_scheme" in error.hint, error)
        stage.refused("MigrationPreCheckError", guest)
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=data["migration_id"])


def _nothing(stage, state):
    """An instance_info that is true but for its disks, which it has none of, and its name."""
    guest = _lying(stage)
    info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    other = str(uuid.uuid4())
    xml = info["domain_xml"].replace(info["uuid"], other).replace(info["name"], "nothing")
    return dict(info, uuid=other, name="nothing", disks=[], state=state, domain_xml=xml)


def definition_of_a_stranger(stage):
    """a UUID that was prepared without disks and is then defined by somebody stays defined"""
    info = _nothing(stage, "shutoff")
    migration_id = new_id()
    stage.controller.call("kvm02", "pre_live_migration", migration_id=migration_id,
                          instance_info=info, source="kvm01")
    connection = stage.destination.connect()
    try:
        connection.defineXML("<domain type='qemu'><name>nothing</name><uuid>%s</uuid>"
                             "<memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
                             % info["uuid"])
    finally:
        connection.close()
    try:
        stage.refuses("InvalidMigrationState", "kvm02", "post_live_migration_at_destination",
                      migration_id=migration_id)
        answer = stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                                       migration_id=migration_id)
        equal((answer["status"], answer["kept"]), ("rolled-back", []))
        equal(definition(stage.destination, "nothing"), (False, True))
    finally:
        stage.destination.virsh("undefine", "nothing")


def mark_of_an_arrival(stage):
    """the mark that ties a definition to its migration is gone afterwards; other metadata stay"""
    mine = "<metadata><my:own xmlns:my='urn:mine' a='1'/></metadata>"
    guest = _lying(stage, domain_extra=mine)
    stage.carry(guest)
    xml = stage.destination.virsh("dumpxml", guest.name)
    check("urn:mine" in xml and "urn:virt-ferry" not in xml, xml)
    stage.remove(stage.source, guest.disks[0].path)


def mode_of_a_base(stage):
    """a base that only root may read stays a secret, and the instance starts on it"""
    guest = stage.guest(Disk("vda", GIB, backing=Disk("base", GIB, data=MIB))).create_images()
    base = guest.disks[0].backing.path
    for host in (stage.source, stage.destination):
        stage.defer(stage.remove, host, base)
    os.chmod(stage.source.path(base), 0o600)
    guest.define()
    stage.carry(guest)
    equal(stat.S_IMODE(os.stat(stage.destination.path(base)).st_mode), 0o400)
    stage.destination.virsh("start", "--paused", guest.name)
    stage.remove(stage.source, guest.disks[0].path)


def firmware_that_is_or_is_not(stage):
    """the loader of an instance_info does not tell what files a host has"""
    info = _nothing(stage, "running")

    def said(loader):
        answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                       instance_info=dict(info, loader=loader))
        return [(each["result"], each["hint"], each["message"].replace(loader, "LOADER"))
                for each in answer["checks"] if each["name"] == "firmware"]

    for there, not_there in (("/etc/hostname", "/etc/no-such-file"),
                             ("/root", "/no-such-folder/file"),
                             (IMAGES + "/../../../../etc/passwd", IMAGES + "/../../x/y"),
                             ("/usr/share/qemu/../../../etc/passwd", "/usr/share/qemu/../../x/y")):
        equal(said(there), said(not_there))
        equal([each[0] for each in said(there)], ["warn"])
    equal([each[0] for each in said("/usr/share/OVMF/no-such-file")], ["fail"])


EMULATED = ("<domain type='qemu'><name>x</name><uuid>%s</uuid><memory>65536</memory>"
            "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
            "<devices><emulator>%s</emulator></devices></domain>")


def emulator_of_a_stranger(stage):
    """libvirtd, which runs an emulator to ask what it can, is not handed a program of a user's"""
    info = _nothing(stage, "running")
    ran = IMAGES + "/ran"
    for owner, mode, name in ((65534, 0o755, "qemu-mine"), (0, 0o777, "qemu-open"),
                              (0, 0o755, "program")):
        path = IMAGES + "/" + name
        outer = stage.destination.path(path)
        with open(outer, "w", encoding="ascii") as program:
            program.write("#!/bin/sh\n: > %s\n" % ran)
        os.chmod(outer, mode)
        os.chown(outer, owner, 0)
        stage.defer(stage.remove, stage.destination, path)
        stage.defer(stage.remove, stage.destination, ran)
        answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                       instance_info=dict(info, emulator=path))
        equal([each["result"] for each in answer["checks"] if each["name"] == "machine"], ["fail"])
        for document in ("domain_xml", "persistent_xml"):
            stage.controller.call("kvm02", "check_can_live_migrate_destination", instance_info=dict(
                info, **{document: EMULATED % (info["uuid"], path)}))
        check(not os.path.exists(stage.destination.path(ran)), "%s was run" % name)


def files_that_nobody_named(stage):
    """prepare_file tells nothing of, and makes nothing at, a path that the preparation has not"""
    guest = _lying(stage)
    secret = IMAGES + "/secret.img"
    images.create(secret, MIB, "raw", inside=stage.destination)
    stage.defer(stage.remove, stage.destination, secret)
    migration_id = _prepared(stage, guest)["migration_id"]
    for path, kinds in ((secret, ("base", "medium", "image", "seed")),
                        (IMAGES + "/new.img", ("base", "image")), ("/etc/hostname", ("base",)),
                        (guest.disks[0].path, ("base", "medium", "seed"))):
        for kind in kinds:
            stage.refuses("InvalidRequest", "kvm02", "prepare_file", migration_id=migration_id,
                          file={"kind": kind, "path": path, "format": "raw", "file_bytes": MIB,
                                "data_bytes": 0, "digest": DIGEST})
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=migration_id)


def preparations_of_nothing(stage):
    """preparations without disks, as many as come, keep no other migration out"""
    info = _nothing(stage, "shutoff")
    ids = []
    for count in range(3):
        ids.append(new_id())
        stage.controller.call("kvm02", "pre_live_migration", migration_id=ids[-1], source="kvm01",
                              instance_info=dict(info, uuid=str(uuid.uuid4()),
                                                 name="nothing%d" % count))
    guest = _lying(stage)
    stage.carry(guest)
    stage.remove(stage.source, guest.disks[0].path)
    for migration_id in ids:
        stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                              migration_id=migration_id)


CASES = (uris_of_another_host, uris_of_another_host_shut_off, volumes_of_the_order,
         talked_into_tcp, definition_of_a_stranger, mark_of_an_arrival, mode_of_a_base,
         firmware_that_is_or_is_not, emulator_of_a_stranger, files_that_nobody_named,
         preparations_of_nothing)
