"""What is told of a journey: numbered events without a gap, one end, progress that never falls."""

import json

import pika
import pika.exceptions

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id

SOURCE_EVENTS = ["migration.accepted", "migration.preparing", "migration.running",
                 "migration.phase", "migration.phase", "migration.post_migrating",
                 "migration.completed"]
FIELDS = {"migration_id", "seq", "role", "instance", "source", "destination", "status", "phase",
          "at", "progress", "error"}


def _numbered(stage, migration_id, host):
    return stage.recorder.events(migration_id, host=host, samples=False)


def _check_payload(event, guest, role):
    payload = event.payload
    terminal = payload["status"] in ("completed", "failed", "cancelled", "error", "rolled-back")
    equal(set(payload) - {"report"}, FIELDS, event.type)
    equal("report" in payload, terminal, event.type)
    equal(payload["instance"], {"name": guest.name, "uuid": guest.uuid})
    equal((payload["source"], payload["destination"], payload["role"]), ("kvm01", "kvm02", role))
    equal(event["routing_key"], "notifications." + event["priority"].lower())


def _tells(stage, host, migration_id, guest, words):
    """The host's log tells the story, in this order."""
    log = stage.agents[host].log()
    at = 0
    for word in words:
        line = "Migration '%s': '%s' is %s (kvm01 to kvm02)" % (migration_id, guest.name, word)
        check(log.find(line, at) >= 0, "the log of %s lacks %r:\n%s" % (host, line, log[-3000:]))
        at = log.find(line, at) + 1


def whole_journey(stage):
    """a journey: every event once, numbered, with the contract's fields; two agents, two rows"""
    guest = stage.counting(Disk("vda", GIB, data=24 * MIB), Disk("vdb", GIB, data=8 * MIB))
    migration_id = stage.carry(guest, bandwidth_mib_s=24).migration_id
    here, there = (_numbered(stage, migration_id, host) for host in ("kvm01", "kvm02"))
    equal([event.seq for event in here], list(range(1, len(here) + 1)))
    # A look may miss the switchover, which is over in a blink.
    missed = [event for event in here if event.payload["phase"] != "switchover"]
    equal([event.type for event in missed], SOURCE_EVENTS)
    equal([event.payload["phase"] for event in missed if event.type == "migration.phase"],
          ["disk", "memory"])
    equal([(event.type, event.seq) for event in there],
          [("migration.destination.preparing", 1), ("migration.destination.prepared", 2),
           ("migration.destination.completed", 3)])
    for event in here:
        _check_payload(event, guest, "source")
    for event in there:
        _check_payload(event, guest, "destination")
    moments = [event.payload["at"] for event in here]
    equal(moments, sorted(moments))
    check(all(moment.endswith("Z") and len(moment) == 27 for moment in moments), moments)
    stage.runs_on(guest, stage.destination)
    for host, words in (("kvm01", ("accepted", "being prepared", "on its way, phase 'memory'",
                                   "at its destination", "moved")),
                        ("kvm02", ("being prepared here", "prepared here", "arrived"))):
        _tells(stage, host, migration_id, guest, words)


def progress(stage):
    """samples: percent never falls, rising numbers, every disk counted, all there at the end"""
    guest = stage.counting(Disk("vda", GIB, data=24 * MIB), Disk("vdb", GIB, data=8 * MIB))
    end = stage.carry(guest, bandwidth_mib_s=24, progress_interval_s=0.1)
    samples = stage.recorder.events(end.migration_id, "migration.progress")
    check(len(samples) > 5, "%d samples" % len(samples))
    equal([event.payload["sample"] for event in samples], list(range(1, len(samples) + 1)))
    equal({event["priority"] for event in samples}, {"SAMPLE"})
    numbered = {event.seq for event in _numbered(stage, end.migration_id, "kvm01")}
    check({event.seq for event in samples} <= numbered, "a sample names an event there was not")
    for name in ("percent", "elapsed_ms"):
        row = [event.payload["progress"][name] for event in samples]
        equal(row, sorted(row), name)
    moving = [event.payload["progress"] for event in samples if event.payload["phase"] == "disk"]
    check(any(0 < each["percent"] < 80 for each in moving), "no sample of the disks on their way")
    for each in moving:
        equal(set(each["disk"]["disks"]), {"vda", "vdb"})
        for part in [each["disk"], *each["disk"]["disks"].values()]:
            equal(part["processed_bytes"] + part["remaining_bytes"], part["total_bytes"])
    last = end.payload["progress"]
    equal((last["percent"], last["eta_ms"], last["disk"]["remaining_bytes"]), (100, 0, 0))
    for name in ("throughput_bytes_s", "expected_downtime_ms", "throttle_percent"):
        check(name in last, name)
    stage.runs_on(guest, stage.destination)


