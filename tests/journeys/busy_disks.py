"""Guests that write to their disks faster than a mirror in the background can follow, and links
that carry nothing."""

import time

from lab.deadline import wait_until
from lab.guest import Disk, Writes
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

from needs import mirrors_that_change, needs
from seeded import on_images, stayed
from stage import long, overlays, slow_link

# So many places of 64 KiB are written to, each a little, that the mirror goes round in circles.
SMALL = Writes(1, 400, random=True, mib=64)


def _busy(stage):
    return stage.counting(Disk("vda", GIB, data=16 * MIB), writes=SMALL)


def _wait_bytes(stage, migration_id):
    stage.recorder.wait(lambda event: event.migration_id == migration_id
                        and ((event.payload["progress"] or {}).get("disk") or {})
                        .get("processed_bytes", 0) > MIB, 30, "bytes of the disk")


def _writes(event):
    return event.payload["report"]["disk_writes"]


def goes_over(stage):
    """what does not catch up in the background is begun once more with synchronous writes; they are
    synchronous from the first byte on where it is ordered"""
    slow_link(stage, 160)
    guest = _busy(stage)
    migration_id = stage.migrate(guest)
    stalled = stage.recorder.wait_event("migration.stalled", migration_id, seconds=60)
    equal(stalled.payload["stalled"]["of"], "disk")
    equal(stalled.payload["stalled"]["action"], "synchronous-writes")
    writes = _writes(stage.completed(migration_id))
    equal((writes["mode"], writes["attempts"]), ("synchronous", 2))
    check(writes["switched_at"] and "switching" not in writes, writes)
    check(writes["synchronous_bytes_s"] < writes["background_bytes_s"], writes)
    stage.runs_on(guest, stage.destination)
    writes = _writes(stage.carry(guest, disk_writes="synchronous"))
    equal((writes["mode"], writes["attempts"]), ("synchronous", 1))
    check(writes["before_bytes_s"] > 0, writes)
    stage.runs_on(guest, stage.source)


@long
@needs(mirrors_that_change)
def goes_over_at_once(stage):
    """where QEMU's commands are permitted a running mirror is made synchronous, and nothing is
    copied twice"""
    slow_link(stage, 160)
    guest = _busy(stage)
    with stage.settings({"kvm01": {"migration": {"monitor_commands": "true"}}}):
        writes = _writes(stage.carry(guest))
    equal((writes["mode"], writes["attempts"]), ("synchronous", 1))
    check(writes["switched_at"] and "switching" not in writes, writes)
    stage.runs_on(guest, stage.destination)


@long
def known_link(stage):
    """a guest that writes what the link was seen to carry before begins with synchronous writes"""
    slow_link(stage, 160)
    first = _writes(stage.carry(stage.still(Disk("vda", GIB, data=120 * MIB))))
    equal(first["mode"], "background")
    check(12 * MIB < first["link_bytes_s"] < 24 * MIB, first)
    guest = stage.counting(Disk("vda", GIB, data=16 * MIB),
                           writes=Writes(256, 24 * 1024, mib=64))
    writes = _writes(stage.carry(guest))
    check(writes["before_bytes_s"] > 0.9 * first["link_bytes_s"], (first, writes))
    equal((writes["mode"], writes["attempts"]), ("synchronous", 1))
    stage.runs_on(guest, stage.destination)


def _heal(stage):
    """The cable is in again, and the hosts know it: the kernel takes up to a second."""
    stage.lab.network.heal("kvm01")
    wait_until(lambda: stage.source.run("bash", "-c", ": </dev/tcp/kvm02/16509",
                                        check=False).returncode == 0, 20, "a way to kvm02")


def _stalls(stage, comes_back):
    """No byte moves from some moment on; then the link comes back, or only when all is over."""
    slow_link(stage, 80)
    guest = stage.still(Disk("vda", GIB, data=32 * MIB))
    before = stage.picture()
    migration_id = stage.migrate(guest, disk_stall_timeout_s=3)
    _wait_bytes(stage, migration_id)
    stage.lab.network.cut("kvm01")
    stage.defer(stage.lab.network.heal, "kvm01")
    stalled = stage.recorder.wait_event("migration.stalled", migration_id)
    equal(stalled.payload["stalled"]["of"], "disk")
    if comes_back:
        stage.lab.network.heal("kvm01")
    error = stage.end(migration_id, "failed", "MigrationTimeout").payload["error"]
    _heal(stage)
    equal((error["details"]["reason"], error["details"]["of"]), ("disk-stalled", "disk"))
    check(error["details"]["copied_bytes"] > 0 and error["details"]["remaining_bytes"] > 0, error)
    equal(stage.picture(), before)
    stage.rests_on(guest, stage.source)
    stage.lab.network.unlimit(stage.source, MIGRATION)
    stage.carry(guest)
    stage.rests_on(guest, stage.destination)


def link_at_nothing(stage):
    """no byte moves: failed, disk-stalled; the guest is unharmed, and the next journey works"""
    _stalls(stage, comes_back=True)


@long
def link_stays_at_nothing(stage):
    """where QEMU's commands are permitted it ends while the link is still dead"""
    with stage.both(migration={"monitor_commands": "true"}):
        _stalls(stage, comes_back=False)


