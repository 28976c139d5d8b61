"""What was tried and held: lies of a destination, secrets, leaks, contradicting orders."""

import contextlib
import hashlib
import json
import os
import random
import sqlite3
import time
import urllib.parse

import pika

from lab.controller import RemoteError
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

from stage import definition, long, new_id

LIAR = "kvm03"
CHECK = "check_can_live_migrate_destination"
PORTS = "open_migration_ports"
PREPARE = "pre_live_migration"
ROLL_BACK = "rollback_live_migration_at_destination"
MISSING = object()
LONG = "x" * MIB
DEEP = json.loads("[" * 20 + "]" * 20)
# An answer that has it is none.
TOO_DEEP = json.loads("[" * 900 + "]" * 900)

# A lie is put over the truth: objects key by key, into each entry of a list where it is an object.
LIES = (
    (CHECK, None), (CHECK, []), (CHECK, LONG), (CHECK, DEEP), (CHECK, TOO_DEEP),
    (CHECK, {"checks": MISSING}), (CHECK, {"checks": "pass"}), (CHECK, {"checks": DEEP}),
    (CHECK, {"checks": {"result": "perhaps"}}),
    (CHECK, {"checks": [{"name": "a", "result": "fail", "message": LONG}]}),
    (CHECK, {"dest_check_data": 1e300}), (CHECK, {"dest_check_data": DEEP}),
    (CHECK, {"dest_check_data": {"libvirt_version": [-1], "qemu_version": "9" * 1000}}),
    (PORTS, None), (PORTS, LONG), (PORTS, {"ports": DEEP, "range": 5, "why": LONG}),
    (PORTS, {"ports": {"port": 1 << 40, "token": [0]}, "for_ms": 1e300}),
    (PORTS, {"ports": {"port": 22, "token": "x"}, "for_ms": -(1 << 63)}),
    (PREPARE, None), (PREPARE, 5), (PREPARE, DEEP),
    (PREPARE, {"addresses": 5}), (PREPARE, {"addresses": {"192.0.2.11": ["exec:/bin/sh"]}}),
    (PREPARE, {"libvirt_uri": MISSING}), (PREPARE, {"libvirt_uri": {"a": 1}}),
    (PREPARE, {"libvirt_uri": LONG}), (PREPARE, {"libvirt_uri": "test:///default"}),
    (PREPARE, {"libvirt_uri": "qemu+ssh://root@kvm02/system?command=/bin/sh"}),
    (PREPARE, {"migrate_uri": MISSING}), (PREPARE, {"migrate_uri": "exec:/bin/sh"}),
    (PREPARE, {"migrate_uri": "tcp://192.0.2.1/x"}),
    (PREPARE, {"volumes": 5}), (PREPARE, {"volumes": [None]}), (PREPARE, {"volumes": DEEP}),
    (PREPARE, {"volumes": {"capacity_bytes": -1}}),
    (PREPARE, {"volumes": {"capacity_bytes": 1e300}}),
    (PREPARE, {"volumes": {"capacity_bytes": (1 << 63) - 1}}),
    (PREPARE, {"volumes": {"path": LONG}}), (PREPARE, {"volumes": {"path": "/no/where"}}),
    (PREPARE, {"volumes": {"path": IMAGES + "/../x"}}), (PREPARE, {"volumes": {"path": "a\nb"}}),
    (PREPARE, {"volumes": {"target": "vdz"}}), (PREPARE, {"volumes": {"created": "yes"}}),
    (PREPARE, {"migration_id": "6f1a2c3e-1111-4222-8333-444455556666"}),
    (PREPARE, {"host": "kvm02"}),
    (PREPARE, {"destination_xml": "<domain/>"}), (PREPARE, {"expires_at": [5]}),
    (ROLL_BACK, None), (ROLL_BACK, 5), (ROLL_BACK, {"kept": "all"}), (ROLL_BACK, {"removed": DEEP}),
)


def _mixed(truth, lie):
    if isinstance(truth, dict) and isinstance(lie, dict):
        mixed = {key: _mixed(truth.get(key), value) for key, value in lie.items()}
        return {key: value for key, value in {**truth, **mixed}.items() if value is not MISSING}
    if isinstance(truth, list) and isinstance(lie, dict):
        return [_mixed(each, lie) for each in truth]
    return lie


def _failure(code, message="no"):
    return {"failure": json.dumps({"class": code, "module": "virt_ferry.exception",
                                   "message": message, "args": [message], "kwargs": {}})}


