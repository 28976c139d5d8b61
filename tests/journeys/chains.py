"""Overlays on base images: the chain arrives as it was, each base once, verified, read-only."""

import json
import os

from lab import images
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

import matrix
from stage import long


class Overlay(Disk):
    """An overlay whose header names its base as told: by its whole path, or as seen from here."""

    def __init__(self, target, base, capacity=GIB, data=0, relative=False):
        super().__init__(target, capacity, data=data, backing=base)
        self.relative = relative

    def create_image(self, host):
        self.backing.create_image(host)
        if os.path.exists(host.path(self.path)):
            return
        name = os.path.relpath(self.backing.path, os.path.dirname(self.path)) \
            if self.relative else self.backing.path
        host.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", name, "-F", self.backing.kind,
                 self.path, self.capacity)
        if self.data:
            images.fill(self.path, "qcow2", self.capacity, self.data, inside=host)

    def chain(self):
        """The overlay and all below it, top first."""
        found = [self]
        while found[-1].backing:
            found.append(found[-1].backing)
        return found


class Base(Disk):
    """A base of its own name, with data of its own."""

    def __init__(self, name, kind="qcow2", capacity=GIB, data=16 * MIB):
        super().__init__("base", capacity, kind, data=data, path="%s/%s" % (IMAGES, name))

    def name_image(self, stem):
        pass


def _names(disk, host):
    """What the headers of a chain say of the next."""
    return [(info.get("backing-filename"), info.get("backing-filename-format"))
            for info in (images.info(image.path, host) for image in disk.chain())]


def _forget_bases(stage, disk):
    for image in disk.chain()[1:]:
        for host in stage.hosts.values():
            stage.defer(stage.remove, host, image.path)


def _carry_and_compare(stage, disk, layout):
    """There, cold boot, and back: content, names and allocation of each image are the same."""
    _forget_bases(stage, disk)
    guest = stage.counting(disk)
    names = _names(disk, stage.source)
    before = {image.path: images.allocation(image.path, stage.source) for image in disk.chain()}
    stage.carry(guest, paused=True)
    equal(_names(disk, stage.destination), names, "names of backing files")
    for image in disk.chain():
        check(_same_content(stage, image), "%s: the copies differ" % image.path)
        allocated = images.allocation(image.path, stage.destination)
        check(allocated <= before[image.path] * 1.02 + 8 * MIB,
              "%s: %d of %d bytes are allocated" % (image.path, allocated, before[image.path]))
    for image in disk.chain()[1:]:
        equal(os.stat(stage.destination.path(image.path)).st_mode & 0o777, 0o444, image.path)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)
    _boot_cold(stage, guest)
    end = stage.carry(guest)
    _counts_on(guest, stage.source)
    check(all(file["present"] for file in end.payload["report"]["files"]), "a base came back")
    matrix.record(layout, moved=True, thin=True, chain=True, cold_boot=True)


def _same_content(stage, image):
    """Each host reads its own copy under the names that the headers have."""
    sums = [host.output("sh", "-c", "qemu-img convert -U -f %s -O raw %s /dev/stdout | sha256sum"
                        % (image.kind, image.path), timeout=120)
            for host in (stage.source, stage.destination)]
    return sums[0] == sums[1]


def _boot_cold(stage, guest):
    """Off and on again from the definition that arrived."""
    stage.destination.virsh("destroy", guest.name)
    stage.destination.virsh("start", guest.name)
    guest.wait_counting(3)


def _counts_on(guest, host):
    """As runs_on(), for a guest that was switched off between a write and its announcement."""
    guest.moved_to(host).wait_counting(3)
    equal(guest.hosts_running(), [host.name])
    found = guest.paused_complaints()
    equal([fault for fault in found if not fault.endswith("missing")], [])


def one_level(stage):
    """an overlay on a qcow2 base: there and back, the base is carried once and used at home"""
    _carry_and_compare(stage, Overlay("vda", Base("debian.qcow2"), data=8 * MIB),
                       "qcow2 overlay on a qcow2 base")


