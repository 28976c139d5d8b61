"""The command virt-ferry against real agents: what it prints, and how it exits."""

import json
import signal

from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id, wait_status

DONE, FAILED, USAGE, CANCELLED, NO_ANSWER = range(5)
WAY = ("--from", "kvm01", "--to", "kvm02")


def _run(stage, status, *words, **options):
    """Runs it; it has to exit so."""
    done = stage.controller.command(*words, **options)
    equal(done.returncode, status, "%s:\n%s\n%s" % (" ".join(words), done.stdout, done.stderr))
    return done


def _list(stage, *words):
    """The records of earlier cases may name hosts that there are not: it says so, and exits so."""
    done = stage.controller.command("list", *words)
    equal(done.returncode, NO_ANSWER if "does not answer" in done.stderr else DONE, done.stderr)
    return done


def _documents(text):
    return [json.loads(line) for line in text.splitlines()]


def hosts(stage):
    """hosts: every agent that answers, as a table and as JSON"""
    done = _run(stage, DONE, "hosts")
    equal(sorted(line.split()[0] for line in done.stdout.splitlines()[1:]), ["kvm01", "kvm02"])
    found = json.loads(_run(stage, DONE, "--json", "hosts").stdout)
    equal(sorted(host["host"] for host in found), ["kvm01", "kvm02"])
    check(all(host["pools"][0]["available_bytes"] > 0 for host in found), found)
    stage.agents["kvm02"].stop()
    try:
        done = _run(stage, DONE, "hosts")
        equal([line.split()[0] for line in done.stdout.splitlines()[1:]], ["kvm01"])
    finally:
        stage.agents["kvm02"].start()


def check_fine(stage):
    """check of one that can move: 0, nothing moves, nothing is made"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    with stage.unchanged():
        done = _run(stage, DONE, "check", guest.name, *WAY, "--verbose")
        check("disk-exists" in done.stdout and "kvm02" in done.stdout, done.stdout)
        check(done.stdout.splitlines()[-1].startswith(guest.name + " can move"), done.stdout)
        brief = _run(stage, DONE, "check", guest.name, "--to", "kvm02")
        check(brief.stdout.splitlines()[-1].startswith(guest.name + " can move"), brief.stdout)
        document = json.loads(_run(stage, DONE, "check", guest.name, *WAY, "--json").stdout)
    equal(document["compatible"], True)


def check_not_fine(stage):
    """check of one that cannot: 1, and everything in the way is named"""
    guest = stage.still(Disk("vda", GIB, data=MIB), Disk("vdb", MIB, "raw", shareable=True))
    guest.disks[0].create_empty(stage.destination)
    with stage.unchanged():
        done = _run(stage, FAILED, "check", guest.name, *WAY)
        first = [line.split()[:3] for line in done.stdout.splitlines()[1:]
                 if line.startswith("fail")]
        equal(first, [["fail", "kvm01", "shareable-disk"], ["fail", "kvm02", "disk-exists"]])
        _run(stage, FAILED, "check", "nobody", *WAY)


def migrate(stage):
    """migrate: 0, lines for each step, a report at the end"""
    guest = stage.counting(Disk("vda", GIB, data=16 * MIB))
    done = _run(stage, DONE, "migrate", guest.name, *WAY)
    for word in ("accepted", "completed: '%s' from kvm01 to kvm02" % guest.name, "vda", "transfer",
                 "downtime"):
        check(word in done.stdout, "%r is missing:\n%s" % (word, done.stdout))
    check("\033" not in done.stdout and "\r" not in done.stdout, "escapes where is no terminal")
    equal(done.stderr, "")
    stage.runs_on(guest, stage.destination)


def migrate_json(stage):
    """migrate --json: a document a line: the order, the events, the outcome"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = new_id()
    done = _run(stage, DONE, "migrate", guest.name, *WAY, "--json", "--id", migration_id)
    documents = _documents(done.stdout)
    kinds = [next(iter(document)) for document in documents]
    # The first event may be heard before the answer to the order.
    equal((kinds.count("order"), kinds.count("outcome"), kinds[-1]), (1, 1, "outcome"))
    check("event" in kinds, kinds)
    equal(documents[kinds.index("order")]["order"]["migration_id"], migration_id)
    equal(documents[-1]["outcome"]["status"], "completed")
    again = _run(stage, DONE, "migrate", guest.name, *WAY, "--json", "--id", migration_id)
    equal(_documents(again.stdout)[-1]["outcome"]["status"], "completed")


def migrate_with_options(stage):
    """migrate with options: they arrive; one that the agent does not have is wrong usage"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    for words in (("--storage-strategy", "magic"), ("-o", "colour=1"), ("--post-copy",),
                  ("--source-disks", "eat"), ("-o", "flatten=1")):
        done = _run(stage, USAGE, "migrate", guest.name, *WAY, *words)
        check("InvalidRequest" in done.stderr, done.stderr)
    _run(stage, DONE, "migrate", guest.name, *WAY, "--transient", "--paused", "--source-disks",
         "delete", "--bandwidth", "50", "--disks", "vda", "-o", "tls=false")
    equal(stage.destination.virsh("list", "--all", "--transient", "--name"), guest.name)
    equal(stage.source.images(), [])


def migrate_fails(stage):
    """migrate that fails: 1, with the code, the reason and the hint"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    guest.disks[0].create_empty(stage.destination)
    with stage.unchanged():
        done = _run(stage, FAILED, "migrate", guest.name, *WAY)
        check("DestinationDiskExists" in done.stdout and "hint" in done.stdout, done.stdout)
        outcome = _documents(_run(stage, FAILED, "--json", "migrate", guest.name, *WAY).stdout)[-1]
        equal(outcome["outcome"]["error"]["code"], "DestinationDiskExists")
        done = _run(stage, FAILED, "migrate", "nobody", *WAY)
        check("InstanceNotFound" in done.stderr, done.stderr)


