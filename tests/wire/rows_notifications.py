"""N: notifications to stock listeners."""

import re
import uuid

from lab.tap import check, equal

from probe import OK
from raw import inner
from rows import row

STAMP = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}')


def trigger(bench, args='{"count": 1}'):
    answer = bench.probe().call('notify', args)
    equal(answer.status, OK, answer)


def listen(bench, count, *options, topic='notifications'):
    running = bench.hold(bench.probe().begin('listen', '--seconds', '60', '--count', str(count),
                                             *options, topic=topic))
    return running.wait_word('listening')


@row('N1', 'every field as stock has it')
def n1(bench):
    bench.served()
    listener = listen(bench, 5)
    trigger(bench, '{"count": 5, "event_type": "migration.running", "priority": "error"}')
    answer = listener.wait()
    equal((answer.status, len(answer.documents)), (OK, 5), answer)
    for number, document in enumerate(answer.documents):
        equal((document['event_type'], document['publisher_id'], document['priority'],
               document['payload']),
              ('migration.running', 'rpc-server.test', 'ERROR', {'number': number}), 'event')
        check(STAMP.fullmatch(document['timestamp']), document['timestamp'])
        equal(str(uuid.UUID(document['message_id'])), document['message_id'], 'message_id')


@row('N2', 'what is told before anybody listens is kept')
def n2(bench):
    bench.served()
    trigger(bench, '{"count": 3, "topic": "early"}')
    answer = listen(bench, 3, topic='early').wait()
    equal((answer.status, len(answer.documents)), (OK, 3), answer)


@row('N3', 'a pool of its own gets its own copy')
def n3(bench):
    bench.served()
    listeners = [listen(bench, 4), listen(bench, 4, '--pool', 'x')]
    trigger(bench, '{"count": 4}')
    for listener in listeners:
        answer = listener.wait()
        equal((answer.status, len(answer.documents)), (OK, 4), answer)


@row('N4', 'forty events leave nothing unacknowledged')
def n4(bench):
    bench.served()
    listener = listen(bench, 40)
    trigger(bench, '{"count": 40}')
    equal(len(listener.wait().documents), 40, 'events')
    # What a listener leaves unacknowledged comes back when it goes.
    bench.wait_drained('notifications.info')


@row('N5', 'a token in the context of the order is in no event')
def n5(bench):
    bench.served()
    listener = listen(bench, 1)
    answer = bench.probe().call('--context', '{"auth_token": "SECRET", "user": "u"}', 'notify',
                                '{"count": 1}')
    equal(answer.status, OK, answer)
    answer = listener.wait()
    equal((answer.status, answer.document['context']), (OK, {}), answer)


def nested(name, data):
    return {'nova_object.name': name, 'nova_object.namespace': 'virt-ferry',
            'nova_object.version': '1.0', 'nova_object.data': data}


@row('N6', 'a versioned payload keeps its shape at every level')
def n6(bench):
    import json
    bench.served()
    payload = nested('MigrationPayload', {'fault': nested('FaultPayload', {'text': '☃'}),
                                          'disks': [nested('DiskPayload', {'target': 'vda'})]})
    listener = listen(bench, 1, topic='versioned_notifications')
    trigger(bench, json.dumps({'count': 1, 'topic': 'versioned_notifications',
                               'payload': payload}))
    answer = listener.wait()
    equal((answer.status, answer.document['payload']), (OK, payload), answer)


@row('N7', 'properties and bytes on the wire as stock')
def n7(bench):
    bench.served()
    trigger(bench, '{"count": 2}')
    raw = bench.raw()
    first, second = raw.get('notifications.info'), raw.get('notifications.info')
    for properties, body in (first, second):
        equal({key: value for key, value in vars(properties).items() if value is not None},
              {'content_type': 'application/json', 'content_encoding': 'utf-8', 'headers': {},
               'delivery_mode': 2, 'priority': 0}, 'properties')
        check(body.isascii() and body.startswith(b'{"oslo.version": "2.0", "oslo.message": "'),
              body)
    check(inner(first[1])['_unique_id'] != inner(second[1])['_unique_id'], 'fresh ids')


@row('N8', 'samples: no queue is made for them, the latest wins')
def n8(bench):
    peer = bench.served()
    trigger(bench, '{"count": 500, "sample": true, "priority": "sample"}')
    check('notifications.sample' not in bench.queues(), 'no queue')
    raw = bench.raw()
    raw.channel.queue_declare('notifications.sample')
    raw.channel.queue_bind('notifications.sample', 'virt-ferry', 'notifications.sample')
    trigger(bench, '{"count": 500, "sample": true, "priority": "sample"}')
    numbers = [m['payload']['number'] for _, m in raw.get_all('notifications.sample', 3)]
    check(numbers and numbers[-1] == 499 and numbers == sorted(numbers), numbers)
    check(len(numbers) < 500, 'older ones were replaced')
    equal(peer.process.poll(), None, 'alive')


@row('N9', 'notifications that the broker refuses wait, and hold up no answer')
def n9(bench):
    raw = bench.raw()
    raw.channel.queue_declare('notifications.info', durable=True)
    peer = bench.served()
    trigger(bench)
    refused = peer.wait_fact('refused')['refused']
    check('406' in refused['message'], refused)
    for number in range(5):
        answer = bench.probe().call('echo', '{"a": %d}' % number)
        equal((answer.status, answer.document), (OK, {'a': number}), answer)