@long
def two_levels(stage):
    """two levels, named by their whole paths: an overlay on an overlay on a qcow2 base"""
    middle = Overlay("base", Base("debian.qcow2"), data=8 * MIB)
    middle.path = IMAGES + "/middle.qcow2"
    _carry_and_compare(stage, Overlay("vda", middle, data=8 * MIB), "two levels, qcow2 base")


@long
def three_levels(stage):
    """three levels, named relatively, the lowest one raw"""
    low = Base("low.raw", "raw")
    middle = Overlay("base", low, data=8 * MIB, relative=True)
    middle.path = IMAGES + "/middle.qcow2"
    top = Overlay("vda", middle, data=8 * MIB, relative=True)
    _carry_and_compare(stage, top, "three levels, relative names, raw base")


# A base that is there, and one that is another

def _sent(stage, host=None):
    return stage.lab.network.sent_bytes(host or stage.source, MIGRATION)


def _memory_sent(stage, guest):
    """What the transfer said of the memory that was no zeroes."""
    connection = stage.destination.connect()
    try:
        return connection.lookupByName(guest.name).jobStats(1 | 2).get("memory_normal_bytes", 0)
    finally:
        connection.close()


def base_is_there(stage):
    """the second instance of a base moves its overlay and memory, and no byte of the base"""
    base = Base("debian.qcow2", data=128 * MIB)
    first, second = Overlay("vda", base, data=MIB), Overlay("vda", base, data=32 * MIB)
    _forget_bases(stage, first)
    stage.carry(stage.still(first))
    guest = stage.counting(second)
    before, overlay = _sent(stage), images.allocation(second.path, stage.source)
    stage.carry(guest)
    sent = _sent(stage) - before
    wanted = images.allocation(second.path, stage.destination) + _memory_sent(stage, guest)
    check(sent <= 1.1 * max(wanted, overlay), "%d bytes were sent for %d" % (sent, wanted))
    stage.runs_on(guest, stage.destination)


def other_base_is_refused(stage):
    """a file of the same name and length with other content is refused and left alone"""
    base = Base("debian.qcow2")
    guest = stage.still(Overlay("vda", base, data=MIB))
    _forget_bases(stage, guest.disks[0])
    length = os.stat(stage.source.path(base.path)).st_size
    with open(stage.destination.path(base.path), "wb") as foreign:
        foreign.write(os.urandom(MIB))
        foreign.truncate(length)
    before = os.stat(stage.destination.path(base.path))
    error = stage.refused("DestinationDiskExists", guest)
    check(base.path in error["message"] and error["hint"], error)
    after = os.stat(stage.destination.path(base.path))
    equal((after.st_mtime_ns, after.st_ino), (before.st_mtime_ns, before.st_ino), "the file")


# Several at once, and faults

def _two_slots(stage):
    return stage.settings({name: {"DEFAULT": {"max_concurrent_live_migrations": "2"}}
                           for name in stage.hosts})


def _files_sent(stage, migration_id, at_least):
    """Waits until the step has sent so many bytes of files."""
    def reached():
        record = stage.controller.record("kvm01", migration_id)
        files = (record["progress"] or {}).get("files") or {}
        return files.get("processed_bytes", 0) >= at_least
    wait_until(reached, 60, "%s: %d bytes of files" % (migration_id, at_least))


def _move_two_of_one_base(stage, data):
    base = Base("big.raw", "raw", capacity=data + GIB, data=data)
    disks = [Overlay("vda", base, base.capacity, data=MIB) for _ in range(2)]
    _forget_bases(stage, disks[0])
    with _two_slots(stage):
        guests = [stage.still(disk) for disk in disks]
        before = _sent(stage)
        orders = [stage.migrate(guest) for guest in guests]
        ends = [stage.completed(order) for order in orders]
        for guest in guests:
            guest.moved_to(stage.destination)
    sent = _sent(stage) - before
    check(data <= sent < data * 1.2 + 64 * MIB, "%d MiB were sent" % (sent / MIB))
    present = sorted(end.payload["report"]["files"][0]["present"] for end in ends)
    equal(present, [False, True], "who brought it")


def at_the_same_time(stage):
    """two instances with one base that move at the same time: the base crosses once"""
    _move_two_of_one_base(stage, 384 * MIB)


