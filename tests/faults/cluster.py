"""Three brokers in one cluster, quorum queues, and the death of the node that the agents talk to."""

import os
import time

import world
from ground import Ground
from journey import Journey
from lab.broker import Broker, PortMapper
from lab.durable import DurableController
from lab.network import CONTROL, SUBNETS
from lab.deadline import wait_until
from lab.tap import check, equal

NODES = 3
FIRST_PORT = 5673


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
        for row in self.nodes[0].table("list_connections", ["port", "client_properties"]):
            if "virt-ferryd" in row[1]:
                counts[row[0]] = counts.get(row[0], 0) + 1
        check(counts, "no agent is connected to the cluster")
        port = max(counts, key=counts.get)
        return next(node for node in self.nodes if str(node.port) == port)


class ClusterGround(Ground):
    """The same ground, with the cluster in the place of the one broker."""

    def __init__(self, lab, cluster):
        self.cluster = cluster
        controller = DurableController(cluster.namespace, cluster.url(), cluster.living_url,
                                       {"x-queue-type": "quorum"})
        super().__init__(lab, controller=controller, messaging={"rabbit_quorum_queue": "true"})


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
