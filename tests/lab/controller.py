"""What gives orders: a client on the message network that knows the bare JSON dialect, hears every
notification, and can hand a call to stock oslo.messaging too."""

import contextlib
import json
import os
import threading
import time
import uuid

import pika
import pika.exceptions
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from . import program
from .deadline import Deadline, DeadlineExceeded

TOPIC = "virt-ferry"
TERMINAL = ("migration.completed", "migration.failed", "migration.cancelled", "migration.error")
PRIORITIES = ("info", "error", "sample")
# What a broker that is away, frozen or just dying looks like; the last has a family of its own.
_BROKER_ERRORS = (pika.exceptions.AMQPError, OSError, AMQPConnectorException)
_OSLO_CALL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oslo_call.py")


class RemoteError(Exception):
    """What an agent answered instead of a result."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error.get("code"), error.get("message")))
        self.code = error.get("code")
        self.message = error.get("message")
        self.hint = error.get("hint")
        self.details = error.get("details")


class NotDelivered(Exception):
    """No queue, or no broker: nobody has the message."""


class Event(dict):
    """One notification as it came: the fields of oslo's message, and when it was heard."""

    @property
    def type(self):
        return self["event_type"]

    @property
    def payload(self):
        return self["payload"]

    @property
    def migration_id(self):
        return self["payload"].get("migration_id")

    @property
    def seq(self):
        return self["payload"].get("seq")

    def __str__(self):
        payload = self.payload
        error = payload.get("error") or {}
        return " ".join(str(part) for part in (
            self["publisher_id"], self.type, payload.get("seq"), payload.get("status"),
            payload.get("phase"), error.get("code"), error.get("message")) if part is not None)


def _connect(namespace, url, heartbeat=10):
    # oslo's scheme for AMQP 0-9-1 is "rabbit"; pika reads an empty path as the host "/" too.
    parameters = pika.URLParameters("amqp" + url[url.index("://"):])
    parameters.heartbeat = heartbeat
    parameters.socket_timeout = parameters.stack_timeout = 5
    with namespace.network():
        return pika.BlockingConnection(parameters)


