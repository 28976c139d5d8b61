"""An instance_info of a stranger: whatever it names, nothing is opened, made or waited for that
should not be, and what is wrong is said by name."""

import copy
import os
import struct
import time

from lab import images
from lab.controller import RemoteError
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id
from unopened import unopened

OUTSIDE = "/var/lib/libvirt/elsewhere"
SECRET = OUTSIDE + "/secret.img"
# What an answer may take, whatever was asked.
SECONDS = 3


def _secret(stage):
    """A file outside the allowed paths of the destination."""
    images.create(SECRET, MIB, "raw", inside=stage.destination)
    stage.defer(stage.remove, stage.destination, OUTSIDE)
    stage.defer(stage.remove, stage.destination, SECRET)


def _create_outside(stage):
    os.makedirs(stage.destination.path(OUTSIDE), exist_ok=True)
    _secret(stage)


def _info(stage, *disks):
    """A true instance_info, to be made false."""
    guest = stage.still(*(disks or [Disk("vda", GIB, data=MIB)]))
    for disk in guest.disks:
        if disk.backing:
            stage.defer(stage.remove, stage.source, disk.backing.path)
    return stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]


def _refused(stage, info, *names, **options):
    """Both the check and the order refuse it, at once, by one of these names."""
    begun = time.monotonic()
    with stage.unchanged(stage.destination):
        try:
            answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                           instance_info=info, options=options)
            failed = {each["name"] for each in answer["checks"] if each["result"] == "fail"}
        except RemoteError as error:
            failed = {error.code}
            check(error.message, "nothing said: %r" % error)
        check(failed & set(names), "%s: refused by %s" % (names, failed))
        try:
            stage.controller.call("kvm02", "pre_live_migration", migration_id=new_id(),
                                  instance_info=info, options=options)
        except RemoteError:
            pass
        else:
            raise AssertionError("prepared: %r" % info)
    took = time.monotonic() - begun
    check(took < SECONDS, "%.1f s" % took)
    stage.controller.call("kvm02", "ping")


def _with_source(info, source):
    info = copy.deepcopy(info)
    info["disks"][0]["source"] = source
    return info


PATHS_OUT = (
    SECRET, "/etc/hostname", "/", "relative.img", "../elsewhere/secret.img",
    IMAGES + "/../elsewhere/secret.img", IMAGES + "/./../elsewhere/./secret.img",
    "//var//lib/libvirt/images/..//elsewhere/secret.img", IMAGES + "x/disk", "/proc/self/root" +
    SECRET, "/dev/null", "nbd://192.0.2.1/x", "json:{\"driver\":\"file\"}", "fat:rw:/etc",
    "http://192.0.2.1/x.img", IMAGES + "/a\nb", IMAGES + "/a\x7f", IMAGES + "/" + 5000 * "x", "")


def paths_that_lead_out(stage):
    """images that would lie outside the allowed paths, in every spelling"""
    _create_outside(stage)
    info = _info(stage)
    with unopened(stage.destination, SECRET):
        for path in PATHS_OUT:
            _refused(stage, _with_source(info, path), "path", "InvalidRequest")


def links_that_lead_out(stage):
    """symbolic links in an allowed path: to a folder, to a file, to nothing, to themselves"""
    _create_outside(stage)
    info = _info(stage)
    for name, target in (("folder", OUTSIDE), ("file", SECRET), ("nothing", "/no/where"),
                         ("self", IMAGES + "/self")):
        stage.destination.run("ln", "-s", target, IMAGES + "/" + name)
        stage.defer(stage.remove, stage.destination, IMAGES + "/" + name)
    with unopened(stage.destination, SECRET):
        for path in ("/folder/secret.img", "/folder/new.img", "/file", "/nothing", "/self",
                     "/self/new.img", "/folder/../../elsewhere/secret.img"):
            _refused(stage, _with_source(info, IMAGES + path), "path")
    equal(os.listdir(stage.destination.path(OUTSIDE)), ["secret.img"])


