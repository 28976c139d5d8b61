"""A message can only hurt itself: lengths, sizes, floods."""

import contextlib
import json
import os
import signal
import time
import uuid

import pika

from lab.controller import RemoteError
from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id

HOST = "kvm01"
OWN = "virt-ferry." + HOST
EXCHANGE = "virt-ferry"
FANOUT = "virt-ferry_fanout"
# How soon an agent that was attacked has to answer.
SECONDS = 5
# The unit has this as MemoryMax=.
MEMORY_BYTES = 64 * MIB


class Raw:
    """A connection to the broker for what no client of ours would send."""

    def __init__(self, stage):
        url = stage.controller.url
        with stage.controller.namespace.network():
            self.connection = pika.BlockingConnection(
                pika.URLParameters("amqp" + url[url.index("://"):]))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(pika.exceptions.AMQPError):
            self.connection.close()

    def send(self, body, exchange=EXCHANGE, key=OWN, **properties):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        self.channel.basic_publish(exchange, key, body, pika.BasicProperties(
            content_type="application/json", **properties))

    def everywhere(self, body):
        """To the agent's own queue, and to all agents."""
        self.send(body)
        self.send(body, FANOUT, "")

    def queue(self):
        return self.channel.queue_declare("", exclusive=True).method.queue

    def answers(self, queue, count, seconds=SECONDS):
        found = []
        end = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is None:
                self.connection.sleep(0.02)
            else:
                found.append((properties, json.loads(body)))
        return found


def oslo(method, args=None, **more):
    """An enveloped request."""
    inner = {"method": method, "args": args or {}, "version": "1.0",
             "_unique_id": uuid.uuid4().hex, **more}
    return {"oslo.version": "2.0", "oslo.message": json.dumps(inner)}


def serve_on(stage, *hosts):
    for host in hosts or stage.hosts:
        begun = time.monotonic()
        stage.controller.call(host, "ping", timeout=SECONDS)
        check(time.monotonic() - begun < SECONDS, "%s answers late" % host)


def addresses(stage):
    """answers that nobody could send: the queue's name, the id, 256 bytes and more"""
    with Raw(stage) as raw:
        for length in (256, 257, 1000, 100000):
            raw.everywhere(oslo("describe_host", _msg_id=uuid.uuid4().hex, _reply_q="q" * length))
            raw.everywhere(oslo("ping", _msg_id="m" * length, _reply_q="q"))
            raw.everywhere(oslo("nothing", _msg_id="m", _reply_q="\u2603" * length))
            raw.everywhere('{"_msg_id": "m", "_reply_q": "%s", "a": NaN}' % ("q" * length))
        serve_on(stage)
        queue = raw.queue()
        raw.send(oslo("ping", _msg_id="m" * 255, _reply_q=queue))
        equal(len(raw.answers(queue, 1)), 1, "the longest id")
    log = stage.agents[HOST].log()
    check("_reply_q has 256 bytes" in log, "nothing said")
    check("broken" not in log.lower() or "cannot be answered" in log, "said otherwise")


def hosts_of_orders(stage):
    """a destination whose queue could not have a name"""
    guest = stage.still()
    for length in (201, 244, 245, 256, 5000):
        stage.refuses("InvalidRequest", HOST, "live_migrate_instance", instance=guest.name,
                      host="h" * length, migration_id=new_id(), options={})
        with contextlib.suppress(RemoteError):
            answer = stage.controller.call(HOST, "check_can_live_migrate_source",
                                           instance=guest.name, host="h" * length)
            equal(answer["compatible"], False)
    serve_on(stage, HOST)
    migration_id = stage.migrate(guest)
    stage.completed(migration_id)


def channels_that_close(stage):
    """an answer at which the broker closes the channel costs the others a moment only"""
    with Raw(stage) as raw:
        queue = raw.queue()
        for name in ("amq.rabbitmq.reply-to.nobody", "amq.rabbitmq.reply-to",
                     "amq.rabbitmq.reply-to.g2dkABB0YWls.x"):
            raw.send(oslo("ping", _msg_id="m", _reply_q=name))
            raw.send({"method": "ping"}, reply_to=queue)
        equal(len(raw.answers(queue, 3, 20)), 3, "the others")
    serve_on(stage)


def long_names(stage):
    """orders with names of 65,000 bytes are refused by their length; nothing long is told again"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call(HOST, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    name = "p" * 65000
    log = len(stage.agents["kvm02"].log())
    for options in ({"pool_map": {"default": name}}, {"dest_name": name}, {name: 1}, {}):
        wrong = dict(info, disks=[dict(info["disks"][0], pool=name)]) if not options else info
        try:
            stage.controller.call("kvm02", "pre_live_migration", instance_info=wrong,
                                  options=options, migration_id=new_id())
        except RemoteError as error:
            check(len(error.message.encode()) <= 1024, "a message of %d" % len(error.message))
            check(len((error.hint or "").encode()) <= 1024, "a hint of %d" % len(error.hint or ""))
        else:
            raise AssertionError("prepared: %.80r" % options)
    for line in stage.agents["kvm02"].log()[log:].splitlines():
        check(len(line.encode()) < 1200, "a line of %d" % len(line))


def kept_is_understood(stage):
    """of an instance_info the journal keeps what was understood, and once"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call(HOST, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    migration_id = new_id()
    junk = "j" * (3 * MIB)
    stage.controller.call("kvm02", "pre_live_migration", migration_id=migration_id,
                          instance_info=dict(info, unknown=junk), options={})
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=migration_id)
    folder = stage.agents["kvm02"].state_path
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)
               if name.startswith("journal"))
    check(size < 3 * MIB + 3 * MIB, "a journal of %d bytes" % size)
    for name in os.listdir(folder):
        if name.startswith("journal"):
            with open(os.path.join(folder, name), "rb") as journal:
                check(b"jjjjjjjjjjjjjjjj" not in journal.read(), "kept in %s" % name)


