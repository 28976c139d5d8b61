"""X: messages that are doubled, broken, incomplete or absurd."""

import json
import time

from lab.deadline import wait_until
from lab.tap import check, equal

from probe import OK, REMOTE
from proxy import Proxy
from raw import new_id, request, sealed
from rows import row

SHARED, OWN = 'virt-ferry', 'virt-ferry.h1'


def still_serves(bench):
    answer = bench.probe().call('--server', 'h1', 'echo', '{"a": "alive"}')
    equal((answer.status, answer.document), (OK, {'a': 'alive'}), answer)


@row('X1', 'one request on all three queues, twice: run once, answered once')
def x1(bench):
    peer = bench.served()
    raw = bench.raw()
    queue = raw.queue()
    body = sealed(request('echo', {'mark': 'x1'}, queue))
    for key, exchange in ((SHARED, 'virt-ferry'), (SHARED, 'virt-ferry'), (OWN, 'virt-ferry'),
                          ('', 'virt-ferry_fanout')):
        raw.publish(key, body, exchange)
    order = sealed(request('order', {'seconds': 1, 'mark': 'x1'}, queue))
    raw.publish(OWN, order)
    raw.publish(OWN, order)
    replies = raw.get_all(queue, 3)
    equal(len(replies), 2, 'replies')
    equal([len(peer.runs(m, 'x1')) for m in ('echo', 'order')], [1, 1], 'runs')
    for name in bench.queues():
        if name.startswith('virt-ferry'):
            bench.wait_drained(name)


