"""Guests that change their memory as fast as the link carries it, or faster: they arrive as their
policy says, or the migration ends with a reason, and the guest is unharmed."""

import time

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.deadline import wait_until
from lab.network import MIGRATION
from lab.tap import check, equal

from stage import long, slow_link
from tuning import tune

# A downtime that is measured may be longer by so much than the one that was allowed.
TOLERANCE = 1.3
# As short as tests can bear.
WINDOW_S = 8
SHORT_WINDOW_S = 5
LINK_MBIT_S = 160


def _busy(stage, mib_s, mib=32, **options):
    """A guest that writes to its memory; of its disk there is next to nothing to move."""
    return stage.counting(Disk("vda", GIB, data=MIB), dirty_mib=mib, dirty_mib_s=mib_s, **options)


def _window(seconds=WINDOW_S, **libvirt):
    return {"migration": {"memory_window": str(seconds)}, "libvirt": libvirt}


def _progress(stage, migration_id, host="kvm01"):
    return stage.controller.record(host, migration_id)["progress"] or {}


def _wait_iteration(stage, migration_id, iteration):
    wait_until(lambda: _progress(stage, migration_id).get("memory", {}).get("iteration", 0)
               >= iteration, 90, "iteration %d of %s" % (iteration, migration_id))


def _stalls(stage, migration_id):
    return [event.payload["stalled"] for event in stage.recorder.events(migration_id)
            if event.type == "migration.stalled"]


def _arrived(stage, guest, migration_id, allowed_ms):
    """Completed within the allowed pause, and nothing that it wrote is missing."""
    event = stage.recorder.wait_terminal(migration_id, 150)
    equal(event.type, "migration.completed", "end (%s)" % (event.payload["error"],))
    equal(stage.recorder.complaints(migration_id), [])
    to = next(host for host in stage.hosts.values() if host.name != guest.host.name)
    stage.runs_on(guest, to)
    downtime_ms = event.payload["report"]["downtime_ms"]
    check(downtime_ms <= allowed_ms * TOLERANCE,
          "%s ms of downtime, allowed %d" % (downtime_ms, allowed_ms))
    return event


def _not_converging(stage, guest, migration_id):
    """Failed, as it should, and the guest goes on; returns the error."""
    event = stage.recorder.wait_terminal(migration_id, 150)
    error = event.payload["error"]
    equal((event.type, error and error["code"]), ("migration.failed", "MigrationTimeout"),
          "end (%s)" % (error,))
    equal(error["details"]["reason"], "not-converging")
    for rate in ("writes_bytes_s", "link_bytes_s", "needed_pause_ms"):
        check(error["details"][rate] > 0, "%s of %r" % (rate, error))
    equal(stage.recorder.complaints(migration_id), [])
    stage.runs_on(guest, guest.host)
    equal(stage.destination.images(), [])
    return error


def _longest_gap(stage, guest, migration_id):
    """How long the guest was silent at most until the migration ended, in seconds."""
    last, since, longest = guest.number(), time.monotonic(), 0
    while not stage.recorder.events(migration_id, predicate=lambda event: event.type in
                                    ("migration.completed", "migration.failed")):
        number = max(guest.number(host) for host in stage.hosts.values())
        now = time.monotonic()
        if number != last:
            last, since = number, now
        longest = max(longest, now - since)
        time.sleep(0.1)
    return longest


def policies(stage):
    """twice what the link carries: not-converging; another policy, given while it runs and with it
    the whole link, brings it over"""
    slow_link(stage, LINK_MBIT_S)
    with stage.settings({"kvm01": _window(SHORT_WINDOW_S)}):
        guest = _busy(stage, 40, mib=24)
        migration_id = stage.migrate(guest)
        error = _not_converging(stage, guest, migration_id)
        check("suspend-if-needed" in error["hint"], "hint %r" % error["hint"])
        stalls = _stalls(stage, migration_id)
        equal([(stall["of"], stall["action"]) for stall in stalls], [("memory", "fail")])
        check(stalls[0]["since"] and stalls[0]["link_bytes_s"] > 0, "stall %r" % stalls)
        migration_id = stage.migrate(guest, bandwidth_mib_s=2, downtime_ms=20)
        stage.recorder.wait_phase("memory", migration_id)
        tune(stage, migration_id, bandwidth_mib_s=0, downtime_ms=900, policy="suspend-if-needed")
        _arrived(stage, guest, migration_id, 5000)
    equal([stall["action"] for stall in _stalls(stage, migration_id)], ["pause"])


@long
def more_is_allowed(stage):
    """an order that allows more than the policy's steps gets it once they did not do"""
    guest = _busy(stage, 100)
    begun = time.monotonic()
    migration_id = stage.migrate(guest, bandwidth_mib_s=24, downtime_ms=4000)
    _arrived(stage, guest, migration_id, 4000)
    check(time.monotonic() - begun < 60, "it took %d s" % (time.monotonic() - begun))


