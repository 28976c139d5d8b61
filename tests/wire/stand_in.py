"""A stand-in for virt-ferryd: speaks for a host on a real broker and moves nothing.

It is stock oslo.messaging, so it says nothing about the agent itself; it lets the command line meet
every answer, event and silence at will.
"""

import datetime
import logging
import threading
import time
import uuid

import oslo_messaging
from oslo_config import cfg

TOPIC = 'virt-ferry'
EXCHANGE = 'virt-ferry'
UUID = '6f1a2c3e-1111-4222-8333-444455556666'
GIB = 1 << 30

for _library in ('oslo_messaging', 'oslo.messaging', 'amqp', 'kombu'):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)
oslo_messaging.set_transport_defaults(control_exchange=EXCHANGE)


def failure(code, message, hint=None, details=None):
    """An exception that arrives under the name `code` with hint and details."""
    error = type(code, (Exception,), {})(message)
    error.kwargs = {'code': code, 'hint': hint, 'details': details or {}}
    return error


def now():
    return datetime.datetime.utcnow().strftime('%Y-%m-%dT%H:%M:%S.%fZ')


class StandIn:
    """The agent of one host.

    answers  method name: a value, an exception to fail with, or a function of the arguments
    play     a function of this stand-in and a migration's id, run in a thread once an order came
    """

    def __init__(self, url, host, answers=None, play=None):
        self.host = host
        self.answers = dict({'describe_host': describe_host(host), 'ping': {'host': host}},
                            **(answers or {}))
        self.play = play
        self.calls = []
        self.threads = []
        self._seq = {}
        self._samples = 0
        # Answers to commands that have left would be tried for a minute.
        url += '?kombu_missing_consumer_retry_timeout=2'
        conf = cfg.ConfigOpts()
        conf([])
        self._transport = oslo_messaging.get_rpc_transport(conf, url=url)
        notifications = oslo_messaging.get_notification_transport(conf, url=url)
        self._notifier = oslo_messaging.Notifier(
            notifications, publisher_id='virt-ferryd.' + host, driver='messagingv2',
            topics=['notifications'])
        self._server = oslo_messaging.get_rpc_server(
            self._transport, oslo_messaging.Target(exchange=EXCHANGE, topic=TOPIC, server=host),
            [Endpoint(self)], executor='threading')

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *exc):
        try:
            for thread in self.threads:
                thread.join()
        finally:
            # One that stays would take the orders of the next case.
            self._server.stop()
            self._server.wait()
            self._transport.cleanup()

    def called(self, method):
        """The arguments of each call to `method` so far."""
        return [arguments for name, arguments in self.calls if name == method]

    def answer(self, method, arguments):
        self.calls.append((method, arguments))
        answer = self.answers.get(method, failure('InvalidRequest', 'no answer for ' + method))
        if callable(answer):
            answer = answer(**arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def begin(self, migration_id):
        """Lets the play begin; what an order's answer does."""
        thread = threading.Thread(target=self.play, args=(self, migration_id))
        thread.start()
        # Only now: who sees it in the list may join it.
        self.threads.append(thread)

    def event(self, migration_id, status, priority='info', seq=None, **payload):
        """Publishes that the migration entered `status`."""
        self._seq[migration_id] = seq or self._seq.get(migration_id, 0) + 1
        payload = record(migration_id, status, source=self.host,
                         seq=self._seq[migration_id], **payload)
        payload['at'] = now()
        getattr(self._notifier, priority)({}, 'migration.' + status.replace('-', '_'), payload)

    def progress(self, migration_id, percent, phase='disk'):
        self._samples += 1
        payload = record(migration_id, 'running', source=self.host, phase=phase,
                         seq=self._seq.get(migration_id, 0), progress=progress(percent))
        payload.update(at=now(), sample=self._samples)
        self._notifier.sample({}, 'migration.progress', payload)


class Endpoint:
    """Every method that a stand-in is asked for."""

    def __init__(self, stand_in):
        self._stand_in = stand_in

    def __getattr__(self, method):
        if method.startswith('_') or method == 'target':
            raise AttributeError(method)
        return lambda context, **arguments: self._stand_in.answer(method, arguments)


def describe_host(host):
    return {
        'host': host, 'version': '0.1.0', 'libvirt_version': '9.0.0', 'qemu_version': '7.2.0',
        'pools': [
            {'name': 'a', 'active': True, 'capacity_bytes': 100 * GIB, 'available_bytes': 40 * GIB},
            {'name': 'b', 'active': True, 'capacity_bytes': 100 * GIB, 'available_bytes': 40 * GIB},
            {'name': 'c', 'active': True, 'capacity_bytes': 50 * GIB, 'available_bytes': 8 * GIB},
        ],
        'instances': [{'name': 'web', 'uuid': UUID, 'state': 'running'},
                      {'name': 'db', 'uuid': str(uuid.uuid4()), 'state': 'shutoff'}],
    }


def progress(percent):
    return {
        'percent': percent, 'eta_ms': (100 - percent) * 100, 'elapsed_ms': percent * 100,
        'throughput_bytes_s': 110 << 20,
        'disk': {'total_bytes': 3 * GIB, 'processed_bytes': percent * 3 * GIB // 100,
                 'remaining_bytes': (100 - percent) * 3 * GIB // 100, 'disks': {}},
        'memory': {'total_bytes': GIB // 2, 'processed_bytes': 0, 'remaining_bytes': GIB // 2},
        'expected_downtime_ms': None, 'throttle_percent': 0,
    }


def report():
    step = {'state': 'done', 'started_at': '2026-11-23T10:32:15.000042Z'}
    return {
        'steps': [dict(step, name='prepare', duration_ms=412),
                  dict(step, name='transfer', duration_ms=3720)],
        'downtime_ms': 87, 'moved_bytes': 392 << 20, 'total_ms': 4500, 'disk_phase_ms': 3000,
        'memory_phase_ms': 700,
        'disks': [{'target': 'vda', 'path': '/images/web.qcow2', 'format': 'qcow2',
                   'capacity_bytes': 1024 * GIB, 'allocation_before_bytes': 300 << 20,
                   'allocation_after_bytes': 301 << 20}],
    }


def record(migration_id, status, source='kvm01', role='source', name='web', **more):
    return dict({
        'migration_id': migration_id, 'role': role, 'instance': {'name': name, 'uuid': UUID},
        'source': source, 'destination': 'kvm02', 'status': status, 'phase': None,
        'progress': None, 'error': None, 'seq': 1, 'report': None,
        'created_at': '2026-11-23T10:32:10.000000Z', 'updated_at': '2026-11-23T10:32:20.000000Z',
        'ended_at': None, 'expires_at': None,
    }, **more)


def sleep(seconds):
    """The pause between two events of a play."""
    time.sleep(seconds)
