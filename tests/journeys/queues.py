"""Queues as a broker of today wants them: of quorum, none that is neither durable nor exclusive."""

import contextlib

from lab.durable import DurableController
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id

VHOST = "quorum"
QUEUES = {"rabbit_quorum_queue": "true", "rabbit_transient_quorum_queue": "true",
          "rabbit_stream_fanout": "false"}
DEPRECATED = "will no longer take queues"


@contextlib.contextmanager
def _network(stage):
    """Both agents on a virtual host of their own, with quorum queues; the controller there."""
    broker = stage.lab.broker
    broker.add_vhosts(VHOST)
    controller = DurableController(stage.lab.hub, broker.url(vhost=VHOST),
                                   arguments={"x-queue-type": "quorum"}, oslo=QUEUES)
    settings = {key: value for key, value in QUEUES.items() if key != "rabbit_stream_fanout"}
    _listen_to(stage, controller)
    try:
        with stage.both(DEFAULT={"transport_url": controller.url}, oslo_messaging_rabbit=settings):
            try:
                yield controller
            finally:
                _listen_to(stage, stage.controller)
    finally:
        _listen_to(stage, stage.controller)


def _listen_to(stage, controller):
    for agent in stage.agents.values():
        agent.controller = controller


def _shown(stage):
    """The queues: those of quorum, and those that the broker will not take for ever."""
    rows = stage.lab.broker.table("list_queues", ["name", "type", "durable", "exclusive"], VHOST)
    return ({row[0] for row in rows if "quorum" in row[1]},
            {row[0] for row in rows if row[2:] == ["false", "false"]})


def _journey(stage, controller):
    """The whole of it by stock oslo.messaging, with its reply queues."""
    guest = stage.counting(Disk("vda", GIB, data=16 * MIB))
    recorder = controller.recorder()
    migration_id = new_id()
    answer = controller.call_oslo("kvm01", "live_migrate_instance", instance=guest.name,
                                  host="kvm02", migration_id=migration_id, options={})
    equal(answer["migration_id"], migration_id)
    event = recorder.wait_terminal(migration_id)
    equal((event.type, event.payload["error"]), ("migration.completed", None))
    equal(recorder.complaints(migration_id), [])
    recorder.stop()
    stage.runs_on(guest, stage.destination)
    for host in stage.hosts:
        record = controller.call_oslo(host, "get_migration", migration_id=migration_id)
        equal(record["status"], "completed", host)


def quorum(stage):
    """quorum queues alone: oslo.messaging orders a journey; without them RabbitMQ 4 is warned of

    The broker has no queue then that it will not take for ever; otherwise each start says so, once.
    """
    major = int(stage.lab.broker.evaluate("io:put_chars(rabbit_misc:version())").split(".")[0])
    before = {name: len(agent.log()) for name, agent in stage.agents.items()}
    with _network(stage) as controller:
        _journey(stage, controller)
        lasting, passing = _shown(stage)
        check({"virt-ferry", "virt-ferry.kvm01", "virt-ferry.kvm02"} <= lasting, lasting)
        # An older oslo.messaging does not know the option for its own.
        check(not passing or major < 4 and all(name.startswith("reply_") for name in passing),
              passing)
        for name, agent in stage.agents.items():
            equal(agent.log()[before[name]:].count(DEPRECATED), 0, name)
    for name, agent in stage.agents.items():
        # Since then it was started once, with what oslo.messaging declares by default.
        equal(agent.log()[before[name]:].count(DEPRECATED), int(major >= 4), name)


CASES = (quorum,)
