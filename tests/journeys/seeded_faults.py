"""Seeds that are disturbed: whoever dies, the guest is on its image, and nothing is sent twice.

Agents that die at their own steps are in tests/faults. Here, too, some are held or die at fault
points: they have to be built with --enable-fault-points.
"""

import contextlib
import os
import signal
import time

from lab import images
from lab.controller import RemoteError
from lab.counting import Layout
from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

from seeded import no_overlays, on_images, overlays, sparse, stayed
from stage import holding, long, wait_status


def _dying(stage, name, point):
    """The agent of that host dies at its next visit to this place."""
    stage.agents[name].stop()
    stage.agents[name].start(environment={"VIRT_FERRY_FAULT_POINT": point})


def _arrived(stage, guest):
    stage.runs_on(guest, stage.destination)
    on_images(stage.destination, guest)


def _held(stage):
    return holding(stage, "merge:begin")


@long
def libvirtd_before_the_merge(stage):
    """libvirtd on the destination dies between arrival and commit: it is committed when it is back"""
    guest = stage.counting(sparse(16 * MIB))
    with _held(stage) as held:
        migration_id = stage.migrate(guest)
        held.wait()
        stage.destination.kill_libvirtd()
    stage.destination.restart_libvirtd()
    stage.completed(migration_id)
    _arrived(stage, guest)


@long
def libvirtd_in_the_merge(stage):
    """libvirtd on the destination dies in the middle of the commit, which goes on in QEMU"""
    guest = stage.counting(sparse(16 * MIB))
    with _held(stage) as held:
        migration_id = stage.migrate(guest)
        held.wait()
        stage.destination.virsh("blockcommit", guest.name, "vda", "--active")
        stage.destination.kill_libvirtd()
    stage.destination.restart_libvirtd()
    stage.completed(migration_id)
    _arrived(stage, guest)


@long
def merge_that_lasts(stage):
    """a commit that lasts: the destination's answer is to ask again, and the source does"""
    guest = stage.counting(sparse(48 * MIB), interval_ms=20,
                           layout=Layout(slots=512, stride=2 * MIB))
    with _held(stage) as held:
        migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
        held.wait()
        # Writes of the guest come in faster than this takes them over.
        stage.destination.virsh("blockcommit", guest.name, "vda", "--active", "--bandwidth", "1")
    try:
        stage.controller.call("kvm02", "post_live_migration_at_destination", timeout=60,
                              migration_id=migration_id)
    except RemoteError as error:
        equal((error.code, error.details.get("retry")), ("MigrationError", True))
    else:
        raise AssertionError("the commit was over at once")
    equal(stage.controller.record("kvm01", migration_id)["status"], "post-migrating")
    stage.destination.virsh("blockjob", guest.name, "vda", "--bandwidth", "0")
    stage.completed(migration_id)
    _arrived(stage, guest)


def merge_that_stands_still(stage):
    """a commit that gets no further is not asked for without end: error, and what is to be done;
    once it goes on the journey is resolved"""
    with stage.settings({"kvm01": {"migration": {"outcome_timeout": "5"}}}):
        guest = stage.counting(sparse(16 * MIB))
        with _held(stage) as held:
            migration_id = stage.migrate(guest)
            held.wait()
            stage.destination.virsh("blockcommit", guest.name, "vda", "--active", "--bytes",
                                    "--bandwidth", "1")
        error = stage.end(migration_id, "error", "MigrationError").payload["error"]
        check("kvm02" in error["message"] and "vda" in error["message"], error["message"])
        check("blockjob" in error["hint"] and "resolve" in error["hint"], error["hint"])
        stage.destination.virsh("blockjob", guest.name, "vda", "--bandwidth", "0")
        wait_status(stage, "kvm01", migration_id, "completed", 60)
        _arrived(stage, guest)


# In the middle of the seed; whoever began anew would send half of it again.

DATA = 64 * MIB
LIMIT_MIB_S = 12


def _in_seed(stage, migration_id, part=0.0):
    stage.recorder.wait(lambda event: event.migration_id == migration_id
                        and event.type == "migration.progress"
                        and part < _sent(event) < 1, 60, "a part of the seed")


def _sent(event):
    disk = event.payload["progress"]["disk"]
    return disk["processed_bytes"] / (disk["total_bytes"] or 1)


def _interrupted(stage, interrupt, disk=None, **options):
    """A journey whose seed is interrupted half-way; it completes, and what was there is not sent
    again."""
    guest = stage.counting(disk or sparse(DATA))
    sent = stage.lab.network.sent_bytes(stage.source, MIGRATION)
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S, **options)
    _in_seed(stage, migration_id, 0.5)
    interrupt()
    event = stage.completed(migration_id)
    sent = stage.lab.network.sent_bytes(stage.source, MIGRATION) - sent
    seed = _file_bytes_sent(stage, sent, event)
    check(seed < DATA * 1.3, "%d MiB of %d were sent" % (seed / MIB, DATA / MIB))
    _arrived(stage, guest)


