"""R: requests of a stock client."""

import threading
import time

from lab.deadline import wait_until
from lab.tap import check, equal

from probe import OK, REMOTE, TIMEOUT, UNDELIVERED
from raw import inner, request, sealed
from rows import row


def expect(answer, status, document=None):
    equal(answer.status, status, answer)
    if document is not None:
        equal(answer.document, document, answer)


@row('R1', 'a call to the topic and to a server')
def r1(bench):
    bench.served()
    expect(bench.probe().call('echo', '{"a": 1}'), OK, {'a': 1})
    expect(bench.probe().call('--server', 'h1', 'echo', '{"a": 1}'), OK, {'a': 1})


@row('R2', 'a method that returns nothing')
def r2(bench):
    bench.served()
    answer = bench.probe().call('nothing')
    equal((answer.status, answer.documents), (OK, [None]), answer)


@row('R3', 'any text and any JSON, 1 MB of it, comes back unchanged')
def r3(bench):
    bench.served()
    args = '{"a": "☃ 😀", "b": [null, true, false, 1.5, -7, {"x": [1e30, 0.1]}], "c": {"": {}}}'
    expect(bench.probe().call('echo', args), OK, {
        'a': '☃ 😀', 'b': [None, True, False, 1.5, -7, {'x': [1e30, 0.1]}], 'c': {'': {}}})
    # Too long for a command line.
    raw = bench.raw()
    queue, text = raw.queue(), '☃x' * 333333
    raw.publish('virt-ferry', sealed(request('echo', {'text': text}, queue)))
    equal(inner(raw.get(queue, 30)[1])['result'], {'text': text}, '1 MB')


@row('R4', 'the version that is served, and none')
def r4(bench):
    bench.served()
    expect(bench.probe().call('--version', '1.0', 'echo'), OK)
    expect(bench.probe().call('echo'), OK)


@row('R5', 'versions and namespaces that are not served, as stock')
def r5(bench):
    bench.served()
    stock = bench.hold(bench.probe(topic='stock').begin('serve', '--server', 'stock'))
    stock.wait_word('serving')
    for options in (['--version', '1.1'], ['--version', '2.0'], ['--namespace', 'nope'],
                    ['--namespace', 'nope', '--version', '1.0']):
        ours = bench.probe().call(*options, 'echo')
        theirs = bench.probe(topic='stock').call(*options, 'echo')
        equal((ours.status, ours.document), (theirs.status, theirs.document), options)
        equal((ours.status, ours.document['error']), (REMOTE, 'UnsupportedVersion'), options)


@row('R6', 'unknown and private methods, as stock')
def r6(bench):
    bench.served()
    stock = bench.hold(bench.probe(topic='stock').begin('serve', '--server', 'stock'))
    stock.wait_word('serving')
    for method in ('nosuch', '_private'):
        ours = bench.probe().call(method)
        theirs = bench.probe(topic='stock').call(method)
        equal((ours.status, ours.document), (theirs.status, theirs.document), method)
        equal((ours.status, ours.document['error']), (REMOTE, 'NoSuchMethod'), method)


@row('R7', 'missing and unexpected arguments are a TypeError at once')
def r7(bench):
    bench.served()
    for method, args in (('sleep', '{}'), ('echo', '{"zzz": 1}')):
        answer = bench.probe().call(method, args)
        equal((answer.status, answer.document['error']), (REMOTE, 'TypeError'), answer)


@row('R8', 'a failure arrives as a name, and as its class where the caller allows the module')
def r8(bench):
    bench.served()
    answer = bench.probe().call('fail', '{"message": "busy"}')
    expect(answer, REMOTE, {'error': 'InstanceAlreadyMigrating', 'message': 'busy'})
    for kind, module in (('InstanceAlreadyMigrating', 'virt_ferry.exception'),
                         ('InstanceNotFound', 'nova.exception')):
        answer = bench.probe().call('-v', '--allow-exmod', module, 'fail',
                                    '{"kind": "%s", "message": "busy"}' % kind, modules=True)
        expect(answer, REMOTE, {
            'error': kind, 'message': 'busy', 'module': module,
            'kwargs': {'code': kind, 'hint': 'Wait for it', 'details': {'number': 409}}})