def usage(stage):
    """wrong usage is 2"""
    for words in ((), ("ferry",), ("migrate",), ("migrate", "vm"), ("migrate", "vm", "--from", "a"),
                  ("migrate", "vm", *WAY, "more"), ("migrate", "vm", *WAY, "--bandwidth", "fast"),
                  ("migrate", "vm", *WAY, "--id", "5"), ("show",), ("abort",), ("hosts", "all"),
                  ("--transport-url", "http://x", "hosts"), ("hosts", "--colour")):
        _run(stage, USAGE, *words)


def no_answer(stage):
    """no agent of that name, or no broker, is 4"""
    guest = stage.still(Disk("vda", GIB))
    _run(stage, NO_ANSWER, "migrate", guest.name, "--from", "kvm09", "--to", "kvm02")
    _run(stage, NO_ANSWER, "check", guest.name, "--from", "kvm01", "--to", "kvm09")
    _run(stage, NO_ANSWER, "show", new_id(), "--host", "kvm09")
    _run(stage, NO_ANSWER, "--timeout", "1", "--transport-url",
         "rabbit://guest:guest@198.51.100.1:5699/", "hosts")
    _run(stage, NO_ANSWER, "--timeout", "1", "--transport-url",
         "rabbit://guest:wrong@198.51.100.1:5672/", "hosts")


def abort(stage):
    """abort ends a journey: the one who follows it exits 3"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    migration_id = new_id()
    log = stage.source.directory + "/follow.log"
    follower = stage.controller.spawn_command("migrate", guest.name, *WAY, "--id", migration_id,
                                              "--bandwidth", "2", log_path=log)
    stage.recorder.wait_phase("disk", migration_id)
    done = _run(stage, DONE, "show", migration_id, "--host", "kvm01")
    check("running" in done.stdout and "disk" in done.stdout, done.stdout)
    _run(stage, DONE, "abort", migration_id, "--host", "kvm01")
    equal(follower.wait(60), CANCELLED, follower.log())
    check("cancelled" in follower.log(), follower.log())
    stage.end(migration_id, "cancelled")
    _run(stage, FAILED, "abort", migration_id, "--host", "kvm01")
    _run(stage, FAILED, "abort", new_id(), "--host", "kvm01")
    _run(stage, FAILED, "force-complete", migration_id, "--host", "kvm01")
    stage.rests_on(guest, stage.source)


def detached(stage):
    """migrate --detach leaves at once; list and show find the migration"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = new_id()
    _run(stage, DONE, "migrate", guest.name, *WAY, "--detach", "--id", migration_id)
    stage.completed(migration_id)
    done = _list(stage, "--instance", guest.name)
    equal([line.split()[0] for line in done.stdout.splitlines()[1:]], [migration_id] * 2)
    listed = json.loads(_list(stage, "--host", "kvm02", "--limit", "1", "--json").stdout)
    equal([(each["migration_id"], each["role"]) for each in listed],
          [(migration_id, "destination")])
    shown = _run(stage, DONE, "show", migration_id).stdout
    for word in (guest.uuid, "source", "destination", "completed", "confirm", "vda"):
        check(word in shown, "%r is missing:\n%s" % (word, shown))
    failed = _list(stage, "--status", "failed", "--instance", guest.name, "--json")
    equal(json.loads(failed.stdout), [])
    _run(stage, FAILED, "show", new_id())


def watch(stage):
    """watch shows events as they come, until it is interrupted"""
    logs = [stage.source.directory + name for name in ("/watch.log", "/watch-json.log")]
    watchers = [stage.controller.spawn_command("watch", log_path=logs[0]),
                stage.controller.spawn_command("--json", "watch", "--host", "kvm02", "--no-progress",
                                               log_path=logs[1])]
    for watcher in watchers:
        wait_until(lambda one=watcher: "watching" in one.log(), 20, "a watcher that watches")
    guest = stage.still(Disk("vda", GIB, data=MIB))
    migration_id = stage.carry(guest).migration_id
    wait_status(stage, "kvm02", migration_id, "completed")
    wait_until(lambda: "migration.completed" in watchers[0].log(), 20, "the end in the watch")
    wait_until(lambda: "migration.destination.completed" in watchers[1].log(), 20,
               "the destination's end in the watch")
    for watcher in watchers:
        watcher.signal(signal.SIGINT)
        equal(watcher.wait(10), DONE)
    lines = [line for line in watchers[1].log().splitlines() if line.startswith("{")]
    equal([json.loads(line)["event_type"] for line in lines],
          ["migration.destination." + word for word in ("preparing", "prepared", "completed")])


CASES = (hosts, check_fine, check_not_fine, migrate, migrate_json, migrate_with_options,
         migrate_fails, usage, no_answer, abort, detached, watch)