@long
def in_the_background_by_order(stage):
    """by order it stays in the background, until its time is over"""
    slow_link(stage, 80)
    guest = _busy(stage)
    migration_id = stage.migrate(guest, disk_writes="background", completion_timeout_s=40)
    writes = _writes(stage.end(migration_id, "failed", "MigrationTimeout"))
    equal((writes["mode"], writes["attempts"]), ("background", 1))
    stage.runs_on(guest, stage.source)


def _dies(stage, point, host="kvm01"):
    """An agent is killed where it goes over to the second attempt."""
    slow_link(stage, 80)
    guest = _busy(stage)
    agent = stage.agents[host]
    agent.stop()
    agent.start(environment={"VIRT_FERRY_FAULT_POINT": point})
    migration_id = stage.migrate(guest)
    agent.wait_end(60)
    agent.start()
    writes = _writes(stage.completed(migration_id))
    equal((writes["mode"], writes["attempts"]), ("synchronous", 2))
    stage.runs_on(guest, stage.destination)


@long
def dies_before_it_ends_the_first(stage):
    """the agent dies before it ends the first attempt: the next one does, and begins the second"""
    _dies(stage, "second-attempt:begin")


@long
def dies_before_it_begins_the_second(stage):
    """the agent dies before it begins the second attempt: the next one begins it"""
    _dies(stage, "second-attempt:end")


# Few places beside much that rests: a seed of it costs the guest less than that its writes wait for
# the link as long as all of it is copied.
FEW = Writes(1, 400, random=True, mib=32)


def _seeded(event):
    return {disk["target"]: (disk["strategy"], disk["strategy_why"])
            for disk in event.payload["report"]["disks"]}


def _over_to_seeds(stage):
    slow_link(stage, 80)
    guest = stage.counting(Disk("vda", 2 * GIB, data=160 * MIB), writes=FEW)
    return guest, stage.migrate(guest)


def _arrives_seeded(stage, guest, event):
    strategy, why = _seeded(event)["vda"]
    writes = _writes(event)
    equal((strategy, writes["mode"], writes["attempts"]), ("seeded", "synchronous", 2))
    check("guest" in why and "seeds" not in writes and "switching" not in writes, (why, writes))
    stage.runs_on(guest, stage.destination)
    on_images(stage.destination, guest)


@long
def goes_over_to_seeds(stage):
    """where the guest writes to a small part of its disk, the second attempt seeds it; and back"""
    guest, migration_id = _over_to_seeds(stage)
    _arrives_seeded(stage, guest, stage.completed(migration_id))
    stage.lab.network.unlimit(stage.source, MIGRATION)
    stage.carry(guest)
    stage.runs_on(guest, stage.source)


@long
def dies_while_it_seeds(stage):
    """the agent dies in the middle of the second attempt's seed: the rest of it is sent"""
    guest, migration_id = _over_to_seeds(stage)
    stage.recorder.wait_event("migration.stalled", migration_id, seconds=60)
    stage.agents["kvm01"].wait_log("begins once more", 30)
    wait_until(lambda: overlays(stage.source, guest.disks[0]), 30, "the overlay")
    time.sleep(5)
    stage.agents["kvm01"].kill()
    stage.agents["kvm01"].start()
    event = stage.completed(migration_id)
    stage.agents["kvm01"].wait_log("the seed of disk 'vda' goes on", 1)
    _arrives_seeded(stage, guest, event)


@long
def agents_die_before_it_seeds(stage):
    """the destination's agent dies when it has made images for seeds, the source's when its guest
    writes to the overlay: what is to be sent is sent"""
    for name, point in (("kvm02", "renew:end"), ("kvm01", "overlay:end")):
        stage.agents[name].stop()
        stage.agents[name].start(environment={"VIRT_FERRY_FAULT_POINT": point})
    guest, migration_id = _over_to_seeds(stage)
    for name in ("kvm02", "kvm01"):
        stage.agents[name].wait_end(60)
        stage.agents[name].start()
    _arrives_seeded(stage, guest, stage.completed(migration_id))


@long
def aborted_while_it_seeds(stage):
    """an abort in the second attempt's seed: the guest is back on its image, nothing is left"""
    guest, migration_id = _over_to_seeds(stage)
    stage.recorder.wait_event("migration.stalled", migration_id, seconds=60)
    wait_until(lambda: overlays(stage.source, guest.disks[0]), 60, "the overlay")
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    stayed(stage, guest)


@long
def destination_dies_before_it_makes_images_anew(stage):
    """the destination's agent dies before it makes the images anew: it is asked again"""
    _dies(stage, "renew:begin", "kvm02")


@long
def destination_dies_when_it_made_images_anew(stage):
    """the destination's agent dies when it has made the images anew: it does so once more"""
    _dies(stage, "renew:end", "kvm02")


CASES = (goes_over, goes_over_at_once, known_link, goes_over_to_seeds, dies_while_it_seeds,
         agents_die_before_it_seeds, aborted_while_it_seeds, link_at_nothing, link_stays_at_nothing,
         in_the_background_by_order, dies_before_it_ends_the_first,
         dies_before_it_begins_the_second, destination_dies_before_it_makes_images_anew,
         destination_dies_when_it_made_images_anew)