def things_that_are_no_files(stage):
    """a pipe, a device, a folder, a socket in the image's place: nobody waits for them"""
    info = _info(stage)
    for name, command in (("pipe", ("mkfifo",)), ("folder", ("mkdir",))):
        path = "%s/%s" % (IMAGES, name)
        stage.destination.run(*command, path)
        stage.defer(stage.remove, stage.destination, path)
        _refused(stage, _with_source(info, path), "disk-exists")
    device = IMAGES + "/device"
    stage.destination.run("mknod", device, "c", "1", "5")
    stage.defer(stage.remove, stage.destination, device)
    _refused(stage, _with_source(info, device), "disk-exists")
    _refused(stage, _with_source(info, IMAGES), "disk-exists", "path")


def _with_base(info, path, **values):
    info = copy.deepcopy(info)
    disk = info["disks"][0]
    disk["backing_chain"] = [path]
    disk["layers"][0].update(path=path, **values)
    return info


def bases_that_lead_out(stage):
    """backing files outside the allowed paths, by links, by URL, by json:, as pipes"""
    _create_outside(stage)
    info = _info(stage, Disk("vda", GIB, backing=Disk("base", GIB, data=MIB)))
    equal(len(info["disks"][0]["layers"]), 1)
    stage.destination.run("ln", "-s", SECRET, IMAGES + "/file")
    stage.defer(stage.remove, stage.destination, IMAGES + "/file")
    stage.destination.run("mkfifo", IMAGES + "/pipe")
    stage.defer(stage.remove, stage.destination, IMAGES + "/pipe")
    with unopened(stage.destination, SECRET):
        for path in PATHS_OUT + (IMAGES + "/file",):
            _refused(stage, _with_base(info, path), "path", "InvalidRequest", "layout",
                     "backing-chain")
        _refused(stage, _with_base(info, IMAGES + "/pipe"), "disk-exists", "base-exists",
                 "file-exists", "backing-file")


def chains_that_loop(stage):
    """a chain that comes back to itself, and one without end"""
    info = _info(stage, Disk("vda", GIB, backing=Disk("base", GIB, data=MIB)))
    disk = info["disks"][0]
    layer = disk["layers"][0]
    path = layer["path"]
    layer["path"] = None
    _refused(stage, info, "InvalidRequest", "backing-chain", "path")
    layer["path"] = path
    for chain in ([layer, layer], [dict(layer, path=disk["source"])], [layer] * 400):
        looping = copy.deepcopy(info)
        looping["disks"][0]["layers"] = copy.deepcopy(chain)
        looping["disks"][0]["backing_chain"] = [each["path"] for each in chain]
        _refused(stage, looping, "InvalidRequest", "backing-chain", "layout", "disk-exists",
                 "duplicate-file")


XML = """<?xml version="1.0"?><!DOCTYPE d [%s]>
<domain type="kvm"><name>%s</name><uuid>%s</uuid><memory>1</memory><devices/></domain>"""
BOMB = ('<!ENTITY a "aaaaaaaaaa">' + "".join(
    '<!ENTITY %s "%s">' % (chr(98 + i), "&%s;" % chr(97 + i) * 10) for i in range(12)))


def firmware_of_strangers(stage):
    """firmware and its variables at paths that are not theirs"""
    _create_outside(stage)
    info = _info(stage)
    stage.destination.run("ln", "-s", SECRET, IMAGES + "/link")
    stage.defer(stage.remove, stage.destination, IMAGES + "/link")
    with unopened(stage.destination, SECRET):
        for path in (SECRET, IMAGES + "/../elsewhere/secret.img", "relative", IMAGES + "/link"):
            _refused(stage, dict(info, loader=SECRET, nvram=path), "nvram", "path", "firmware",
                     "InvalidRequest")


def documents_of_strangers(stage):
    """domain_xml with entities, without end, or that is none"""
    _create_outside(stage)
    info = _info(stage)
    with unopened(stage.destination, SECRET):
        for text in (XML % ('<!ENTITY x SYSTEM "file://%s">' % SECRET, "&x;", info["uuid"]),
                     XML % (BOMB, "&m;", info["uuid"]), "<domain>" * 100000, "<network/>", "x",
                     "<domain type='kvm'>" + "<a>" * 5000 + "</a>" * 5000 + "</domain>x"):
            for document in ("domain_xml", "persistent_xml"):
                _refused(stage, dict(info, **{document: text}), "domain-xml", "InvalidRequest")


