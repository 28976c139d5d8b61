"""Orders that come twice, a hundred times, or while nobody is there."""

import contextlib
import json
import time

import pika
import phases
import world
from journey import Journey
from lab.controller import TOPIC, RemoteError
from lab.tap import check, equal

COPIES = 100


@contextlib.contextmanager
def _sender(ground):
    """A function that puts an order's text on a host's queue, so many times."""
    with contextlib.closing(ground.controller.connect()) as connection:
        channel = connection.channel()
        channel.confirm_delivery()

        def send(host, order, copies):
            for _ in range(copies):
                channel.basic_publish(
                    TOPIC, "%s.%s" % (TOPIC, host.name), json.dumps(order),
                    pika.BasicProperties(content_type="application/json", delivery_mode=2),
                    mandatory=True)
        yield send


def _order(journey):
    return {"method": "live_migrate_instance",
            "args": {"instance": journey.guest.name, "host": journey.destination.name,
                     "migration_id": journey.migration_id, "options": {}}}


def storm(ground):
    """The same order 100 times, while the source's agent is killed twice, starts one migration."""
    journey = Journey(ground)
    begun = time.monotonic()
    name = journey.source.name
    ground.slow(journey.source, phases.SLOW_MBIT_S)
    try:
        with _sender(ground) as send:
            send(journey.source, _order(journey), COPIES // 4)
            journey.wait_event("migration.accepted")
            ground.agents[name].kill()
            send(journey.source, _order(journey), COPIES // 4)
            ground.start_agent(name)
            send(journey.source, _order(journey), COPIES // 4)
            journey.wait_event("migration.phase")
            ground.agents[name].kill()
            send(journey.source, _order(journey), COPIES // 4)
            ground.start_agent(name)
    finally:
        ground.fast(journey.source)
    status = journey.end({"completed"})
    journey.verify(status)
    _only_one(ground, journey)
    _answers_the_same(ground, journey)
    journey.again()
    return "%d copies, one migration" % COPIES, time.monotonic() - begun


def _only_one(ground, journey):
    """One record, one acceptance, whatever is still in the queue."""
    ground.controller.call(journey.source.name, "ping")
    rows = world.Journal(journey.agent("source")).rows(
        "SELECT count(*) FROM migrations WHERE instance_uuid = ? AND migration_id = ?",
        journey.guest.uuid, journey.migration_id)
    equal(rows, [(1,)], "records of the order")
    accepted = {event["message_id"] for event in ground.recorder.events(
        journey.migration_id, "migration.accepted")}
    equal(len(accepted), 1, "events that accept it")


def _answers_the_same(ground, journey):
    answer = ground.controller.call(journey.source.name, "live_migrate_instance",
                                    **_order(journey)["args"])
    equal(answer["status"], "completed", "answer to the order once more")
    other = dict(_order(journey)["args"], options={"bandwidth_mib_s": 7})
    try:
        ground.controller.call(journey.source.name, "live_migrate_instance", **other)
    except RemoteError as error:
        equal(error.code, "InvalidRequest", "the same id with other arguments")
    else:
        raise AssertionError("one id for two orders was not refused")


def while_down(ground):
    """Orders that were sent while the agent was down are carried out when it is back, once."""
    journey = Journey(ground)
    begun = time.monotonic()
    name = journey.source.name
    ground.agents[name].stop()
    with _sender(ground) as send:
        send(journey.source, _order(journey), 3)
    ground.start_agent(name)
    status = journey.end({"completed"})
    journey.verify(status)
    _only_one(ground, journey)
    journey.again()
    return "completed", time.monotonic() - begun


def second_order(ground):
    """A second order for an instance that is on its way is refused, also after a kill."""
    journey = Journey(ground)
    begun = time.monotonic()
    phase = phases.DiskCopy(journey)
    try:
        phase.arm()
        journey.order()
        phase.reach()
        for _ in range(2):
            try:
                ground.controller.migrate(journey.guest.name, journey.source.name,
                                          journey.destination.name)
                check(False, "the second order was accepted")
            except RemoteError as error:
                equal(error.code, "InstanceAlreadyMigrating", "the second order")
            journey.agent("source").kill()
            ground.start_agent(journey.source.name)
    finally:
        phase.let_go()
    status = journey.end({"completed"})
    journey.verify(status)
    return status, time.monotonic() - begun


ITEMS = [storm, while_down, second_order]
