"""The message broker of a laboratory: broker.Broker inside a namespace of its own."""

import os
import signal

from .broker import Broker
from .namespace import Process


class _Node:
    """The broker's process as Broker expects it, a Popen: the one inside, not nsenter."""

    def __init__(self, entering):
        self._entering = entering
        self._inside = Process("broker", entering)
        self.pid = self._inside.pid

    def poll(self):
        return self._entering.poll()

    def wait(self, timeout=None):
        return self._entering.wait(timeout)

    def signal(self, number):
        self._inside.signal(number)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def kill(self):
        self.signal(signal.SIGKILL)


class Hub(Broker):
    """One RabbitMQ node; it dies with its namespace."""

    def __init__(self, namespace, address, folder):
        # Whose root is another release's has no present folder otherwise, and Erlang needs one.
        super().__init__(address=address, prefix=[*namespace.prefix(), "env", "-C", "/"],
                         folder=folder, node="lab", settings={"heartbeat": "10"})

    def start(self, timeout=90):
        super().start(timeout)
        self.process = _Node(self.process)
        return self

    def freeze(self):
        self.process.signal(signal.SIGSTOP)

    def thaw(self):
        self.process.signal(signal.SIGCONT)

    def detach(self):
        """Leaves the node running when this program ends."""
        self._living.discard(self)


def folder_of(directory):
    return os.path.join(directory, "broker")