class _Liar:
    """Answers in the place of the agent of LIAR, which is gone: the truth, but for one method."""

    def __init__(self, stage, guest):
        info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                     instance=guest.name)["instance_info"]
        migration_id = new_id()
        self.truth = {CHECK: stage.controller.call(LIAR, CHECK, instance_info=info),
                      PORTS: stage.controller.call(LIAR, PORTS)}
        self.truth[PREPARE] = stage.controller.call(LIAR, PREPARE, instance_info=info,
                                                    source="kvm01", migration_id=migration_id)
        self.truth[ROLL_BACK] = stage.controller.call(LIAR, ROLL_BACK, migration_id=migration_id)
        self.lie = None

    def answer(self, method, args):
        lying, lie = self.lie
        if method not in self.truth:
            return _failure("InstanceNotFound")
        if lying == method and isinstance(lie, dict) and "failure" in lie:
            return lie
        truth = dict(self.truth[method])
        if "migration_id" in truth:
            truth["migration_id"] = args["migration_id"]
        if lying == method:
            return {"result": _mixed(truth, lie)}
        # Who lies before does not get as far as a transfer, nor who lies about what was left.
        if method == PREPARE:
            return _failure("MigrationPreCheckError")
        return {"result": truth}


FAILURES = tuple((PREPARE, {"failure": each}) for each in (
    5, DEEP, LONG, "{}", "null", json.dumps({"class": ["no"], "kwargs": 5}),
    _failure("OfAnUnknownCode")["failure"], _failure("MigrationError", LONG)["failure"]))


def _elsewhere(stage):
    """The URIs of another host, which has prepared nothing."""
    address = stage.destination.addresses[MIGRATION]
    libvirt = {"libvirt_uri": "qemu+tcp://%s/system" % address}
    qemu = {"migrate_uri": "tcp://%s" % address}
    return tuple((PREPARE, lie) for lie in (libvirt, qemu, {**libvirt, **qemu}))


def _state(stage, guest):
    """The guest at its source, its image, and the agent there, which has to stay the same one."""
    agent = stage.agents["kvm01"]
    with open(stage.source.path(guest.disks[0].path), "rb") as image:
        return (guest.state(stage.source), definition(stage.source, guest.name),
                hashlib.sha256(image.read()).hexdigest(), agent.alive() and agent.process.pid)


def lying_destination(stage):
    """whatever a destination answers, the order fails, and the guest is where and what it was"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    liar = _Liar(stage, guest)
    before = _state(stage, guest)
    stage.agents[LIAR].kill()
    try:
        with stage.channel() as channel:
            channel.queue_delete("virt-ferry." + LIAR)
        with stage.unchanged(), stage.controller.responder(LIAR, liar.answer):
            for liar.lie in LIES + FAILURES + _elsewhere(stage):
                event = stage.recorder.wait_terminal(stage.migrate(guest, LIAR), 30)
                equal(event.type, "migration.failed", "%.200r" % (liar.lie,))
                equal(_state(stage, guest), before, "%.200r" % (liar.lie,))
    finally:
        stage.agents[LIAR].start()


# What no password has: nothing of it is changed by the encoding of a URL.
WORD = "Zwieback9917"
PASSWORD = WORD + "/@:%?#"


def _url(stage, password, port=None, scheme="rabbit"):
    own = urllib.parse.urlsplit(stage.controller.url)
    return "%s://ferry:%s@%s:%s/" % (scheme, urllib.parse.quote(password, safe=""), own.hostname,
                                     port or own.port)


def _processes_with(word):
    """Which command lines and environments of this machine have it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError), open("/proc/%s/%s" % (pid, name), "rb") as file:
                if word.encode() in file.read():
                    found.append("%s/%s" % (pid, name))
    return found


def _broker_user(stage):
    broker = stage.lab.broker
    broker.add_user("ferry", PASSWORD)
    stage.defer(broker.delete_user, "ferry")
    broker.set_permissions("ferry", "/", ".*", ".*", ".*")


def _set_url(stage, url):
    return stage.settings({"kvm01": {"DEFAULT": {"transport_url": url}}})