@long
def two_gibibytes_once(stage):
    """two instances with one base of 2 GiB of data that move at the same time: it crosses once"""
    _move_two_of_one_base(stage, 2 * GIB)


def the_next_goes_on(stage):
    """the one that copies is aborted: the one that waits goes on with what is there"""
    base = Base("big.raw", "raw", capacity=2 * GIB, data=96 * MIB)
    disks = [Overlay("vda", base, 2 * GIB, data=MIB) for _ in range(2)]
    _forget_bases(stage, disks[0])
    with _two_slots(stage):
        first, second = [stage.still(disk) for disk in disks]
        before = _sent(stage)
        order = stage.migrate(first, bandwidth_mib_s=16)
        _files_sent(stage, order, 24 * MIB)
        other = stage.migrate(second)
        stage.recorder.wait_event("migration.destination.prepared", other)
        stage.controller.call("kvm01", "live_migration_abort", migration_id=order)
        stage.end(order, "cancelled")
        stage.completed(other)
        second.moved_to(stage.destination)
    sent = _sent(stage) - before
    check(sent < 96 * MIB * 1.25 + 16 * MIB, "%d MiB were sent" % (sent / MIB))


def aborted_while_it_is_brought(stage):
    """an abort while a base is brought leaves nothing"""
    guest = stage.still(Overlay("vda", Base("debian.qcow2", data=64 * MIB), data=MIB))
    stage.defer(stage.remove, stage.source, guest.disks[0].backing.path)
    with stage.unchanged():
        order = stage.migrate(guest, bandwidth_mib_s=4)
        _files_sent(stage, order, 4 * MIB)
        listed = stage.controller.record("kvm02", order)["migrate_data"]["files"]
        equal([(file["kind"], file["path"]) for file in listed],
              [("base", guest.disks[0].backing.path)])
        stage.controller.call("kvm01", "live_migration_abort", migration_id=order)
        stage.end(order, "cancelled")


def kept_for_others(stage):
    """a base that another instance arrived with stays when a journey is rolled back"""
    base = Base("debian.qcow2", data=8 * MIB)
    first, second = Overlay("vda", base, data=MIB), Overlay("vda", base, data=48 * MIB)
    _forget_bases(stage, first)
    arrived = stage.still(first)
    stage.carry(arrived)
    stage.destination.virsh("destroy", arrived.name)
    guest = stage.still(second)
    with stage.unchanged():
        order = stage.migrate(guest, bandwidth_mib_s=1)
        stage.recorder.wait_event("migration.running", order)
        stage.controller.call("kvm01", "live_migration_abort", migration_id=order)
        stage.end(order, "cancelled")
    stage.destination.virsh("start", arrived.name)


def _through(stage, fault):
    """A base of 96 MiB at 16 MiB/s, with a fault when a third has gone; the rest is sent, no more."""
    base = Base("debian.qcow2", data=96 * MIB)
    guest = stage.still(Overlay("vda", base, data=MIB))
    _forget_bases(stage, guest.disks[0])
    before = _sent(stage)
    order = stage.migrate(guest, bandwidth_mib_s=16)
    _files_sent(stage, order, 32 * MIB)
    fault()
    stage.completed(order)
    guest.moved_to(stage.destination)
    sent = _sent(stage) - before
    check(sent < 96 * MIB * 1.15 + 16 * MIB, "%d MiB were sent" % (sent / MIB))
    check(_same_content(stage, base), "the copies differ")


# source_agent_dies goes on with the same rest; the faults kill this one at the end of a base.
@long
def destination_agent_dies(stage):
    """the destination's agent is killed while a base is brought: the rest is sent, not the whole"""
    def fault():
        stage.agents["kvm02"].kill()
        stage.agents["kvm02"].start()
    _through(stage, fault)


# seeded_faults.source_libvirtd_in_seed loses a stream in the same way.
@long
def destination_libvirtd_dies(stage):
    """the destination's libvirtd is killed while a base is brought: the rest is sent"""
    def fault():
        stage.destination.kill_libvirtd()
        stage.destination.start_libvirtd()
        stage.destination.wait_libvirtd()
    _through(stage, fault)