def eta(stage):
    """samples come at their interval, and over the last half the time to go is not off by much"""
    guest = stage.guest(Disk("vda", GIB, data=48 * MIB), memory_mib=96)
    # An unpacked kernel would be most of its memory, and lie before all that is empty.
    guest.quick = False
    guest.create_images().start()
    guest.wait_number(3)
    end = stage.carry(guest, bandwidth_mib_s=16, progress_interval_s=0.1)
    heard = stage.recorder.events(end.migration_id, "migration.progress")
    pauses = sorted(after["heard"] - before["heard"] for before, after in zip(heard, heard[1:]))
    # One may be long on a machine that does other things too; a call that libvirt's client holds
    # up until the next keepalive message is not alone.
    check(len(pauses) > 10 and pauses[-2] < 1.5, "pauses: %s" % pauses[-4:])
    samples = [event.payload["progress"] for event in heard]
    whole = end.payload["progress"]["elapsed_ms"]
    check(all(each["eta_ms"] is None or each["eta_ms"] >= 0 for each in samples), "below 0")
    late = [(each["elapsed_ms"], each["eta_ms"]) for each in samples
            if each["elapsed_ms"] > whole / 2]
    check(late, "nothing was told late in the journey")
    # A third of its memory is empty, which nobody knows before it is looked at.
    for elapsed, left in late:
        check(left is not None and abs(elapsed + left - whole) < whole * 0.4,
              "at %d of %d ms %r ms were to go" % (elapsed, whole, left))
    stage.runs_on(guest, stage.destination)


def failure(stage):
    """a failure is told with priority error, its reason, and the destination's rollback"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = stage.migrate(guest, "kvm09")
    event = stage.end(migration_id, "failed", "DestinationUnreachable")
    equal((event["priority"], event["routing_key"]), ("ERROR", "notifications.error"))
    check({"code", "message", "hint", "details"} <= set(event.payload["error"]), event.payload)
    equal(event.payload["report"]["disks"] is not None, True)


def rollback_is_told(stage):
    """a journey that is given up: the destination tells of its rollback, before the source's end"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=2)
    stage.recorder.wait_phase("disk", migration_id)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    end = stage.end(migration_id, "cancelled")
    there = _numbered(stage, migration_id, "kvm02")
    equal([event.type for event in there],
          ["migration.destination.preparing", "migration.destination.prepared",
           "migration.destination.rolled_back"])
    check(there[-1].payload["at"] <= end.payload["at"], "the rollback came after the end")
    stage.rests_on(guest, stage.source)


def events_wait(stage):
    """events wait in the broker for a consumer that comes later; samples do not"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    with stage.channel() as channel:
        for name in ("notifications.info", "notifications.error"):
            channel.queue_purge(name)
    migration_id = stage.carry(guest).migration_id
    found = []
    with stage.channel() as channel:
        while True:
            method, _, body = channel.basic_get("notifications.info", auto_ack=True)
            if method is None:
                break
            found.append(json.loads(json.loads(body)["oslo.message"]))
        try:
            channel.queue_declare("notifications.sample", passive=True)
        except pika.exceptions.ChannelClosedByBroker as error:
            equal(error.reply_code, 404)
        else:
            raise AssertionError("somebody has declared a queue for samples")
    types = [event["event_type"] for event in found
             if event["payload"].get("migration_id") == migration_id]
    equal(types[0], "migration.accepted")
    check("migration.completed" in types and "migration.progress" not in types, types)


def agents_come_and_go(stage):
    """an agent tells when it comes and when it goes"""
    mark = stage.recorder.mark()
    stage.agents["kvm02"].restart()
    for kind in ("agent.stopped", "agent.started"):
        stage.recorder.wait_event(kind, host="kvm02", after=mark)


def record_is_the_same(stage):
    """get_migration and list_migrations tell what the events told"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = new_id()
    stage.controller.migrate(guest.name, "kvm01", "kvm02", migration_id=migration_id)
    end = stage.completed(migration_id)
    record = stage.controller.record("kvm01", migration_id)
    for name in ("status", "phase", "instance", "source", "destination", "error", "seq", "report"):
        equal(record[name], end.payload[name], name)
    listed = stage.controller.call("kvm01", "list_migrations", instance=guest.name)
    equal([each["migration_id"] for each in listed], [migration_id])
    equal(listed[0]["report"], record["report"])
    by_uuid = stage.controller.call("kvm02", "list_migrations", instance=guest.uuid)
    equal([each["role"] for each in by_uuid], ["destination"])
    stage.refuses("MigrationNotFound", "kvm01", "get_migration", migration_id=new_id())
    stage.refuses("MigrationNotFound", "kvm01", "get_migration", migration_id=migration_id,
                  role="destination")


CASES = (whole_journey, progress, eta, failure, rollback_is_told, events_wait, agents_come_and_go,
         record_is_the_same)