def _file_bytes_sent(stage, sent, event):
    """What went over the link without the memory."""
    connection = stage.destination.connect()
    try:
        domain = connection.lookupByName(event.payload["instance"]["name"])
        memory = domain.jobStats(1 | 2).get("memory_normal_bytes", 0)
    finally:
        connection.close()
    return sent - memory


def source_agent_in_seed(stage):
    """the source's agent dies in the middle of the seed: the rest is sent, not the whole"""
    def interrupt():
        stage.agents["kvm01"].kill()
        stage.agents["kvm01"].start()
    _interrupted(stage, interrupt)


@long
def source_agent_in_qcow2_seed(stage):
    """the same of a qcow2 image, whose file is shorter than what its guest sees"""
    def interrupt():
        stage.agents["kvm01"].kill()
        stage.agents["kvm01"].start()
    _interrupted(stage, interrupt, Disk("vda", 20 * GIB, data=DATA), storage_strategy="seeded")


@long
def destination_agent_in_seed(stage):
    """the destination's agent dies in the middle of the seed, which goes on without it"""
    def interrupt():
        stage.agents["kvm02"].kill()
        stage.agents["kvm02"].start()
    _interrupted(stage, interrupt)


@long
def destination_libvirtd_in_seed(stage):
    """libvirtd on the destination dies in the middle of the seed: the rest is sent"""
    def interrupt():
        stage.destination.kill_libvirtd()
        stage.destination.restart_libvirtd()
    _interrupted(stage, interrupt)


def source_libvirtd_in_seed(stage):
    """libvirtd on the source dies in the middle of the seed: the rest is sent"""
    def interrupt():
        stage.source.kill_libvirtd()
        stage.source.restart_libvirtd()
    _interrupted(stage, interrupt)


@long
def link_in_seed(stage):
    """the link is cut for a while in the middle of the seed: the rest is sent"""
    def interrupt():
        stage.lab.network.cut("kvm01")
        stage.agents["kvm01"].wait_log("the seed of disk 'vda' waits", 60)
        stage.lab.network.heal("kvm01")
    _interrupted(stage, interrupt)


# A libvirtd that stands still: its connection is lost after half a minute, and another one is neither
# made nor refused.

@contextlib.contextmanager
def _standing_still(stage, migration_id):
    """libvirtd on the destination stands still as long as the block lasts, which is entered when the
    source tries to connect again."""
    _in_seed(stage, migration_id)
    stage.destination.libvirtd.signal(signal.SIGSTOP)
    try:
        stage.agents["kvm01"].wait_log(
            "Migration '%s': the seed of disk 'vda' waits" % migration_id, 60)
        time.sleep(3)
        yield
    finally:
        stage.destination.libvirtd.signal(signal.SIGCONT)


@long
def destination_libvirtd_stands_still(stage):
    """libvirtd on the destination stands still in the seed for a while: the rest is sent"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    with _standing_still(stage, migration_id):
        pass
    stage.completed(migration_id)
    _arrived(stage, guest)


@long
def destination_libvirtd_stands_still_for_a_moment(stage):
    """for less than it takes to lose its connection: the seed is not interrupted"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    stage.destination.libvirtd.signal(signal.SIGSTOP)
    try:
        time.sleep(20)
    finally:
        stage.destination.libvirtd.signal(signal.SIGCONT)
    stage.completed(migration_id)
    check("the seed of disk 'vda' waits" not in stage.agents["kvm01"].log().split(migration_id)[-1],
          "the seed was interrupted")
    _arrived(stage, guest)


@long
def abort_while_it_stands_still(stage):
    """an abort while it does: the guest is back on its image at once, the rest is undone when it
    goes on"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    with _standing_still(stage, migration_id):
        stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
        wait_until(lambda: not overlays(stage.source, guest.disks[0]), 10, "the end of the overlay")
        on_images(stage.source, guest)
    stage.end(migration_id, "cancelled")
    stayed(stage, guest)


# What does not go on

@long
def destination_libvirtd_is_lost(stage):
    """libvirtd on the destination stands still in the seed for good: the journey fails, the guest is
    back on its image"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    with _standing_still(stage, migration_id):
        wait_until(lambda: not overlays(stage.source, guest.disks[0]), 60, "the end of the overlay")
        on_images(stage.source, guest)
    stage.end(migration_id, "failed", "HypervisorUnavailable")
    stayed(stage, guest)