def source_agent_dies(stage):
    """the source's agent is killed while it brings a base: the rest is sent"""
    def fault():
        stage.agents["kvm01"].kill()
        stage.agents["kvm01"].start()
    _through(stage, fault)


@long
def link_is_cut(stage):
    """the link is cut while a base is brought, for longer than outcome_timeout before it shows: the
    rest is sent"""
    def fault():
        stage.lab.network.cut("kvm01")
        stage.agents["kvm01"].wait_log("has not arrived in full, going on", 90)
        stage.lab.network.heal("kvm01")
    with stage.both(migration={"outcome_timeout": "5"}):
        _through(stage, fault)


# Without the chain, and chains that are not what they say

def flattened(stage):
    """flatten: one plain image with all that the chain held, and no base at the destination"""
    base = Base("debian.qcow2", data=24 * MIB)
    disk = Overlay("vda", base, data=8 * MIB)
    guest = stage.counting(disk)
    stage.defer(stage.remove, stage.source, base.path)
    stage.carry(guest, flatten=True, paused=True)
    equal(images.info(disk.path, stage.destination).get("backing-filename"), None)
    check(not os.path.exists(stage.destination.path(base.path)), "the base came along")
    check(_same_content(stage, disk), "the copies differ")
    allocated = images.allocation(disk.path, stage.destination)
    check(allocated <= 48 * MIB, "%d bytes are allocated" % allocated)
    stage.destination.virsh("resume", guest.name)
    stage.runs_on(guest, stage.destination)
    _boot_cold(stage, guest)
    matrix.record("qcow2 overlay, flattened by order", moved=True, thin=True, chain=False,
                  cold_boot=True)


def _write_name(host, path, name):
    """Gives the header of an image in use another backing name."""
    with open(host.path(path), "r+b") as image:
        offset = int.from_bytes(image.read(16)[8:], "big")
        image.seek(16)
        image.write(len(name).to_bytes(4, "big"))
        image.seek(offset)
        image.write(name.encode())


def headers_that_lie(stage):
    """a header that names a URL, json:, or another file than the one in use"""
    base = Base("debian.qcow2")
    disk = Overlay("vda", base, data=MIB)
    guest = stage.still(disk)
    stage.defer(stage.remove, stage.source, base.path)
    for name in ("nbd://192.0.2.9/disk", 'json:{"driver":"raw"}', "/etc/shadow"):
        _write_name(stage.source, disk.path, name)
        error = stage.refused("MigrationPreCheckError", guest)
        check("backing file" in error["message"] and name in error["message"], error["message"])
    _write_name(stage.source, disk.path, base.path)
    stage.defer(stage.remove, stage.destination, base.path)
    stage.carry(guest)


def descriptions_that_lie(stage):
    """the destination believes no description: other names, places outside, links that lead out"""
    base = Base("debian.qcow2")
    guest = stage.still(Overlay("vda", base, data=MIB))
    stage.defer(stage.remove, stage.source, base.path)
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    link = IMAGES + "/link.qcow2"
    os.symlink("/etc/passwd", stage.destination.path(link))
    stage.defer(stage.remove, stage.destination, link)
    for path, name, failed in ((base.path, "json:{}", "backing-chain"),
                               ("/etc/passwd", "/etc/passwd", "path"), (link, link, "path")):
        told = json.loads(json.dumps(info["instance_info"]))
        told["disks"][0]["layers"][0]["path"] = path
        told["disks"][0]["image"]["backing_name"] = name
        answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                       instance_info=told)
        found = [item["name"] for item in answer["checks"] if item["result"] == "fail"]
        check(failed in found, "%s: %s" % (path, found))


CASES = (one_level, two_levels, three_levels, base_is_there, other_base_is_refused,
         at_the_same_time, two_gibibytes_once, the_next_goes_on, aborted_while_it_is_brought,
         kept_for_others, destination_agent_dies, destination_libvirtd_dies, source_agent_dies,
         link_is_cut, flattened, headers_that_lie, descriptions_that_lie)
