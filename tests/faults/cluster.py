"""Three brokers in one cluster, quorum queues, and the death of the node that the agents talk to."""

import contextlib
import os
import time

import world
from ground import Ground
from journey import Journey
from lab.broker import Broker, PortMapper
from lab.controller import PRIORITIES, Controller, Recorder, _connect
from lab.network import CONTROL, SUBNETS
from lab.deadline import wait_until
from lab.tap import check, equal

NODES = 3
FIRST_PORT = 5673


class ClusterRecorder(Recorder):
    """Reads the queues as the agents declared them; samples go to nobody."""

    def _listen(self):
        connection = _connect(self._namespace, self._url())
        with contextlib.closing(connection):
            channel = connection.channel()
            for priority in PRIORITIES[:2]:
                queue = "%s.%s" % (self._topic, priority)
                self._declared(channel, queue)
                channel.basic_consume(queue, self._hear)
            self._listens.set()
            while not self._ends.is_set():
                connection.process_data_events(0.1)

    def _declared(self, channel, queue):
        channel.exchange_declare(self._exchange, "topic", durable=True)
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(queue, self._exchange, queue)


class ClusterController(Controller):
    """Talks to whichever node is alive, and declares what quorum queues ask for."""

    def __init__(self, cluster):
        self._cluster = cluster
        super().__init__(cluster.namespace, cluster.url())

    def _channel(self):
        connection = _connect(self.namespace, self._cluster.living_url())
        channel = connection.channel()
        channel.confirm_delivery()
        channel.exchange_declare(self.exchange, "topic", durable=True)
        return connection, channel

    def recorder(self, standard=False):
        return ClusterRecorder(self.namespace, self._cluster.living_url, self.exchange,
                               standard=standard).start()


class Cluster:
    """Three RabbitMQ nodes beside each other in the broker's namespace."""

    def __init__(self, lab):
        self.namespace = lab.hub
        self.address = SUBNETS[CONTROL] + "1"
        prefix = lab.hub.prefix()
        self.mapper = PortMapper(prefix=prefix)
        cookie = os.urandom(12).hex()
        self.nodes = [Broker(address=self.address, port=FIRST_PORT + index, prefix=prefix,
                             folder=os.path.join(lab.directory, "broker%d" % index),
                             node="node%d" % index, mapper=self.mapper, cookie=cookie)
                      for index in range(NODES)]

    def start(self):
        for node in self.nodes:
            node.start(120)
        for node in self.nodes[1:]:
            node.join(self.nodes[0])
        return self

    def stop(self):
        for node in self.nodes:
            node.destroy()
        self.mapper.stop()

    def url(self):
        """All nodes, in the order in which the agents try them."""
        return "rabbit://%s/" % ",".join("guest:guest@%s:%d" % (self.address, node.port)
                                         for node in self.nodes)

    def living_url(self):
        """One that is alive; the first when none is, so that who asks meets a dead broker."""
        return next((node for node in self.nodes if node.process), self.nodes[0]).url()

    def node_of_agents(self):
        """The node with the most connections of agents."""
        counts = {}
        for row in self.nodes[0].table("list_connections", "port", "client_properties"):
            if "virt-ferryd" in row[1]:
                counts[row[0]] = counts.get(row[0], 0) + 1
        check(counts, "no agent is connected to the cluster")
        port = max(counts, key=counts.get)
        return next(node for node in self.nodes if str(node.port) == port)


class ClusterGround(Ground):
    """The same ground, with the cluster in the place of the one broker."""

    def __init__(self, lab, cluster):
        self.cluster = cluster
        super().__init__(lab, controller=ClusterController(cluster), settings={
            "oslo_messaging_rabbit": {"rabbit_quorum_queue": "true"}})


def play(lab):
    """The node that the agents talk to is killed in the disk phase; returns (outcome, seconds)."""
    cluster = Cluster(lab).start()
    try:
        ground = ClusterGround(lab, cluster)
        journey = Journey(ground)
        begun = time.monotonic()
        ground.slow(journey.source, 60)
        journey.order()
        journey.wait_event("migration.phase", lambda payload: payload["phase"] == "disk")
        node = cluster.node_of_agents()
        node.kill()
        wait_until(lambda: _answers(ground), 60, "answers of the agents through another node")
        ground.fast(journey.source)
        status = journey.end({"completed"})
        journey.verify(status)
        node.start(120)
        journey.again()
        equal(world.alive_on(ground.hosts.values(), journey.guest.name),
              [journey.guest.host.name], "where it runs")
        ground.recorder.stop()
        for agent in ground.agents.values():
            agent.stop()
        return status, time.monotonic() - begun
    finally:
        cluster.stop()


def _answers(ground):
    try:
        return all(ground.controller.call(name, "ping", timeout=3) for name in ground.hosts)
    except Exception:  # pylint: disable=broad-except
        return False