@long
def post_copy_at_the_end(stage):
    """twice what the link carries, and post-copy where the policy ends in it"""
    slow_link(stage, LINK_MBIT_S)
    with stage.both(**_window(live_migration_permit_post_copy="true")):
        guest = _busy(stage, 40)
        migration_id = stage.migrate(guest, policy="post-copy")
        _arrived(stage, guest, migration_id, 5000)
    check("post-copy" in [event.payload["phase"] for event in
                          stage.recorder.events(migration_id)], "there was no post-copy")


@long
def memory_budget(stage):
    """memory that has had its time ends so, and says which budget it was"""
    guest = _busy(stage, 100)
    migration_id = stage.migrate(guest, bandwidth_mib_s=16, memory_timeout_s=6)
    error = stage.end(migration_id, "failed", "MigrationTimeout").payload["error"]
    equal(error["details"]["budget"], "memory")
    check(error["details"]["link_bytes_s"] > 0, "rates of %r" % error)
    stage.runs_on(guest, stage.source)


@long
def deadline_in_the_disk_phase(stage):
    """a deadline that forces does not pause the guest while its disks move"""
    guest = stage.counting(Disk("vda", GIB, data=64 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=8, completion_timeout_s=2,
                                 timeout_action="force_complete")
    gap = _longest_gap(stage, guest, migration_id)
    stage.completed(migration_id)
    stage.runs_on(guest, stage.destination)
    check(gap < 3, "the guest was silent for %.1f s" % gap)
    phases = [event.payload["phase"] for event in stage.recorder.events(migration_id)
              if event.type == "migration.phase"]
    equal(phases[:2], ["disk", "memory"])


@long
def pace(stage):
    """a guest that keeps pace with the link, by each policy that may pause it"""
    slow_link(stage, LINK_MBIT_S)
    with stage.both(**_window()):
        guest = _busy(stage, 19)
        _arrived(stage, guest, stage.migrate(guest, policy="suspend-if-needed"), 5000)
        _arrived(stage, guest, stage.migrate(guest, "kvm01", policy="very-large", downtime_ms=1500),
                 5000)
        _arrived(stage, guest, stage.migrate(guest, policy="fixed", downtime_ms=3000), 3000)


@long
def bursts(stage):
    """one that rests for two of ten seconds is switched over while it does"""
    slow_link(stage, LINK_MBIT_S)
    guest = _busy(stage, 38, mib=64, command_line="ferry.dirty_rest_ms=2000")
    migration_id = stage.migrate(guest, downtime_ms=900)
    event = stage.recorder.wait_terminal(migration_id, 150)
    if event.type == "migration.failed":
        _not_converging(stage, guest, migration_id)
    else:
        _arrived(stage, guest, migration_id, 900)


@long
def link_drops(stage):
    """a link that drops to a tenth for 30 s is no stall: nothing is done in that time"""
    slow_link(stage, LINK_MBIT_S)
    with stage.both(**_window(20)):
        guest = _busy(stage, 9, mib=64)
        migration_id = stage.migrate(guest, policy="suspend-if-needed")
        stage.recorder.wait_phase("memory", migration_id)
        stage.lab.network.limit(stage.source, LINK_MBIT_S / 10, MIGRATION)
        time.sleep(30)
        equal(_stalls(stage, migration_id), [])
        equal(stage.controller.record("kvm01", migration_id)["phase"], "memory")
        stage.lab.network.limit(stage.source, LINK_MBIT_S, MIGRATION)
        _arrived(stage, guest, migration_id, 500)
    equal(_stalls(stage, migration_id), [])


@long
def link_is_ill(stage):
    """post-copy is not begun while the link carries next to nothing; it is when it has healed"""
    slow_link(stage, LINK_MBIT_S)
    # So long a window that it has not been seen when the link falls ill.
    with stage.both(**_window(240, live_migration_permit_post_copy="true")):
        guest = _busy(stage, 40)
        migration_id = stage.migrate(guest, policy="post-copy")
        _wait_iteration(stage, migration_id, 3)
        stage.lab.network.limit(stage.source, LINK_MBIT_S / 100, MIGRATION)
        time.sleep(30)
        equal(stage.controller.record("kvm01", migration_id)["phase"], "memory")
        stage.lab.network.limit(stage.source, LINK_MBIT_S, MIGRATION)
        _arrived(stage, guest, migration_id, 5000)


@long
def agent_dies(stage):
    """an agent that comes back begins its window anew, and ends what does not converge"""
    slow_link(stage, LINK_MBIT_S)
    with stage.both(**_window()):
        guest = _busy(stage, 40)
        migration_id = stage.migrate(guest)
        _wait_iteration(stage, migration_id, 3)
        stage.agents["kvm01"].kill()
        time.sleep(WINDOW_S)
        begun = time.monotonic()
        stage.agents["kvm01"].start()
        _not_converging(stage, guest, migration_id)
        check(time.monotonic() - begun >= WINDOW_S, "it did not get a window of its own")


CASES = (policies, more_is_allowed, post_copy_at_the_end, memory_budget,
         deadline_in_the_disk_phase, pace, bursts, link_drops, link_is_ill, agent_dies)