@row('X2', 'the connection lost between delivery and acknowledgement: delivered again, run once')
def x2(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        peer = bench.served(url=bench.url().replace(':%d' % bench.broker.port, ':%d' % proxy.port))
        raw = bench.raw()
        queue = raw.queue()
        # Acknowledged on arrival, but the broker does not hear it.
        proxy.mute()
        raw.publish(OWN, sealed(request('echo', {'mark': 'x2'}, queue)))
        wait_until(lambda: peer.runs('echo', 'x2'), 5, 'the first run')
        proxy.cut()
        proxy.mute(False)
        wait_until(lambda: len(bench.listed('list_consumers')) == 4, 20, 'consumers', 0.2)
        # Not acknowledged yet: the order under way when the connection goes.
        raw.publish(OWN, sealed(request('order', {'seconds': 3, 'mark': 'x2'}, queue)))
        wait_until(lambda: peer.runs('order', 'x2'), 5, 'the order')
        proxy.cut()
        results = [reply['result'] for _, reply in raw.get_all(queue, 8)]
        equal(results, [{'mark': 'x2'}, {'slept': 3}], 'answers')
        bench.wait_drained(OWN)
        equal([len(peer.runs(m, 'x2')) for m in ('echo', 'order')], [1, 1], 'runs')


@row('X3', 'what cannot be read leaves the queue and harms nobody')
def x3(bench):
    peer = bench.served()
    raw = bench.raw()
    good = request('echo', {'mark': 'never'})
    for body in (b'not json', b'[1]', b'""', b'', b'\xff\xfe', b'null', b'{', b'{}',
                 b'{"method": 5}', sealed('{bad'), sealed('[1]'), b'x' * (3 << 20),
                 b'[' * 100000, b'{"a":' * 100000 + b'1' + b'}' * 100000,
                 sealed('[' * 100000), b'"' + b'\\u0041' * 1000, b' ' * (9 << 20)):
        raw.publish(OWN, body)
    for version in ('1.0', '2.1', '3.0', '2', 2.0, None):
        raw.publish(OWN, json.dumps({'oslo.version': version, 'oslo.message': json.dumps(good)}))
    for content_type in (None, 'text/plain', 'application/json; charset=utf-8'):
        raw.publish(OWN, sealed(good), content_type=content_type)
    raw.publish(OWN, b'\x78\x9c broken', headers={'compression': 'application/x-gzip'})
    raw.publish(OWN, sealed(good), headers={'compression': 'application/x-bz2'})
    bench.wait_drained(OWN, 20)
    equal(peer.runs('echo', 'never'), [], 'runs')
    still_serves(bench)
    check('never' not in peer.log(), 'no body in the log')


@row('X4', 'messages without envelope, without id, with unknown keys, without args')
def x4(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    bare = request('echo', {'a': 1}, queue)
    no_id = request('echo', {'a': 2}, queue)
    no_id.pop('_unique_id')
    unknown = request('echo', {'a': 3}, queue, future=[1], options={'x': 1})
    no_args = request('echo', None, queue)
    no_args.pop('args')
    raw.publish(OWN, json.dumps(bare))
    for message in (no_id, unknown, no_args):
        raw.publish(OWN, sealed(message))
    results = [reply['result'] for _, reply in raw.get_all(queue, 2)]
    equal(results, [{'a': 1}, {'a': 2}, {'a': 3}, {}], 'results')


@row('X5', 'values that only Python writes are answered, not waited for')
def x5(bench):
    bench.served()
    for args in ('{"a": NaN}', '{"a": 18446744073709551616}', r'{"a": "\ud800"}',
                 r'{"a": "\u0000"}', '{"a": -Infinity}', '{"a": 1e400}'):
        answer = bench.probe().call('--timeout', '5', 'echo', args)
        check(answer.status in (OK, REMOTE), '%s: %r' % (args, answer))


@row('X6', 'an answer waits for its queue; nobody else waits with it')
def x6(bench):
    bench.served()
    raw = bench.raw()
    missing, there = 'late_' + new_id(), raw.queue()
    raw.publish(OWN, sealed(request('echo', {'a': 'late'}, missing)))
    time.sleep(0.5)
    raw.publish(OWN, sealed(request('echo', {'a': 'now'}, there)))
    equal(raw.get_all(there, 1)[0][1]['result'], {'a': 'now'}, 'the other caller')
    time.sleep(0.7)
    raw.queue(missing)
    equal(raw.get_all(missing, 2)[0][1]['result'], {'a': 'late'}, 'the late queue')


@row('X7', 'a queue that never comes: given up, and not tried again for a minute')
def x7(bench):
    peer = bench.served(rabbit=['kombu_missing_consumer_retry_timeout=3'], debug=True)
    raw = bench.raw()
    dead = 'dead_' + new_id()
    raw.publish(OWN, sealed(request('echo', {'a': 1}, dead)))
    wait_until(lambda: 'did not come back in 3 s' in peer.log(), 8, 'the end of patience', 0.1)
    # Now it comes, too late: what is answered to it within a minute is not even published.
    raw.queue(dead)
    raw.publish(OWN, sealed(request('echo', {'a': 2}, dead)))
    equal(raw.get_all(dead, 2), [], 'published')
    check('is gone' in peer.log(), 'the second answer was dropped unsent')
    still_serves(bench)


@row('X8', 'absurd call-monitor periods')
def x8(bench):
    peer = bench.served()
    raw = bench.raw()
    queue = raw.queue()
    odd = [0, 1, -5, 'abc', 1.9, [], {}, True, 1e300, 10 ** 18, '']
    for value in odd:
        raw.publish(OWN, sealed(request('sleep', {'seconds': 1.2}, queue, _timeout=value)))
    replies = raw.get_all(queue, 4)
    equal([reply['ending'] for _, reply in replies], [True] * len(odd), 'replies')
    equal(peer.process.poll(), None, 'alive')


@row('X9', 'malformed fields of a request are told, not suffered')
def x9(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    cases = [
        ({'version': None}, 'UnsupportedVersion'), ({'version': '1'}, 'ValueError'),
        ({'version': 'abc'}, 'ValueError'), ({'version': 1.0}, 'ValueError'),
        ({'version': '1.0.1'}, 'UnsupportedVersion'), ({'namespace': ''}, 'UnsupportedVersion'),
        ({'namespace': 7}, 'UnsupportedVersion'), ({'method': None}, 'TypeError'),
        ({'method': ['echo']}, 'TypeError'), ({'args': [1]}, 'TypeError'),
        ({'args': 'x'}, 'TypeError'), ({'method': ''}, 'NoSuchMethod'),
    ]
    for keys, _ in cases:
        message = request('echo', {}, queue)
        message.update(keys)
        raw.publish(OWN, sealed(message))
    classes = [json.loads(reply['failure'])['class'] for _, reply in raw.get_all(queue, 2)]
    equal(classes, [name for _, name in cases], 'classes')


@row('X10', 'a message at which the broker ends the connection delays the others a moment only')
def x10(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        proxy.poison = b'poison'
        peer = bench.served(url=bench.url().replace(':%d' % bench.broker.port, ':%d' % proxy.port))
        raw = bench.raw()
        queue, events = raw.queue(), raw.queue()
        raw.channel.queue_bind(events, 'virt-ferry', 'notifications.info')
        for number in range(10):
            raw.publish(OWN, sealed(request('echo', {'a': number}, queue)))
            if number == 5:
                raw.publish(OWN, sealed(request('echo', {'a': 'poison'}, queue)))
        # What the broker had not confirmed when it ended the connection is sent again, so an answer
        # may come twice. It has the same id both times, and stock oslo.messaging drops the second.
        answers = {reply['_unique_id']: reply['result']['a'] for _, reply in raw.get_all(queue, 12)}
        equal(sorted(answers.values()), list(range(10)), 'answers')
        check('it is given up' in peer.log(), 'nothing said')
        # An event is kept; it delays answers and other events a moment.
        raw.publish(OWN, sealed(request('notify', {'count': 1, 'payload': {'x': 'poison'}}, queue)))
        raw.publish(OWN, sealed(request('notify', {'count': 1, 'payload': {'x': 'good'}}, queue)))
        wait_until(lambda: 'tried again later' in peer.log(), 20, 'the end of patience', 0.1)
        raw.publish(OWN, sealed(request('echo', {'a': 'alive'}, queue)))
        results = [reply['result'] for _, reply in raw.get_all(queue, 6)]
        check({'a': 'alive'} in results, results)
        told = raw.get_all(events, 6)
        equal([event['payload']['x'] for _, event in told], ['good'], 'events')
        proxy.poison = None
        wait_until(lambda: raw.get(events, 0.1), 40, 'the event that was kept', 0.5)