@long
def link_is_lost(stage):
    """the link stays cut in the seed: the journey fails, the guest is back on its image"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    stage.lab.network.cut("kvm01")
    try:
        stage.end(migration_id, "failed", "HypervisorUnavailable")
    finally:
        stage.lab.network.heal("kvm01")
    stayed(stage, guest)


def destination_is_full(stage):
    """the destination's file system is full in the seed: the journey fails, nothing is left"""
    stage.limit_images(144 * MIB)
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    stage.destination.run("fallocate", "-l", "%d" % (90 * MIB), "/var/lib/libvirt/images/filler")
    stage.end(migration_id, "failed", "InsufficientStorage")
    stage.destination.virsh("list")
    stage.destination.run("rm", "/var/lib/libvirt/images/filler")
    stayed(stage, guest)


def guest_dies_in_seed(stage):
    """QEMU is killed on the source in the seed: what it wrote last is committed without it"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    guest.wait_counting(3)
    stage.source.kill_qemu(guest.name)
    stage.end(migration_id, "failed", "InstanceInvalidState")
    equal(guest.state(stage.source), "shut off")
    no_overlays(stage.source, guest)
    equal(stage.destination.images(), [])
    stage.source.virsh("start", guest.name)
    stayed(stage, guest)


def guest_is_shut_down_in_thaw(stage):
    """the guest ends between an abort and its undoing: its overlay is committed all the same"""
    guest = stage.counting(sparse())
    _dying(stage, "kvm01", "thaw:begin")
    migration_id = stage.migrate(guest, bandwidth_mib_s=4)
    _in_seed(stage, migration_id)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.agents["kvm01"].wait_end(30)
    stage.source.virsh("destroy", guest.name)
    stage.agents["kvm01"].start()
    stage.end(migration_id, "cancelled")
    no_overlays(stage.source, guest)
    stage.source.virsh("start", guest.name)
    stayed(stage, guest)


@long
def guest_is_saved_in_seed(stage):
    """libvirt saves the guest in the seed: error; once it runs again the journey is resolved"""
    guest = stage.counting(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    stage.source.virsh("managedsave", guest.name)
    event = stage.end(migration_id, "error", "MigrationError")
    check("saved" in event.payload["error"]["message"], event.payload["error"])
    equal(len(overlays(stage.source, guest.disks[0])), 1)
    stage.source.virsh("start", guest.name)
    wait_status(stage, "kvm01", migration_id, "failed", 60)
    stayed(stage, guest)


@long
def qemu_hangs_at_the_snapshot(stage):
    """QEMU hangs as the snapshot is made: an abort is heard; once QEMU is back all is undone"""
    guest = stage.counting(sparse(16 * MIB))
    with holding(stage, "overlay:begin", "kvm01") as held:
        migration_id = stage.migrate(guest)
        held.wait()
        [pid] = stage.source.qemu_pids()
        os.kill(pid, signal.SIGSTOP)
    try:
        stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
        # Nobody knows whether the snapshot will stand: nothing is taken away meanwhile.
        event = stage.end(migration_id, "error", "HypervisorUnavailable")
        check("overlays are left" in event.payload["error"]["message"], event.payload["error"])
    finally:
        os.kill(pid, signal.SIGCONT)
    stage.controller.call("kvm01", "resolve_migration", migration_id=migration_id, timeout=60)
    wait_status(stage, "kvm01", migration_id, "failed", 60)
    no_overlays(stage.source, guest)
    stayed(stage, guest)


@long
def overlay_of_nobody(stage):
    """a transient guest dies in the seed: its overlay is kept, and the error says so"""
    guest = stage.guest(sparse(DATA)).create_images().start(persistent=False)
    guest.wait_number(3)
    migration_id = stage.migrate(guest, bandwidth_mib_s=LIMIT_MIB_S)
    _in_seed(stage, migration_id)
    stage.source.kill_qemu(guest.name)
    event = stage.end(migration_id, "error", "MigrationError")
    left = overlays(stage.source, guest.disks[0])
    equal(len(left), 1)
    check(left[0] in event.payload["error"]["message"]
          and "qemu-img commit" in event.payload["error"]["hint"], event.payload["error"])
    wait_status(stage, "kvm02", migration_id, "rolled-back")
    check(images.allocation(left[0], stage.source) > 0, "the overlay is empty")


CASES = (libvirtd_before_the_merge, libvirtd_in_the_merge, merge_that_lasts, merge_that_stands_still,
         source_agent_in_seed, source_agent_in_qcow2_seed, destination_agent_in_seed, destination_libvirtd_in_seed,
         source_libvirtd_in_seed, link_in_seed, destination_libvirtd_stands_still,
         destination_libvirtd_stands_still_for_a_moment, abort_while_it_stands_still,
         destination_libvirtd_is_lost, link_is_lost, destination_is_full,
         guest_dies_in_seed, guest_is_shut_down_in_thaw, guest_is_saved_in_seed, qemu_hangs_at_the_snapshot,
         overlay_of_nobody)
