"""Many agents in one program, on a real broker: they answer surveys and nothing else."""

import json
import threading
import time

import pika

from raw import sealed
from stand_in import describe_host


class Crowd:
    """Agents kvm000, kvm001 ... of which some are slow to describe their host, and some never do.

    slow     every so many takes `seconds` for it
    silent   every so many answers pings alone
    """

    def __init__(self, url, count, slow=0, silent=0, seconds=3):
        self.names = ['kvm%03d' % number for number in range(count)]
        self.slow = set(self.names[::slow]) if slow else set()
        self.silent = set(self.names[1::silent]) if silent else set()
        self._seconds = seconds
        self._url = url
        self._late = []
        self._left = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        self._ready.wait(20)
        return self

    def __exit__(self, *exc):
        self._left.set()
        self._thread.join()

    def _answer(self, channel, question, names, result):
        for name in names:
            channel.basic_publish('', question['_reply_q'], sealed({
                'result': result(name), 'failure': None, 'ending': True,
                '_msg_id': question['_msg_id'], '_unique_id': name + question['_msg_id']}),
                pika.BasicProperties(content_type='application/json'))

    def _take(self, channel, question):
        if question['method'] == 'ping':
            self._answer(channel, question, self.names, lambda name: {
                'host': name, 'version': '0.1.0', 'libvirt_connected': True})
            return
        at_once = [name for name in self.names if name not in self.slow | self.silent]
        self._answer(channel, question, at_once, describe_host)
        self._late.append((time.monotonic() + self._seconds, question))

    def _run(self):
        parameters = pika.URLParameters(self._url.replace('rabbit://', 'amqp://', 1))
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        channel.exchange_declare('virt-ferry_fanout', 'fanout', auto_delete=True)
        queue = channel.queue_declare('', exclusive=True).method.queue
        channel.queue_bind(queue, 'virt-ferry_fanout', 'virt-ferry')
        self._ready.set()
        while not self._left.is_set():
            _, _, body = channel.basic_get(queue, auto_ack=True)
            if body:
                self._take(channel, json.loads(json.loads(body)['oslo.message']))
            while self._late and self._late[0][0] <= time.monotonic():
                self._answer(channel, self._late.pop(0)[1], sorted(self.slow), describe_host)
            connection.sleep(0.02)
        connection.close()
