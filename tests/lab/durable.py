"""A controller and a recorder for agents whose queues survive the broker (amqp_durable_queues).

With transient queues, oslo's default, a broker that dies takes along what it had confirmed and
nobody had read yet; no publisher can know.
"""

import contextlib

from .controller import (PRIORITIES, Controller, NotDelivered, Recorder, _BROKER_ERRORS,
                         _connect)


class DurableRecorder(Recorder):
    """Reads the queues that publishers declare; samples by a queue of its own."""

    def __init__(self, controller):
        super().__init__(controller.namespace, None, controller.exchange, standard=True)
        self._controller = controller

    def _listen(self):
        with contextlib.closing(self._controller.connect()) as connection:
            channel = connection.channel()
            channel.exchange_declare(self._exchange, "topic", durable=True)
            for priority in PRIORITIES:
                key = "%s.%s" % (self._topic, priority)
                queue = self._declare(channel, key, priority)
                channel.queue_bind(queue, self._exchange, key)
                channel.basic_consume(queue, self._hear)
            self._listens.set()
            while not self._ends.is_set():
                connection.process_data_events(0.1)

    def _declare(self, channel, key, priority):
        if priority == "sample":
            return channel.queue_declare("", exclusive=True).method.queue
        channel.queue_declare(key, durable=True, arguments=self._controller.arguments)
        return key


class DurableController(Controller):
    """url: a function that names a broker to try; arguments: those of the durable queues; oslo: what
    stock oslo.messaging is told, too."""

    def __init__(self, namespace, agents_url, url=None, arguments=None, oslo=None):
        super().__init__(namespace, agents_url, oslo=oslo)
        self.arguments = arguments
        self._current_url = url or (lambda: agents_url)

    def connect(self):
        return _connect(self.namespace, self._current_url())

    def _channel(self):
        try:
            connection = self.connect()
        except _BROKER_ERRORS as error:
            raise NotDelivered("no broker: %r" % error) from error
        channel = connection.channel()
        channel.confirm_delivery()
        channel.exchange_declare(self.exchange, "topic", durable=True)
        return connection, channel

    def recorder(self, standard=True):
        return DurableRecorder(self).start()
