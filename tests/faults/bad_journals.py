"""Journals that cannot be used: the agent says why, leaves them as they are, and ends."""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import time

import phases
from journey import Journey
from lab.controller import RemoteError
from lab.deadline import wait_until
from lab.tap import check, equal

TINY_BYTES = 1 << 20


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@contextlib.contextmanager
def _other_state(ground, agent):
    """Another state folder for an agent that does not run; afterwards it runs with its own."""
    own = agent.state_path
    agent.stop()
    other = own + "-other"
    os.makedirs(other)
    agent.state_path = other
    agent.configure({"DEFAULT": {"state_path": other}})
    try:
        yield other
    finally:
        if agent.alive():
            agent.stop()
        agent.state_path = own
        agent.configure({"DEFAULT": {"state_path": own}})
        shutil.rmtree(other, ignore_errors=True)
        ground.start_agent(agent.host.name)


def _refuses(agent, *words):
    """The agent ends with 1 and says the path and what to do."""
    begun = len(agent.log())
    agent.start(wait=False)
    equal(agent.wait_end(20), 1, "exit status")
    said = agent.log()[begun:]
    for word in words:
        check(word in said, "%r is not in what it said:\n%s" % (word, said))


def newer_schema(ground):
    """A journal of a newer schema stops the start and stays as it is."""
    begun = time.monotonic()
    agent = ground.agents["kvm01"]
    with _other_state(ground, agent) as folder:
        path = os.path.join(folder, "journal.db")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE future (x)")
            database.execute("PRAGMA user_version = 1000")
            database.commit()
        before = _digest(path)
        _refuses(agent, path, "1000", "newer")
        equal(_digest(path), before, "the journal")
    return "exit 1", time.monotonic() - begun


def damaged(ground):
    """A damaged journal stops the start and stays as it is."""
    begun = time.monotonic()
    agent = ground.agents["kvm01"]
    whole = os.path.join(agent.state_path, "journal.db")
    with _other_state(ground, agent) as folder:
        path = os.path.join(folder, "journal.db")
        shutil.copy(whole, path)
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            for at in range(4096, size, 4096):
                file.seek(at)
                file.write(os.urandom(2048))
        before = _digest(path)
        _refuses(agent, path, "damaged", "move it away")
        equal(_digest(path), before, "the journal")
        with open(path, "wb") as file:
            file.write(b"This is not a database, and never was one.\n" * 200)
        before = _digest(path)
        _refuses(agent, path)
        equal(_digest(path), before, "a file that is no journal")
    return "exit 1", time.monotonic() - begun


def no_rights(ground):
    """A state folder that cannot be written stops the start."""
    begun = time.monotonic()
    agent = ground.agents["kvm01"]
    with _other_state(ground, agent) as folder:
        # The start makes the folder the agent's, but not a file system one that can be written to.
        agent.host.run("mount", "-t", "tmpfs", "-o", "size=1m,ro", "state", folder)
        try:
            _refuses(agent, folder)
        finally:
            agent.host.run("umount", folder)
    return "exit 1", time.monotonic() - begun


def full_disk(ground):
    """On a full file system new orders are refused, what is under way goes on and ends."""
    begun = time.monotonic()
    agent = ground.agents[ground.guest().host.name]
    host = agent.host
    agent.stop()
    own = agent.state_path
    small = own + "-small"
    os.makedirs(small)
    host.run("mount", "-t", "tmpfs", "-o", "size=%d" % (2 * TINY_BYTES), "state", small)
    agent.state_path = small
    agent.configure({"DEFAULT": {"state_path": small}})
    filler = os.path.join(host.path(small), "filler")
    try:
        ground.start_agent(host.name)
        return _full_disk_journey(ground, agent, filler), time.monotonic() - begun
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(filler)
        agent.stop()
        # What the small journal knows is needed no more than the small journal.
        agent.state_path = own
        agent.configure({"DEFAULT": {"state_path": own}})
        host.run("umount", small)
        ground.start_agent(host.name)


def _fill(path):
    with open(path, "wb", buffering=0) as filler:
        with contextlib.suppress(OSError):
            while True:
                filler.write(b"\1" * 4096)


def _full_disk_journey(ground, agent, filler):
    journey = Journey(ground)
    other = ground.paused_guest(journey.source)
    slow = phases.DiskCopy(journey)
    try:
        slow.arm()
        journey.order()
        slow.reach()
        _fill(filler)
        _refused(ground, journey, other)
    finally:
        slow.let_go()
    # The transfer goes on without the journal, to its end in the world.
    wait_until(lambda: journey.guest.hosts_running() == [journey.destination.name], 90,
               "the guest runs on the other host")
    # It says so as long as it cannot write down what became of it.
    agent.wait_log("%s' is '" % journey.migration_id, 60)
    ground.controller.call(journey.source.name, "ping")
    os.unlink(filler)
    status = journey.end({"completed"})
    journey.guest.moved_to(journey.destination).wait_counting(3)
    equal(journey.guest.paused_complaints(), [], "the guest")
    equal(ground.recorder.complaints(journey.migration_id), [], "events")
    ground.forget(other)
    return status


def _refused(ground, journey, other):
    """What is left of the last pages may still take some orders; then one is refused."""
    def refused():
        try:
            answer = ground.controller.migrate(other.name, journey.source.name,
                                               journey.destination.name)
        except RemoteError as error:
            return error.code == "JournalUnavailable"
        raise AssertionError("accepted on a full disk: %s" % answer)
    wait_until(refused, 20, "JournalUnavailable")


ITEMS = [newer_schema, damaged, no_rights, full_disk]
