"""QEMU's ports while others arrive: nobody but QEMU connects to one that QEMU may own."""

import concurrent.futures
import contextlib
import json
import threading
import time

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

# What QEMU gets of libvirt where nothing is set.
FIRST_PORT, LAST_PORT = 49152, 49215


def _look(stage, guest, to="kvm02"):
    return stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                 instance=guest.name, host=to)


def _ports(checks):
    return next(each for each in checks if each["name"] == "migration-ports")


@contextlib.contextmanager
def _again_and_again(*questions):
    """Each question is asked by itself, again and again, as long as the block lasts."""
    over = threading.Event()

    def ask(question):
        count = 0
        while not over.is_set():
            question()
            count += 1
        return count
    with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
        running = [pool.submit(ask, question) for question in questions]
        try:
            yield
        finally:
            over.set()
            counts = [each.result() for each in running]
    check(min(counts) > 2, "asked %s times" % counts)


def looks_beside_an_arrival(stage):
    """checks of one source and the questions of a second, in every phase of another's arrival"""
    asked = stage.still(Disk("vda", GIB, data=MIB))
    guest = stage.still(Disk("vda", GIB, data=24 * MIB), Disk("vdb", GIB, data=MIB))

    def ask_as_another():
        time.sleep(stage.controller.call("kvm02", "open_migration_ports")["for_ms"] / 4000)
    with _again_and_again(lambda: _look(stage, asked), lambda: _look(stage, asked),
                          ask_as_another):
        stage.completed(stage.migrate(guest, bandwidth_mib_s=16))
    equal(guest.state(stage.destination), "paused")


def a_swap(stage):
    """six instances change places at the same time, three each way, in four slots"""
    slots = {"DEFAULT": {"max_concurrent_live_migrations": "4"},
             "migration": {"max_concurrent_incoming": "8"}}
    with stage.both(**slots):
        guests = [stage.still(Disk("vda", GIB, data=4 * MIB), host=host, memory_mib=64)
                  for host in 3 * ("kvm01", "kvm02")]
        with concurrent.futures.ThreadPoolExecutor(len(guests)) as pool:
            orders = list(pool.map(lambda guest: stage.migrate(
                guest, "kvm02" if guest.host.name == "kvm01" else "kvm01"), guests))
        for guest, order in zip(guests, orders):
            stage.completed(order)
            guest.moved_to(stage.hosts["kvm02" if guest.host.name == "kvm01" else "kvm01"])
        equal([guest.state(guest.host) for guest in guests], ["paused"] * 6)


def many_questions(stage):
    """a flood of questions leaves libvirt its ports: what arrives meanwhile arrives"""
    guest = stage.still(Disk("vda", GIB, data=MIB))

    def flood():
        return len(stage.controller.call("kvm02", "open_migration_ports")["ports"])
    with _again_and_again(flood, flood, flood, flood):
        time.sleep(1)
        told = [int(line.split()[3].rpartition(":")[2]) for line in
                stage.destination.run("ss", "-Hltn").stdout.splitlines()]
        held = [port for port in told if FIRST_PORT <= port <= LAST_PORT]
        check(0 < len(held) <= 8 and min(held) > FIRST_PORT + 16, held)
        # Nothing is proven while they are all taken, and nothing is refused.
        answer = _look(stage, guest)
        equal((answer["compatible"], _ports(answer["checks"])["result"]), (True, "warn"))
        stage.completed(stage.migrate(guest))


def an_older_destination(stage):
    """a destination whose agent offers no ports: none is connected to, and the check says so"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    answers = {"check_can_live_migrate_destination": {"result": stage.controller.call(
        "kvm02", "check_can_live_migrate_destination", instance_info=info)}}
    unknown = {"failure": json.dumps({
        "class": "InvalidRequest", "module": "virt_ferry.exception", "message": "no such method",
        "args": ["no such method"], "kwargs": {}})}
    listener = stage.destination.spawn("port", "/usr/bin/python3", "-c", (
        "import socket\ns = socket.create_server(('', %d))\ns.accept()\nprint('reached')"
        % LAST_PORT))
    stage.defer(listener.kill)
    with stage.controller.responder("kvm09", lambda method, args: answers.get(method, unknown)):
        answer = _look(stage, guest, "kvm09")
    found = _ports(answer["checks"])
    equal(found["result"], "warn")
    check("not proven" in found["message"] and found["hint"], found)
    check(listener.alive(), "somebody connected")


CASES = (looks_beside_an_arrival, a_swap, many_questions, an_older_destination)