class Recorder:
    """Hears notifications from its start on, in a thread of its own, through broker restarts.

    With standard=True it reads the queues that publishers declare (notifications.info, .error),
    where events wait while nobody listens; otherwise a queue of its own, beside other readers.
    """

    def __init__(self, namespace, url, exchange=TOPIC, topic="notifications", standard=False):
        self._namespace = namespace
        self._url = url
        self._exchange = exchange
        self._topic = topic
        self._standard = standard
        self._changed = threading.Condition()
        self._events = []
        self._ends = threading.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    def start(self, seconds=20):
        self._thread.start()
        if not self._listens.wait(seconds):
            raise DeadlineExceeded("the recorder did not reach the broker")
        return self

    def stop(self):
        self._ends.set()
        self._thread.join(10)

    def _work(self):
        # Who forgets stop() does not keep it looking for a broker after the laboratory's end.
        while not self._ends.is_set() and self._namespace.alive():
            try:
                self._listen()
            except _BROKER_ERRORS:
                self._listens.clear()
                self._ends.wait(0.2)

    def _listen(self):
        connection = _connect(self._namespace, self._url)
        with contextlib.closing(connection):
            channel = connection.channel()
            channel.exchange_declare(self._exchange, "topic")
            for priority in PRIORITIES:
                key = "%s.%s" % (self._topic, priority)
                standard = self._standard and priority != "sample"
                queue = channel.queue_declare(key if standard else "",
                                              exclusive=not standard).method.queue
                channel.queue_bind(queue, self._exchange, key)
                channel.basic_consume(queue, self._hear)
            self._listens.set()
            while not self._ends.is_set():
                connection.process_data_events(0.1)

    def _hear(self, channel, method, _properties, body):
        envelope = json.loads(body)
        event = Event(json.loads(envelope["oslo.message"]))
        event["heard"] = time.monotonic()
        event["routing_key"] = method.routing_key
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
        channel.basic_ack(method.delivery_tag)

    def events(self, migration_id=None, kind=None, host=None, predicate=None, samples=True):
        """What was heard, in order; kind is an event type, host the publisher's."""
        with self._changed:
            heard = list(self._events)
        return [event for event in heard
                if (migration_id is None or event.migration_id == migration_id)
                and (kind is None or event.type == kind)
                and (host is None or event["publisher_id"] == "virt-ferryd." + host)
                and (predicate is None or predicate(event))
                and (samples or event.type != "migration.progress")]

    def wait(self, predicate, seconds, what="the event", after=0):
        """The first event, heard before or to come, of which predicate is true.

        after: how many of the events heard so far to skip (see mark()).
        """
        deadline = Deadline(seconds, what)
        looked_at = after
        with self._changed:
            while True:
                for event in self._events[looked_at:]:
                    if predicate(event):
                        return event
                looked_at = len(self._events)
                try:
                    deadline.check()
                except DeadlineExceeded as error:
                    raise DeadlineExceeded("%s; heard:\n%s" % (error, "\n".join(
                        str(event) for event in self._events
                        if event.type != "migration.progress"))) from None
                self._changed.wait(min(1.0, deadline.left()))

    def mark(self):
        """How many events were heard so far, for wait()."""
        with self._changed:
            return len(self._events)

    def wait_event(self, kind, migration_id=None, host=None, seconds=30, after=0):
        """Waits for an event type (or one of several)."""
        kinds = (kind,) if isinstance(kind, str) else tuple(kind)
        return self.wait(
            lambda event: event.type in kinds
            and migration_id in (None, event.migration_id)
            and (host is None or event["publisher_id"] == "virt-ferryd." + host),
            seconds, "%s of %s" % (" or ".join(kinds), migration_id or host or "anything"), after)

    def wait_phase(self, phase, migration_id, seconds=30):
        """Waits until a migration is in a phase."""
        return self.wait(
            lambda event: event.migration_id == migration_id and event.payload["phase"] == phase,
            seconds, "the phase %s of %s" % (phase, migration_id))

    def wait_terminal(self, migration_id, seconds=120):
        """Waits for the event that ends a migration at its source."""
        return self.wait_event(TERMINAL, migration_id, seconds=seconds)

    def complaints(self, migration_id):
        """What is wrong with a migration's events: gaps in seq, two ends, falling progress."""
        found = []
        publishers = {event["publisher_id"] for event in self.events(migration_id)}
        for publisher in sorted(publishers):
            numbered = {}
            for event in self.events(migration_id, samples=False):
                if event["publisher_id"] == publisher:
                    known = numbered.setdefault(event.seq, event)
                    if known["message_id"] != event["message_id"]:
                        found.append("%s: two events have seq %s: %s, %s"
                                     % (publisher, event.seq, known.type, event.type))
            if sorted(numbered) != list(range(1, len(numbered) + 1)):
                found.append("%s: seq has gaps: %s" % (publisher, sorted(numbered)))
        ends = {event["message_id"]: event.type for event in self.events(migration_id)
                if event.type in TERMINAL}
        if len(ends) != 1:
            found.append("%d terminal events: %s" % (len(ends), sorted(ends.values())))
        percents = [event.payload["progress"]["percent"]
                    for event in self.events(migration_id, "migration.progress")]
        if percents != sorted(percents):
            found.append("progress falls: %s" % percents)
        return found