def pages(stage):
    """a list comes in pages, newest first, with nothing twice and nothing left out"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call(HOST, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    made = []
    for _ in range(7):
        made.insert(0, new_id())
        stage.controller.call("kvm02", "pre_live_migration", migration_id=made[0],
                              instance_info=info, options={})
        stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                              migration_id=made[0])
    found, marker = [], {}
    while True:
        page = stage.controller.call("kvm02", "list_migrations", limit=3,
                                     instance=guest.name, **marker)
        if not page:
            break
        check(len(page) <= 3, "a page of %d" % len(page))
        check(all(each["migrate_data"] is None for each in page), "a large document")
        found += [each["migration_id"] for each in page]
        marker = {"marker": found[-1]}
    equal(found, made)


ARRAYS = b"[" + b"[]," * (1300 * 1000) + b"[]]"
OBJECTS = b'{"args": [' + b"{}," * (1300 * 1000) + b"{}]}"
DEEP = b'{"a":' * 200000 + b"1" + b"}" * 200000
NAME = b'{"method": "' + b"m" * (3900 * 1024) + b'", "args": {}}'
UNIQUE = b'{"method": "ping", "args": {}, "_unique_id": "%d' + b"u" * (3900 * 1024) + b'"}'
GARBAGE = os.urandom(8 * MIB)
TOO_LONG = b'{"method": "ping", "x": "' + b"x" * (16 * MIB) + b'"}'


def _hostile(index):
    """One body of the mixture."""
    turn = index % 7
    if turn == 4:
        return UNIQUE % index
    return (ARRAYS, OBJECTS, DEEP, NAME, None, GARBAGE, TOO_LONG)[turn]


@contextlib.contextmanager
def _limited(stage, bytes_):
    """The agent of HOST in a group of processes that may have so much memory, where this machine
    has such groups; yields a function that tells the most it had."""
    pid = stage.agents[HOST].process.pid
    group = None
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                        ("/sys/fs/cgroup", "memory.max")):
        if os.path.exists(os.path.join(root, "cgroup.procs")) and os.access(root, os.W_OK):
            group = os.path.join(root, "ferry-hostile-%d" % os.getpid())
            os.makedirs(group, exist_ok=True)
            if os.path.exists(os.path.join(group, limit)):
                break
            os.rmdir(group)
            group = None

    def write(folder, name, value):
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            out.write(str(value))

    def most():
        with open("/proc/%d/status" % pid, encoding="ascii") as status:
            return [int(line.split()[1]) * 1024 for line in status
                    if line.startswith("VmHWM:")][0]
    if group:
        write(group, limit, bytes_)
        write(group, "cgroup.procs", pid)
    try:
        yield most
    finally:
        if group:
            with contextlib.suppress(OSError):
                write(os.path.dirname(group), "cgroup.procs", pid)
            wait_until(lambda: _removed(group), 10, "the end of the group")


def _removed(group):
    with contextlib.suppress(OSError):
        os.rmdir(group)
    return not os.path.exists(group)


def _flood(stage, total):
    agent = stage.agents[HOST]
    pid = agent.process.pid
    log = len(agent.log())
    sent, index = 0, 0
    with _limited(stage, MEMORY_BYTES) as most, Raw(stage) as raw:
        while sent < total:
            body = _hostile(index)
            raw.send(body)
            raw.send(oslo("live_migrate_instance", {"instance": "n" * 5000, "host": "h"}))
            sent += len(body)
            index += 1
            if index % 20 == 0:
                serve_on(stage, HOST)
        wait_until(lambda: raw.channel.queue_declare(OWN, passive=True).method.message_count == 0,
                   60, "the end of the flood")
        serve_on(stage, HOST)
        check(most() <= MEMORY_BYTES, "it had %d bytes" % most())
    equal(agent.process.pid, pid, "the agent died")
    check(agent.alive(), "the agent died")
    check(len(agent.log()) - log < 400 * (2 * index + 50), "a long log")


def flood(stage):
    """1 GiB of hostile bodies within the memory of the unit; the agent serves on"""
    _flood(stage, GIB)


def waiting_while_libvirt_stands_still(stage):
    """80 requests of 500,000 bytes while libvirt does not answer wait at the broker"""
    agent = stage.agents[HOST]
    stage.source.libvirtd.signal(signal.SIGSTOP)
    try:
        with _limited(stage, MEMORY_BYTES) as most, Raw(stage) as raw:
            for _ in range(80):
                raw.send({"method": "describe_instance", "args": {"instance": "n"},
                          "x": "x" * 500000})
            serve_on(stage, HOST)
            check(most() <= MEMORY_BYTES, "it had %d bytes" % most())
    finally:
        stage.source.libvirtd.signal(signal.SIGCONT)
    wait_until(lambda: agent.alive(), 5, "the agent")
    with Raw(stage) as raw:
        wait_until(lambda: raw.channel.queue_declare(OWN, passive=True).method.message_count == 0,
                   60, "the end of the requests")
    serve_on(stage, HOST)


CASES = (addresses, hosts_of_orders, channels_that_close, long_names, kept_is_understood, pages,
         flood, waiting_while_libvirt_stands_still)
