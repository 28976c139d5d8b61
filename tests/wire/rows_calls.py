"""A: the bus as a caller: an agent asks other agents."""

import json
import time

from lab.deadline import wait_until
from lab.tap import check, equal

from probe import OK
from proxy import Proxy
from raw import request, sealed
from rows import row


class Caller:
    """Makes one peer ask another and reads what it got."""

    def __init__(self, bench, server='h1'):
        self._raw, self._server = bench.raw(), server
        self._queue = self._raw.queue()

    def ask(self, method, server=None, wait=10, **more):
        more.update({'ask': method})
        if server:
            more['server'] = server
        self._raw.publish('virt-ferry.' + self._server, sealed(request('call', more, self._queue)))
        message = self._raw.get(self._queue, wait)
        check(message is not None, 'an answer to %s' % method)
        return json.loads(json.loads(message[1])['oslo.message'])['result']


@row('A1', 'a call to another agent, its reply queue made at the first call')
def a1(bench):
    bench.served('h1')
    bench.served('h2')
    # Of three queues, and of the claim of the name.
    equal(len(bench.listed('list_consumers')), 8, 'consumers before')
    caller = Caller(bench)
    equal(caller.ask('who', 'h2'), {'result': 'h2'})
    equal(caller.ask('nothing', 'h2'), {'result': None})
    check(caller.ask('who')['result'] in ('h1', 'h2'), 'any')
    equal(len(bench.listed('list_consumers')), 9, 'consumers after')


@row('A2', 'the far side\'s error arrives with code, hint and details')
def a2(bench):
    bench.served('h1')
    bench.served('h2')
    caller = Caller(bench)
    for kind in ('InstanceNotFound', 'InstanceAlreadyMigrating', 'MigrationPreCheckError'):
        equal(caller.ask('fail', 'h2', args={'kind': kind, 'message': 'busy'}),
              {'error': {'code': kind, 'message': 'busy', 'hint': 'Wait for it',
                         'details': {'number': 409}}})
    error = caller.ask('nosuch', 'h2')['error']
    equal((error['code'], error['details']['class']), ('RemoteError', 'NoSuchMethod'), error)


@row('A3', 'no agent: told at once; no answer: told in time; given up: told')
def a3(bench):
    bench.served('h1')
    bench.served('h2')
    caller = Caller(bench)
    begun = time.monotonic()
    error = caller.ask('who', 'nobody', timeout_ms=8000)['error']
    equal((error['code'], error['details']), ('DestinationUnreachable', {'reason': 'no-queue'}))
    check(time.monotonic() - begun < 3, 'at once')
    error = caller.ask('sleep', 'h2', args={'seconds': 5}, timeout_ms=1000)['error']
    equal((error['code'], error['details']), ('DestinationUnreachable', {'reason': 'no-answer'}))
    begun = time.monotonic()
    error = caller.ask('sleep', 'h2', args={'seconds': 5}, timeout_ms=9000, cancel_ms=200)['error']
    equal(error['code'], 'Cancelled', error)
    check(time.monotonic() - begun < 3, 'given up at once')


@row('A4', 'a survey hears every agent')
def a4(bench):
    for name in ('h1', 'h2', 'h3'):
        bench.served(name)
    raw = bench.raw()
    queue = raw.queue()
    raw.publish('virt-ferry.h1', sealed(request('survey', {'ask': 'who', 'window_ms': 1500},
                                                queue)))
    message = raw.get(queue, 6)
    equal(sorted(json.loads(json.loads(message[1])['oslo.message'])['result']),
          ['h1', 'h2', 'h3'], 'answers')


@row('A5', 'a call without a broker ends in time, and is not sent later')
def a5(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        url = bench.url().replace(':%d' % bench.broker.port, ':%d' % proxy.port)
        first = bench.served('h1', url=url)
        other = bench.served('h2')
        caller = Caller(bench)
        equal(caller.ask('who', 'h2'), {'result': 'h2'})
        # The first agent hears the order, and from then on nobody hears the first agent.
        proxy.mute()
        raw = bench.raw()
        queue = raw.queue()
        raw.publish('virt-ferry.h1', sealed(request('call', {
            'ask': 'echo', 'server': 'h2', 'timeout_ms': 1500, 'args': {'mark': 'late'}}, queue)))
        wait_until(lambda: len(first.runs('call')) == 2, 5, 'the order')
        time.sleep(2.5)
        proxy.cut()
        proxy.mute(False)
        # Its answer was kept until there was a broker again.
        results = [reply['result'] for _, reply in raw.get_all(queue, 6)]
        equal([result['error']['details'] for result in results], [{'reason': 'no-broker'}])
        equal(other.runs('echo', 'late'), [], 'runs')


@row('A6', 'a stock server\'s failure is told by its class')
def a6(bench):
    bench.served('h1')
    stock = bench.hold(bench.probe().begin('serve', '--server', 'stock'))
    stock.wait_word('serving')
    caller = Caller(bench)
    equal(caller.ask('echo', 'stock', args={'k': 1}), {'result': {'k': 1}})
    error = caller.ask('fail', 'stock', args={'kind': 'value', 'message': 'bad'})['error']
    equal((error['code'], error['message'], error['details']['class']),
          ('RemoteError', 'bad', 'ValueError'), error)


@row('A7', 'a listener hears notifications and takes nothing from others')
def a7(bench):
    listener = bench.served('h1', listen=['notifications.info', 'notifications.sample'])
    probe = bench.probe()
    equal(probe.call('notify', '{"count": 3}').status, OK)
    equal(probe.call('notify', '{"count": 1, "sample": true, "priority": "sample"}').status, OK)
    listener.wait_fact('heard', 5, 4)
    heard = [fact['heard'] for fact in listener.facts('heard')]
    equal([one['payload']['number'] for one in heard if one['priority'] == 'INFO'], [0, 1, 2])
    equal([one['priority'] for one in heard].count('SAMPLE'), 1, 'samples')
    equal(bench.queues('messages')['notifications.info'], ['3'], 'left for others')
    check('notifications.sample' not in bench.queues(), 'no queue for samples')