class Controller:
    """Sends orders from a namespace; every call has a connection of its own."""

    def __init__(self, namespace, url, exchange=TOPIC, oslo=None):
        self.namespace = namespace
        self.url = url
        self.exchange = exchange
        # {key: value} of [oslo_messaging_rabbit] for call_oslo().
        self.oslo = oslo or {}

    def _publish(self, channel, host, method, args, **properties):
        key = TOPIC if host is None else "%s.%s" % (TOPIC, host)
        try:
            channel.basic_publish(
                self.exchange, key, json.dumps({"method": method, "args": args}),
                pika.BasicProperties(content_type="application/json", delivery_mode=2,
                                     **properties), mandatory=True)
        except pika.exceptions.UnroutableError:
            raise NotDelivered("no queue for %s" % key) from None

    def _channel(self):
        try:
            connection = _connect(self.namespace, self.url)
        except _BROKER_ERRORS as error:
            raise NotDelivered("no broker: %r" % error) from error
        channel = connection.channel()
        channel.confirm_delivery()
        channel.exchange_declare(self.exchange, "topic")
        return connection, channel

    def call(self, host, method, /, timeout=20, **args):
        """Asks an agent (None: any) and returns its result."""
        connection, channel = self._channel()
        with contextlib.closing(connection):
            queue = channel.queue_declare("", exclusive=True).method.queue
            correlation = uuid.uuid4().hex
            self._publish(channel, host, method, args, reply_to=queue,
                          correlation_id=correlation)
            deadline = Deadline(timeout, "the answer of %s to %s" % (host or "anyone", method))
            for _method, properties, body in channel.consume(queue, auto_ack=True,
                                                             inactivity_timeout=0.1):
                if properties is not None and properties.correlation_id == correlation:
                    return self._result(json.loads(body))
                deadline.check()
        raise NotDelivered("the broker ended the connection")

    @staticmethod
    def _result(answer):
        if "error" in answer:
            raise RemoteError(answer["error"])
        return answer["result"]

    def cast(self, host, method, /, **args):
        """Sends an order and does not wait for an answer."""
        connection, channel = self._channel()
        with contextlib.closing(connection):
            self._publish(channel, host, method, args)

    def migrate(self, instance, source, destination, migration_id=None, timeout=20, **options):
        """Orders the whole journey; returns its id."""
        migration_id = migration_id or str(uuid.uuid4())
        answer = self.call(source, "live_migrate_instance", timeout=timeout, instance=instance,
                           host=destination, migration_id=migration_id, options=options)
        if answer["migration_id"] != migration_id:
            raise AssertionError("the agent chose another id: %r" % answer)
        return migration_id

    @contextlib.contextmanager
    def responder(self, host, answer):
        """A stand-in agent in the block, for orders of both dialects: answer(method, args) gives
        the answer's JSON, where the order is oslo.messaging's with a "result" only."""
        connection, channel = self._channel()
        queue = channel.queue_declare("%s.%s" % (TOPIC, host), auto_delete=True).method.queue
        channel.queue_bind(queue, self.exchange, queue)

        def respond(channel, method, properties, body):
            order = json.loads(body)
            told, queue = order, properties.reply_to
            if "oslo.message" in order:
                told = json.loads(order["oslo.message"])
                queue = told["_reply_q"]
            answered = answer(told["method"], told["args"])
            if "oslo.message" in order:
                answered = {"oslo.version": "2.0", "oslo.message": json.dumps(
                    {"failure": None, **answered, "ending": True, "_msg_id": told["_msg_id"],
                     "_unique_id": uuid.uuid4().hex})}
            channel.basic_publish("", queue, json.dumps(answered), pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8",
                correlation_id=properties.correlation_id))
            channel.basic_ack(method.delivery_tag)
        channel.basic_consume(queue, respond)
        ends = threading.Event()

        def work():
            while not ends.is_set():
                connection.process_data_events(0.05)
            connection.close()
        thread = threading.Thread(target=work, name="responder " + host, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join(10)

    def record(self, host, migration_id):
        return self.call(host, "get_migration", migration_id=migration_id)

    def call_oslo(self, host, method, /, timeout=20, **args):
        """As call(), by stock oslo.messaging in a process of its own."""
        order = {"url": self.url, "exchange": self.exchange, "topic": TOPIC, "server": host,
                 "method": method, "args": args, "timeout": timeout, "settings": self.oslo}
        done = self.namespace.run("/usr/bin/python3", _OSLO_CALL, stdin=json.dumps(order),
                                  timeout=timeout + 30, check=False)
        if done.returncode != 0:
            raise RuntimeError("oslo.messaging: %s" % done.stderr[-3000:])
        return self._result(json.loads(done.stdout))

    def recorder(self, standard=False):
        """A Recorder, started."""
        return Recorder(self.namespace, self.url, self.exchange, standard=standard).start()

    def command(self, *words, timeout=120, check=False, env=None):
        """Runs the command line virt-ferry beside the broker; returns CompletedProcess."""
        return self.namespace.run(
            program.find("virt-ferry"), "--transport-url", self.url, "--exchange", self.exchange,
            *words, timeout=timeout, check=check, env=dict(os.environ, **(env or {})))

    def spawn_command(self, *words, log_path=None):
        """Starts the command line without waiting for its end."""
        return self.namespace.spawn(
            "virt-ferry", program.find("virt-ferry"), "--transport-url", self.url,
            "--exchange", self.exchange, *words, log_path=log_path, env=dict(os.environ))

