"""Events that wait while the broker is away, thousands of them.

They are written into the outbox table of the stopped agent's journal: to make so many by orders
would take an hour, and what is tested is how they leave. Some real ones come along.
"""

import contextlib
import json
import sqlite3
import time
import uuid

from lab.deadline import wait_until
from lab.tap import check, equal
import world

SMALL = 500
FULL = 10000


def drain(ground, count):
    """Events that waited while the broker was away arrive, all of them and in order, although
    the broker dies once more while they leave."""
    begun = time.monotonic()
    agent = next(iter(ground.agents.values()))
    migration_id = str(uuid.uuid4())
    agent.stop()
    ground.lab.broker.kill()
    _fill(agent, migration_id, count)
    # Nobody answers without a broker.
    ground.start_agent(agent.host.name, wait=False)
    ground.lab.broker.start()
    mark = len(ground.recorder.events(migration_id))
    wait_until(lambda: len(ground.recorder.events(migration_id)) > mark + count // 4, 120,
               "a quarter of the events")
    ground.lab.broker.kill()
    ground.lab.broker.start()
    wait_until(lambda: world.Journal(agent).waiting_events() == 0, 300, "the outbox is empty")
    wait_until(lambda: _numbers(ground, migration_id) >= set(range(1, count + 1)), 60,
               "the last events")
    ground.answer()
    heard = ground.recorder.events(migration_id)
    _check(heard, count)
    return ("%d events, %d of them twice" % (count, len(heard) - count),
            time.monotonic() - begun)


def _fill(agent, migration_id, count):
    with contextlib.closing(sqlite3.connect(agent.state_path + "/journal.db")) as database:
        now = time.time_ns() // 1000
        database.executemany(
            "INSERT INTO outbox (event_type, priority, message_id, migration_id, at_us, payload)"
            " VALUES ('migration.phase', 'info', ?, ?, ?, ?)",
            [(str(uuid.uuid4()), migration_id, now, json.dumps(
                {"migration_id": migration_id, "seq": number})) for number in range(1, count + 1)])
        database.commit()


def _numbers(ground, migration_id):
    return {event.seq for event in ground.recorder.events(migration_id)}


def _check(heard, count):
    firsts = {}
    order = []
    for event in heard:
        if event.seq not in firsts:
            order.append(event.seq)
        known = firsts.setdefault(event.seq, event["message_id"])
        equal(event["message_id"], known, "message_id of the repeated event %d" % event.seq)
    equal(order, list(range(1, count + 1)), "the order in which they came first")
    check(len(heard) < 2 * count, "%d deliveries of %d events" % (len(heard), count))
