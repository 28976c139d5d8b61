"""H: one agent a name: the claim on it, and who gives way."""

import time

from lab.deadline import wait_until
from lab.tap import check, equal

from probe import OK
from proxy import Proxy
from raw import request, sealed
from rows import row

OWN = 'virt-ferry.h1'
CLAIM = 'virt-ferry_claim_h1'


def through(bench, proxy):
    return bench.url().replace(':%d/' % bench.broker.port, ':%d/' % proxy.port)


def serves(bench, peer):
    before = len(peer.runs('echo'))
    for number in range(4):
        answer = bench.probe().call('--server', 'h1', 'echo', '{"a": %d}' % number)
        equal((answer.status, answer.document), (OK, {'a': number}), answer)
    equal(len(peer.runs('echo')) - before, 4, 'calls that came to this one')


def is_claimed(bench):
    return bench.queues('consumers').get(CLAIM) == ['1']


@row('H1', 'a second agent with the name of the first says so, and no call ever comes to it')
def h1(bench):
    first = bench.served()
    second = bench.peer()
    taken = second.wait_fact('taken', 20)['taken']
    check("Another agent serves 'h1'" in taken['message'] and 'host in [DEFAULT]' in taken['hint'],
          taken)
    equal(second.facts('ready'), [], 'the second one does not serve')
    serves(bench, first)
    first.stop()
    second.wait_fact('ready', 30)
    serves(bench, second)
    equal(len(second.facts('taken')), 1, 'told once')


@row('H2', 'after a broken link an agent serves again at once, and claims its name when it can')
def h2(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        peer = bench.served(url=through(bench, proxy), rabbit=['heartbeat_timeout_threshold=4'],
                            debug=True)
        # The broker keeps the old connection, which is not closed, until its heartbeat ends.
        proxy.freeze()
        wait_until(lambda: peer.log().count('heartbeat timeout') >= 2, 14, 'the alarm', 0.1)
        proxy.thaw()
        wait_until(lambda: proxy.accepted >= 4, 20, 'new connections', 0.1)
        serves(bench, peer)
        wait_until(lambda: is_claimed(bench), 30, 'the claim', 0.5)
        equal(peer.facts('taken'), [], 'its own old connection is no other agent')
        serves(bench, peer)


@row('H3', 'a claim left by a connection that died in silence keeps nobody out')
def h3(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        dead = bench.served(url=through(bench, proxy), rabbit=['heartbeat_timeout_threshold=8'])
        proxy.freeze()
        dead.kill()
        begun = time.monotonic()
        peer = bench.served()
        check(time.monotonic() - begun < 8, 'served after %.1f s' % (time.monotonic() - begun))
        equal(peer.facts('taken'), [], 'a silent connection is no agent')
        # What the broker gave the dead connection comes back with its end.
        wait_until(lambda: bench.queues('consumers').get(OWN) == ['1'] and is_claimed(bench), 60,
                   'the claim', 0.5)
        serves(bench, peer)


@row('H4', 'an agent of an earlier version, which claims nothing, keeps its name')
def h4(bench):
    raw = bench.raw()
    raw.channel.queue_declare(OWN)
    raw.channel.basic_consume(OWN, lambda channel, method, properties, body: channel.basic_publish(
        '', properties.reply_to,
        b'{"result": {"host": "h1", "version": "0.1.0", "started_at": "2026-01-01T00:00:00Z"}}',
        type(properties)(correlation_id=properties.correlation_id,
                         content_type='application/json')), auto_ack=True)
    second = bench.peer()
    wait_until(lambda: raw.connection.process_data_events(0.1) or second.facts('taken'), 30,
               'the word')
    check('version 0.1.0' in second.facts('taken')[0]['taken']['message'], second.facts('taken'))
    equal(second.facts('ready'), [], 'the second one does not serve')


def came_back(peer):
    return peer.log().count('Broker (consume): connected')


@row('H5', 'what leads to an agent is taken away: noticed and mended in thirty seconds, said once')
def h5(bench):
    peer = bench.served()
    channel = bench.raw().channel
    for name, take in (
            ('binding', lambda: channel.queue_unbind(OWN, 'virt-ferry', OWN)),
            ('exchange', lambda: channel.exchange_delete('virt-ferry')),
            ('fanout', lambda: channel.exchange_delete('virt-ferry_fanout'))):
        before, said = came_back(peer), peer.log().count('WARNING')
        take()
        wait_until(lambda: came_back(peer) > before, 28, name, 0.1)
        time.sleep(1)
        equal(came_back(peer) - before, 1, 'new connections after the ' + name)
        said = peer.log().count('WARNING') - said
        check(1 <= said <= 2, '%s: %d lines\n%s' % (name, said, peer.log()))
        serves(bench, peer)
    # All of the queues, the shared one and that of the fanout too, are bound again.
    equal(len([line for line in bench.listed('list_bindings', 'source_name') if line[0]]), 3,
          'bindings')


@row('H6', 'a deleted queue of notifications: the next event makes it again and is in it')
def h6(bench):
    peer = bench.served()
    raw = bench.raw()
    raw.publish(OWN, sealed(request('notify', {'count': 1})))
    peer.wait_fact('confirmed', 30)
    raw.get('notifications.info')
    raw.channel.queue_delete('notifications.info')
    raw.publish(OWN, sealed(request('notify', {'count': 3})))
    peer.wait_fact('confirmed', 30, 4)
    equal(len(raw.get_all('notifications.info', 3)), 3, 'events')
    equal(peer.log().count('was deleted or no longer bound'), 1, peer.log())
    # With a second queue nothing is returned.
    raw.channel.queue_bind(raw.queue('second'), 'virt-ferry', 'notifications.info')
    raw.channel.queue_delete('notifications.info')
    time.sleep(10.5)
    raw.publish(OWN, sealed(request('notify', {'count': 1})))
    peer.wait_fact('confirmed', 30, 5)
    equal(len(raw.get_all('notifications.info', 2)), 1, 'the event')


@row('H7', 'a user who may not claim names serves as before')
def h7(bench):
    broker = bench.broker
    broker.add_user('narrow', 'narrow')
    broker.set_permissions('narrow', bench.vhost,
                           r'^(virt-ferry(\..*|_fanout.*)?|reply_.*|notifications\..*)$', '.*',
                           '.*')
    peer = bench.served(url=bench.url().replace('guest:guest', 'narrow:narrow'))
    check('does not let this agent claim its name' in peer.log(), peer.log())
    serves(bench, peer)