@row('R9', 'a cast runs once in all, a fanout once on each')
def r9(bench):
    peers = [bench.served('h1'), bench.served('h2')]
    expect(bench.probe().run('cast', 'echo', '{"mark": "cast"}'), OK)
    expect(bench.probe().run('fanout', 'echo', '{"mark": "fanout"}'), OK)
    wait_until(lambda: all(peer.runs('echo', 'fanout') for peer in peers), 5, 'the fanout')
    wait_until(lambda: any(peer.runs('echo', 'cast') for peer in peers), 5, 'the cast')
    time.sleep(0.5)
    equal(sum(len(peer.runs('echo', 'cast')) for peer in peers), 1, 'casts')
    equal([len(peer.runs('echo', 'fanout')) for peer in peers], [1, 1], 'fanouts')


@row('R10', 'calls spread over the servers, or hit the one they name')
def r10(bench):
    for name in ('h1', 'h2'):
        bench.served(name)
    equal({bench.probe().call('who').document for _ in range(6)}, {'h1', 'h2'}, 'spread')
    equal({bench.probe().call('--server', 'h2', 'who').document for _ in range(3)}, {'h2'}, 'named')


@row('R11', 'thirty callers at once, one of them slow')
def r11(bench):
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    slow = bench.hold(bench.probe().begin('call', '--timeout', '60', 'sleep', '{"seconds": 15}'))
    fast = [bench.hold(bench.probe().begin('call', '--timeout', '60', 'echo', '{"a": %d}' % i))
            for i in range(29)]
    for i, running in enumerate(fast):
        expect(running.wait(), OK, {'a': i})
    raw.publish('virt-ferry', sealed(request('echo', {'a': 1}, queue)))
    check(raw.get(queue, 2) is not None, 'a fast call is answered during a slow one')
    expect(slow.wait(), OK, {'slept': 15})


@row('R12', 'a caller that gave up harms nobody')
def r12(bench):
    peer = bench.served()
    expect(bench.probe().call('--timeout', '2', 'sleep', '{"seconds": 4}'), TIMEOUT)
    peer.wait_fact('slept', 10)
    expect(bench.probe().call('echo', '{"a": 1}'), OK, {'a': 1})


@row('R13', 'no sign of life to a caller that asked for none')
def r13(bench):
    bench.served()
    expect(bench.probe().call('--timeout', '60', 'sleep', '{"seconds": 6}'), OK, {'slept': 6})


def check_beats(replies, begun):
    """Beats each two seconds for 7 s, the answer last."""
    kinds = [(reply['ending'], reply['result'], reply['failure']) for _, reply in replies]
    equal(kinds[:-1], [(False, None, None)] * 3, 'beats')
    equal(kinds[-1], (True, {'slept': 7}, None), 'answer')
    for number, (at, _) in enumerate(replies[:-1]):
        check(abs(at - begun - 2 * (number + 1)) < 0.6, 'beat %d at %g' % (number, at - begun))
    equal(len({reply['_unique_id'] for _, reply in replies}), len(replies), 'fresh ids')


@row('R14', 'signs of life as asked, before the answer and never after')
def r14(bench):
    bench.served()
    expect(bench.probe().call('--timeout', '60', '--call-monitor-timeout', '4', 'sleep',
                              '{"seconds": 7}'), OK, {'slept': 7})
    raw = bench.raw()
    queue = raw.queue()
    begun = time.monotonic()
    raw.publish('virt-ferry', sealed(request('sleep', {'seconds': 7}, queue, _timeout=4)))
    check_beats(raw.get_all(queue, 11), begun)


@row('R15', 'an agent that dies sets its caller free')
def r15(bench):
    peer = bench.served()
    running = bench.hold(bench.probe().begin('call', '--timeout', '60', '--call-monitor-timeout',
                                             '4', 'sleep', '{"seconds": 30}'))
    wait_until(lambda: peer.runs('sleep'), 20, 'the request')
    time.sleep(3)
    peer.kill()
    begun = time.monotonic()
    expect(running.wait(), TIMEOUT)
    check(time.monotonic() - begun < 12, 'free after %g s' % (time.monotonic() - begun))