def no_password_told(stage):
    """the broker's password is in no log, process list, event, answer or journal"""
    agent = stage.agents["kvm01"]
    log = len(agent.log())
    _broker_user(stage)
    guest = stage.still(Disk("vda", GIB, data=MIB))
    with _set_url(stage, _url(stage, PASSWORD)):
        stage.recorder.wait_terminal(stage.migrate(guest, disks=["vdz"]))
        equal(_processes_with(WORD), [])
        told = [stage.controller.call("kvm01", "describe_host"),
                stage.controller.call("kvm01", "list_migrations"), stage.recorder.events()]
        check(WORD not in json.dumps(told), "told")
        agent.stop()
        for url, said in ((_url(stage, PASSWORD + "x"), "403"),
                          (_url(stage, PASSWORD, 1), "198.51.100.1:1: ")):
            before = len(agent.log())
            agent.configure({"DEFAULT": {"transport_url": url}}).start(wait=False)
            wait_until(lambda: said in agent.log()[before:], 10, said)
            equal(_processes_with(WORD), [])
            agent.kill()
        for url in (_url(stage, PASSWORD, "1x"), _url(stage, PASSWORD, scheme="amqp"),
                    _url(stage, PASSWORD).replace("@", "@[")):
            agent.configure({"DEFAULT": {"transport_url": url}})
            done = agent.check_config()
            check(done.returncode == 1 and "transport_url" in done.stderr, done)
            check(WORD not in done.stdout + done.stderr, done)
    check(len(agent.log()) > log and WORD not in agent.log()[log:], "in the log")
    for folder, _, names in os.walk(agent.state_path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                check(WORD.encode() not in file.read(), "in %s" % name)


ROUNDS = 30
SETTLED = 10
GROWTH_BYTES = 2 * MIB
# Of the journal, for each preparation.
# One record holds the definition, live and persistent: some 8 KiB here, which take three pages.
RECORD_BYTES = 3 * 4096 + 1024


def _resident(agent):
    with open("/proc/%d/status" % agent.process.pid, encoding="ascii") as status:
        return [int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:")][0]


def _journal_bytes(agent):
    """What the journal holds, its write-ahead log included."""
    path = os.path.join(agent.host.path(agent.state_path), "journal.db")
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True,
                                            timeout=10)) as database:
        return (database.execute("PRAGMA page_count").fetchone()[0]
                * database.execute("PRAGMA page_size").fetchone()[0])


def steady(stage):
    """30 preparations that are rolled back, and 30 refused orders, cost neither memory nor disk"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    agents = [stage.agents["kvm01"], stage.agents["kvm02"]]
    refused = 0
    for count in range(ROUNDS):
        if count == SETTLED:
            memory, journal = [_resident(agent) for agent in agents], _journal_bytes(agents[1])
        migration_id = new_id()
        stage.controller.call("kvm02", PREPARE, migration_id=migration_id, instance_info=info,
                              source="kvm01")
        stage.controller.call("kvm02", ROLL_BACK, migration_id=migration_id)
        with contextlib.suppress(RemoteError):
            refused += 1
            stage.migrate(guest, colour="red")
            refused -= 1
    equal(refused, ROUNDS)
    grown = [_resident(agent) - before for agent, before in zip(agents, memory)]
    check(max(grown) < GROWTH_BYTES, "grown by %r bytes" % grown)
    each = (_journal_bytes(agents[1]) - journal) / (ROUNDS - SETTLED)
    check(each < RECORD_BYTES, "%d bytes of journal for each" % each)


ORDERS = 300
FINAL = ("completed", "failed", "cancelled", "error", "rolled-back")


def _contradiction(pick, guest, ids):
    """One of the orders that do not go together: (host, method, arguments)."""
    host = pick.choice(("kvm01", "kvm02", "kvm03"))
    other = pick.choice(("kvm01", "kvm02", "kvm03"))
    migration_id = pick.choice(ids)
    journey = {"instance": guest.name, "host": other, "migration_id": migration_id}
    return host, *pick.choice((
        ("live_migration_abort", {"migration_id": migration_id}),
        ("live_migration_force_complete", {"migration_id": migration_id}),
        ("live_migration_set_parameters",
         {"migration_id": migration_id, "bandwidth_mib_s": pick.choice((0, 2, 9))}),
        ("live_migrate_instance", dict(journey, options={"bandwidth_mib_s": pick.choice((3, 5))})),
        ("live_migrate_instance", dict(journey, options={"paused": True, "downtime_ms": 1})),
        (ROLL_BACK, {"migration_id": migration_id}),
        ("post_live_migration_at_destination", {"migration_id": migration_id}),
        ("resolve_migration", {"migration_id": migration_id})))


def _is_over(stage, guest):
    return all(each["status"] in FINAL for host in stage.hosts
               for each in stage.controller.call(host, "list_migrations", instance=guest.name))


@long
def contradicting_orders(stage):
    """300 orders that contradict each other: the guest runs on one host and has lost nothing"""
    guest = stage.counting(Disk("vda", data=8 * MIB))
    pick = random.Random(9)
    ids = [new_id() for _ in range(8)]
    stage.migrate(guest, migration_id=ids[0], bandwidth_mib_s=3)
    with stage.channel() as channel:
        for _ in range(ORDERS):
            host, method, args = _contradiction(pick, guest, ids)
            channel.basic_publish("virt-ferry", "virt-ferry." + host,
                                  json.dumps({"method": method, "args": args}),
                                  pika.BasicProperties(content_type="application/json"))
            time.sleep(pick.choice((0, 0, 0.05)))
    wait_until(lambda: _is_over(stage, guest), 60, "the end of all")
    running = guest.hosts_running()
    equal(len(running), 1, "hosts %r" % running)
    stage.runs_on(guest, stage.hosts[running[0]])


CASES = (lying_destination, no_password_told, steady, contradicting_orders)
