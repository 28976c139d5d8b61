"""Plain AMQP by pika: messages that no well-behaved client would send."""

import json
import time
import uuid

import pika

JSON_TYPE = 'application/json'


def new_id():
    return uuid.uuid4().hex


class Raw:
    """One connection with one channel; a thread of its own serves nothing, so keep it short."""

    def __init__(self, url):
        parameters = pika.URLParameters(url.replace('rabbit://', 'amqp://', 1))
        parameters.heartbeat = 0
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            self.connection.close()
        except pika.exceptions.AMQPError:
            pass

    def publish(self, key, body, exchange='virt-ferry', content_type=JSON_TYPE, **properties):
        if isinstance(body, str):
            body = body.encode()
        self.channel.basic_publish(exchange, key, body, pika.BasicProperties(
            content_type=content_type, **properties))

    def queue(self, name=None):
        """A queue for answers, deleted with this connection."""
        name = name or 'raw_' + new_id()
        self.channel.queue_declare(name, exclusive=True)
        return name

    def get(self, queue, seconds=5):
        """The next message of a queue as (properties, body), or None."""
        end = time.monotonic() + seconds
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                return properties, body
            if time.monotonic() > end:
                return None
            self.connection.sleep(0.05)

    def get_all(self, queue, seconds):
        """Everything that comes within the time, as oslo's inner documents."""
        end = time.monotonic() + seconds
        found = []
        while time.monotonic() < end:
            message = self.get(queue, max(0, end - time.monotonic()))
            if message:
                found.append((time.monotonic(), inner(message[1])))
        return found


def inner(body):
    """The inner document of an enveloped body."""
    return json.loads(json.loads(body)['oslo.message'])


def sealed(message):
    return json.dumps({'oslo.version': '2.0', 'oslo.message': message if isinstance(message, str)
                       else json.dumps(message)})


def request(method, args=None, reply_queue=None, **keys):
    """A request's inner document as a stock client makes it."""
    message = {'method': method, 'args': args or {}, 'version': '1.0', '_unique_id': new_id()}
    if reply_queue:
        message.update({'_msg_id': new_id(), '_reply_q': reply_queue, '_timeout': None})
    message.update(keys)
    return message
