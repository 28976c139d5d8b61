"""B: the dialect for everybody else: bare JSON, reply_to and correlation_id."""

import json

from lab.deadline import wait_until
from lab.tap import check, equal

from raw import new_id
from rows import row

SHARED, OWN = 'virt-ferry', 'virt-ferry.h1'


def ask(raw, queue, key, body, **properties):
    """One bare call; returns its answer's document."""
    correlation = 'c-' + new_id()
    raw.publish(key, body if isinstance(body, (str, bytes)) else json.dumps(body), reply_to=queue,
                correlation_id=correlation, **properties)
    message = raw.get(queue, 5)
    check(message is not None, 'an answer to %r' % (body,))
    equal(message[0].correlation_id, correlation, 'correlation')
    equal(message[0].content_type, 'application/json', 'content type')
    return json.loads(message[1])


def error_of(document):
    equal(set(document), {'error'}, document)
    equal(set(document['error']), {'code', 'message', 'hint', 'details'}, document)
    return document['error']


@row('B1', 'a call, and one that returns nothing')
def b1(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    equal(ask(raw, queue, OWN, {'method': 'echo', 'args': {'a': '☃'}}), {'result': {'a': '☃'}})
    equal(ask(raw, queue, SHARED, {'method': 'nothing'}), {'result': None})


@row('B2', 'without reply_to it is a cast')
def b2(bench):
    peer = bench.served()
    raw = bench.raw()
    raw.publish(OWN, json.dumps({'method': 'echo', 'args': {'mark': 'b2'}}))
    wait_until(lambda: peer.runs('echo', 'b2'), 5, 'the cast')
    bench.wait_drained(OWN)


@row('B3', 'unknown methods, bad arguments and unread bodies are InvalidRequest')
def b3(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    for body in ({'method': 'nosuch'}, {'method': 'echo', 'args': {'zzz': 1}},
                 {'method': 'sleep'}, {'args': {}}, {'method': 'echo', 'args': [1]},
                 'not json', '[1]', '{"method": "echo", "args": {"a": NaN}}', b'[' * 100000,
                 b'x' * (3 << 20), b' ' * (9 << 20)):
        equal(error_of(ask(raw, queue, OWN, body))['code'], 'InvalidRequest', body[:40]
              if isinstance(body, (str, bytes)) else body)
    document = ask(raw, queue, OWN, {'method': 'echo'}, content_type='text/plain')
    equal(error_of(document)['code'], 'InvalidRequest', document)
    bench.wait_drained(OWN)


@row('B4', 'a failure has code, message, hint and details')
def b4(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    document = ask(raw, queue, OWN, {'method': 'fail', 'args': {'message': 'busy'}})
    equal(error_of(document), {'code': 'InstanceAlreadyMigrating', 'message': 'busy',
                               'hint': 'Wait for it', 'details': {'number': 409}})


@row('B5', 'what is not shared must name a server')
def b5(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    error = error_of(ask(raw, queue, SHARED, {'method': 'order'}))
    equal(error['code'], 'InvalidRequest', error)
    check('must name a server' in error['message'] and error['hint'], error)
    equal(ask(raw, queue, OWN, {'method': 'order', 'args': {'seconds': 0}}),
          {'result': {'slept': 0}})


@row('B6', 'a message_id is known again')
def b6(bench):
    peer = bench.served()
    raw = bench.raw()
    name = new_id()
    for _ in range(3):
        raw.publish(OWN, json.dumps({'method': 'echo', 'args': {'mark': 'b6'}}), message_id=name)
    bench.wait_drained(OWN)
    wait_until(lambda: peer.runs('echo', 'b6'), 5, 'the run')
    equal(len(peer.runs('echo', 'b6')), 1, 'runs')


@row('B7', "RabbitMQ's direct reply-to")
def b7(bench):
    bench.served()
    raw = bench.raw()
    answers = []
    direct = 'amq.rabbitmq.reply-to'
    raw.channel.basic_consume(direct, lambda *delivery: answers.append(delivery[3]), auto_ack=True)
    for number in range(3):
        raw.publish(OWN, json.dumps({'method': 'echo', 'args': {'a': number}}), reply_to=direct,
                    correlation_id=str(number))
    # A while longer than it takes: each comes once.
    raw.connection.sleep(1.5)
    equal([json.loads(body) for body in answers], [{'result': {'a': n}} for n in range(3)])
