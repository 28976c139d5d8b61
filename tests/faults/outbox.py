"""Events that wait while the broker is away, thousands of them.

They are written into the outbox table of the stopped agent's journal: to make so many by orders
would take an hour, and what is tested is how they leave. Some real ones come along.
"""

import contextlib
import json
import sqlite3
import time
import uuid

from lab.controller import Event
from lab.deadline import wait_until
from lab.tap import check, equal
import world

SMALL = 500
FULL = 10000
# So many messages a publisher has sent and not seen confirmed (rpc/publisher.c): as many go out
# again when the broker dies.
WINDOW = 256
# A queue that nobody reads before the end: it has what the agent sent. A reader would also get
# again what the broker had taken its acknowledgement of, and had not written yet when it died.
SENT = "sent"


def drain(ground, count):
    """Events that waited while the broker was away arrive, all of them and in order, although
    the broker dies once more while they leave; none that was confirmed is sent again."""
    begun = time.monotonic()
    agent = next(iter(ground.agents.values()))
    migration_id = str(uuid.uuid4())
    agent.stop()
    _keep_sent(ground)
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
    _check(ground.recorder.events(migration_id), count)
    again = _take_sent(ground, migration_id) - count
    check(0 <= again <= WINDOW, "%d of %d events were sent again" % (again, count))
    return "%d events, %d of them twice" % (count, again), time.monotonic() - begun


def _keep_sent(ground):
    with contextlib.closing(ground.controller.connect()) as connection:
        channel = connection.channel()
        channel.queue_declare(SENT, durable=True)
        channel.queue_bind(SENT, ground.controller.exchange, "notifications.info")


def _take_sent(ground, migration_id):
    """How often an event of the migration was sent."""
    sent = 0
    with contextlib.closing(ground.controller.connect()) as connection:
        channel = connection.channel()
        for method, _, body in channel.consume(SENT, auto_ack=True, inactivity_timeout=1):
            if not method:
                break
            sent += Event(json.loads(json.loads(body)["oslo.message"])).migration_id == migration_id
        channel.cancel()
        channel.queue_delete(SENT)
    return sent


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