@row('R16', 'no sign of life for what was refused')
def r16(bench):
    bench.served()
    expect(bench.probe().call('--call-monitor-timeout', '4', 'nosuch'), REMOTE)
    raw = bench.raw()
    queue = raw.queue()
    for method, keys in (('nosuch', {}), ('echo', {'version': '9.0'}), ('order', {})):
        raw.publish('virt-ferry', sealed(request(method, {}, queue, _timeout=2, **keys)))
    replies = raw.get_all(queue, 10)
    equal([reply['ending'] for _, reply in replies], [True, True, True], 'replies')


@row('R17', 'mandatory calls: a server, and none of that name')
def r17(bench):
    bench.served()
    expect(bench.probe().call('--mandatory', '--server', 'h1', 'echo'), OK)
    expect(bench.probe().call('--mandatory', '--server', 'nobody', 'echo'), UNDELIVERED)


@row('R18', 'compressed bodies: gzip is read; X3 has those that are not')
def r18(bench):
    bench.served()
    expect(bench.probe().call('--rabbit', 'kombu_compression=gzip', 'echo', '{"a": 1}'), OK,
           {'a': 1})


@row('R19', 'no token in any log, not even in the most talkative one')
def r19(bench):
    peer = bench.served(debug=True)
    context = '{"request_id": "req-x", "auth_token": "SECRET-TOKEN"}'
    for arguments in (['echo'], ['nosuch'], ['echo', '{"zzz": "SECRET-TOKEN"}'],
                      ['echo', '{"a": NaN, "b": "SECRET-TOKEN"}'], ['fail']):
        bench.probe().call('--context', context, *arguments)
    expect(bench.probe().run('cast', '--context', context, 'fail'), OK)
    wait_until(lambda: len(peer.runs('fail')) == 2, 5, 'the cast')
    peer.stop()
    check('SECRET' not in peer.log(), peer.log())
    check('req-x' in peer.log(), 'the request id is logged')


@row('R20', 'what is not shared must name a server')
def r20(bench):
    bench.served()
    answer = bench.probe().call('order')
    equal((answer.status, answer.document['error']), (REMOTE, 'InvalidRequest'), answer)
    check('must name a server' in answer.document['message'], answer)
    expect(bench.probe().call('--server', 'h1', 'order', '{"seconds": 0}'), OK, {'slept': 0})


@row('R21', "a stock server's own ping")
def r21(bench):
    bench.served()
    expect(bench.probe().call('oslo_rpc_server_ping', '{"anything": 1}'), OK, 'pong')


@row('R22', 'a handler that forgets its caller is told on')
def r22(bench):
    bench.served()
    answer = bench.probe().call('forget')
    equal((answer.status, answer.document['error']), (REMOTE, 'InternalError'), answer)


@row('R23', 'a hundred calls in a row: no timer of anybody has a part in an answer')
def r23(bench):
    """Paired with messages that only go to the broker and back, which cost what the machine is busy
    with. A delayed acknowledgement of TCP alone would be 40 ms."""
    bench.served()
    raw = bench.raw()
    queue = raw.queue()
    answers = []
    raw.channel.basic_consume(queue, lambda *delivery: answers.append(delivery), auto_ack=True)

    def median(exchange, routing_key):
        times = []
        for number in range(100):
            came, begun = len(answers), time.monotonic()
            raw.publish(routing_key, sealed(request('echo', {'a': number}, queue)), exchange)
            while len(answers) == came:
                raw.connection.process_data_events(1)
            times.append(time.monotonic() - begun)
        return sorted(times)[50]

    calls, bare = median('virt-ferry', 'virt-ferry.h1'), median('', queue)
    check(calls < 12 * bare, 'median %.1f ms, and %.1f ms to the broker and back'
          % (calls * 1e3, bare * 1e3))


@row('R24', 'answers survive a stop: an order under way, a stop, its answer still comes')
def r24(bench):
    peer = bench.served()
    raw = bench.raw()
    queue = raw.queue()
    for number in range(50):
        raw.publish('virt-ferry.h1', sealed(request('echo', {'a': number}, queue)))
    wait_until(lambda: len(peer.runs('echo')) >= 50, 10, 'all runs')
    threading.Thread(target=peer.stop).start()
    results = {reply['result']['a'] for _, reply in raw.get_all(queue, 3)}
    equal(results, set(range(50)), 'answers')