def sizes_that_lie(stage):
    """sizes below nothing and beyond everything, and types that are others"""
    info = _info(stage)
    _refused(stage, dict(info, memory_bytes=1 << 61), "memory")
    for values in ({"capacity_bytes": -1}, {"capacity_bytes": 1 << 63}, {"capacity_bytes": "1"},
                   {"allocation_bytes": -5}, {"target": None}, {"target": "../x"}, {"format": 5},
                   {"image": {"cluster_size_bytes": 0}}, {"source": ["x"]}, {"migrate": "yes"}):
        wrong = copy.deepcopy(info)
        wrong["disks"][0].update(values)
        _refused(stage, wrong, "InvalidRequest")
    for values in ({"capacity_bytes": 0}, {"format": "vmdk"}, {"type": "block"}, {"source": None},
                   {"source": None, "migrate": False, "carry": True}):
        wrong = copy.deepcopy(info)
        wrong["disks"][0].update(values)
        _refused(stage, wrong, "layout", "InvalidRequest")
    wrong = copy.deepcopy(info)
    wrong["disks"][0].update(capacity_bytes=1 << 62, allocation_bytes=1 << 62)
    _refused(stage, wrong, "space")
    wrong["disks"] = [dict(wrong["disks"][0], target="vd%d" % i, source="%s/%d" % (IMAGES, i))
                      for i in range(200)]
    _refused(stage, wrong, "space")
    for values in ({"name": "../../x"}, {"name": ""}, {"uuid": "x"}, {"disks": {}},
                   {"disks": [info["disks"][0]] * 300}, {"vcpus": -1}):
        _refused(stage, dict(info, **values), "InvalidRequest")


# Images of strangers: what a header says is compared, and nothing that it names is opened.

HEADERS = (
    # Its virtual size; a backing file; a data file (an incompatible feature); clusters of 2^60;
    # a table that lies beyond all files; another magic.
    (((24, struct.pack(">Q", 5 * GIB)),), {"image-size", "image-header"}),
    (((8, struct.pack(">QI", 400, len(SECRET))), (400, SECRET.encode())), {"backing-chain"}),
    (((8, struct.pack(">QI", 400, 22)), (400, b'json:{"driver":"file"}')), {"backing-chain"}),
    (((72, struct.pack(">Q", 4)),), {"data-file"}),
    (((20, struct.pack(">I", 60)),), {"image-header"}),
    (((0, b"QFI\xfa"),), {"image-header"}),
    (((8, struct.pack(">QI", 1 << 63, 1023)),), {"image-header", "backing-chain"}),
    (((60, struct.pack(">I", 70000)),), {"image-header", "internal-snapshots"}),
)


def headers_that_lie(stage):
    """qcow2 headers that lie about sizes and backing files, under an instance that runs"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    with open(stage.source.path(guest.disks[0].path), "r+b", buffering=0) as image:
        true = image.read(65536)
        try:
            for patches, names in HEADERS:
                for offset, content in patches:
                    os.pwrite(image.fileno(), content, offset)
                answer = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                               instance=guest.name)
                failed = {each["name"] for each in answer["checks"] if each["result"] == "fail"}
                check(failed & names, "%s: refused by %s" % (names, failed))
                os.pwrite(image.fileno(), true, 0)
        finally:
            os.pwrite(image.fileno(), true, 0)
    answer = stage.controller.call("kvm01", "check_can_live_migrate_source", instance=guest.name)
    equal(answer["compatible"], True)


CASES = (headers_that_lie, paths_that_lead_out, links_that_lead_out, things_that_are_no_files,
         bases_that_lead_out, chains_that_loop, firmware_of_strangers, documents_of_strangers,
         sizes_that_lie)
