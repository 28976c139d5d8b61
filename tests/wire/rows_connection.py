"""C: connections: lost, refused, moved, frozen, secured."""

import re
import time

from lab.broker import binary
from lab.deadline import wait_until
from lab.tap import check, equal

from probe import OK, TIMEOUT
from proxy import Proxy
from raw import request, sealed
from rows import row
from rows_topology import fanout_queue

OWN = 'virt-ferry.h1'


def through(bench, proxy):
    return bench.url().replace(':%d/' % bench.broker.port, ':%d/' % proxy.port)


def still_serves(bench):
    answer = bench.probe().call('--server', 'h1', 'echo', '{"a": "alive"}')
    equal((answer.status, answer.document), (OK, {'a': 'alive'}), answer)


@row('C1', 'its queue deleted while idle: declared and consumed again within three seconds')
def c1(bench):
    bench.served()
    bench.raw().channel.queue_delete(OWN)
    bench.wait_consumers(OWN, 1, 3)
    still_serves(bench)


@row('C2', 'all connections closed by the broker: back within five seconds, the answer with it')
def c2(bench):
    peer = bench.served()
    slow = bench.hold(bench.probe().begin('call', '--timeout', '30', 'sleep', '{"seconds": 4}'))
    wait_until(lambda: peer.runs('sleep'), 20, 'the request')
    bench.broker.evaluate('[rabbit_networking:close_connection(Pid, "test") || '
                          '[{pid, Pid}, {vhost, %s}] <- '
                          'rabbit_networking:connection_info_all([pid, vhost])]'
                          % binary(bench.vhost))
    bench.wait_consumers(OWN, 1, 5)
    answer = slow.wait()
    equal((answer.status, answer.document), (OK, {'slept': 4}), answer)
    equal(len(peer.runs('sleep')), 1, 'runs')


@row('C3', 'the broker\'s application stopped and started', lane='alone')
def c3(bench):
    peer = bench.served()
    before = fanout_queue(bench)
    bench.broker.rabbitmqctl('stop_app')
    time.sleep(2)
    bench.broker.rabbitmqctl('start_app')
    wait_until(lambda: bench.queues('consumers').get(OWN) == ['1'], 35, 'the agent', 0.5)
    equal(fanout_queue(bench), before, 'the fanout queue')
    still_serves(bench)
    equal(bench.probe().call('notify', '{"count": 2}').status, OK)
    bench_listener = bench.probe().run('listen', '--seconds', '20', '--count', '2',
                                       topic='notifications')
    equal(bench_listener.status, OK, bench_listener)
    # One line for the loss and one for each reason that nothing comes back, not one a connection.
    check(1 <= peer.log().count('WARNING') <= 4, peer.log())


@row('C4', 'two brokers, the first dead; then the live one dies')
def c4(bench):
    target = ('127.0.0.1', bench.broker.port)
    with Proxy(target) as one, Proxy(target) as two:
        one.close()
        url = 'rabbit://guest:guest@127.0.0.1:%d,guest:guest@127.0.0.1:%d/%s' % (
            one.port, two.port, bench.vhost)
        begun = time.monotonic()
        bench.served(url=url)
        check(time.monotonic() - begun < 4, 'a dead broker in the list costs nothing')
        one.open()
        two.close()
        wait_until(lambda: bench.queues('consumers').get(OWN) == ['1'] and one.accepted >= 2, 5,
                   'the other broker', 0.1)
        still_serves(bench)


@row('C5', 'idle for five heartbeat periods; then a frozen link is noticed within two')
def c5(bench):
    with Proxy(('127.0.0.1', bench.broker.port)) as proxy:
        peer = bench.served(url=through(bench, proxy), rabbit=['heartbeat_timeout_threshold=6'],
                            debug=True)
        wakeups = peer.wakeups()
        time.sleep(30)
        equal(proxy.accepted, 2, 'connections')
        # Two connections, a heartbeat each three seconds either way.
        check(peer.wakeups() - wakeups <= 50, '%d wake-ups' % (peer.wakeups() - wakeups))
        proxy.freeze()
        begun = time.monotonic()
        wait_until(lambda: peer.log().count('heartbeat timeout') >= 2, 14, 'the alarm', 0.1)
        check(time.monotonic() - begun < 12.5, 'noticed after %g s' % (time.monotonic() - begun))
        proxy.cut()
        proxy.thaw()
        wait_until(lambda: bench.queues('consumers').get(OWN) == ['1'], 20, 'the agent', 0.2)
        still_serves(bench)


@row('C6', 'TLS: the right authority, the wrong one, the wrong name, a client certificate')
def c6(bench):
    certificates = bench.certificates
    good = ['ssl=true', 'ssl_ca_file=' + certificates.ca]
    lax = good + ['ssl_enforce_hostname_verification=false']
    # The certificate has localhost and 127.0.0.1. The resolver takes 127.1 for an address, a
    # certificate for a name.
    by_name, by_address, by_other_name = (
        bench.url(tls=True, address=a) for a in ('localhost', '127.0.0.1', '127.1'))
    aside = bench.hold(Proxy(('127.0.0.1', bench.broker.tls.port), '127.0.0.2'))
    by_other_address = by_address.replace(
        '@127.0.0.1:%d' % bench.broker.tls.port, '@127.0.0.2:%d' % aside.port)
    bench.peer('name', by_name, rabbit=good).ready()
    bench.peer('address', by_address, rabbit=good).ready()
    bench.peer('any-name', by_other_name, rabbit=lax).ready()
    bench.peer('any-address', by_other_address, rabbit=lax).ready()
    bench.peer('system', by_address, rabbit=['ssl=true'],
               environment={'SSL_CERT_FILE': certificates.ca}).ready()
    bench.peer('client', by_address, rabbit=good + [
        'ssl_cert_file=' + certificates.client_certificate,
        'ssl_key_file=' + certificates.client_key]).ready()
    subjects = ' '.join(sum(bench.broker.table('list_connections', ['peer_cert_subject']), []))
    check('agent.example.org' in subjects, subjects)
    refused = [
        (by_address, ['ssl=true'], 'verification failed (check ssl_ca_file'),
        (by_address, ['ssl=true', 'ssl_ca_file=' + certificates.stranger.certificate],
         'verification failed (check ssl_ca_file'),
        (by_other_name, good, 'hostname verification failed'),
        (by_other_name, good, 'ssl_enforce_hostname_verification = false'),
        (by_other_address, good, 'address in transport_url must be in the certificate'),
        (bench.url(), good, 'SSL'),
        (by_address, ['ssl=true', 'ssl_ca_file=/nonexistent'], 'ssl_ca_file'),
        (by_address, [], ''),
    ]
    peers = [(bench.peer('no%d' % i, url, rabbit=options), word)
             for i, (url, options, word) in enumerate(refused)]
    for peer, word in peers:
        # Others may come first: a handshake takes its time on a busy machine. What only a person can
        # mend is told as a refusal.
        wait_until(lambda: any(word.lower() in said.lower() for said in
                               re.findall('WARNING.*', peer.log())
                               + [refusal['refused']['message'] + (refusal['refused']['hint'] or '')
                                  for refusal in peer.facts('refused')]), 40,
                   '%r from %s' % (word, peer.server))
        equal(peer.facts('ready'), [], 'ready')


@row('C7', 'a wrong password, an unknown vhost, no permission: one clear error, no loop')
def c7(bench):
    broker = bench.broker
    broker.add_user('nobody', 'secret-word')
    broker.set_permissions('nobody', bench.vhost, '^$', '^$', '^$')
    with Proxy(('127.0.0.1', broker.port)) as proxy:
        for url, word in (
                (through(bench, proxy).replace('guest:guest', 'guest:wr0ng-word'), '403'),
                (through(bench, proxy).replace('/' + bench.vhost, '/nowhere'), '530'),
                (through(bench, proxy).replace('guest:guest', 'nobody:secret-word'), '403')):
            before = proxy.accepted
            peer = bench.peer(url=url)
            refused = peer.wait_fact('refused')['refused']
            check(word in refused['message'] and refused['hint'], refused)
            equal(peer.wait_fact('unready')['unready']['details'], {'reason': 'refused'})
            time.sleep(4)
            equal(len(peer.facts('refused')), 1, 'told once')
            check(proxy.accepted - before <= 2, 'tries')
            check('closed with' not in peer.log(), 'told twice: ' + peer.log())
            check('-word' not in peer.log(), 'the password in the log')
            peer.kill()


@row('C8', 'the forms of a transport_url lead to the vhost they name')
def c8(bench):
    broker = bench.broker
    broker.add_vhosts('foo', '/foo', 'foo/bar')
    base = 'rabbit://guest:guest@127.0.0.1:%d' % broker.port
    for path, vhost in (('', '/'), ('/', '/'), ('//', '/'), ('/%2F', '/'), ('/foo', 'foo'),
                        ('//foo', '/foo'), ('/foo%2Fbar', 'foo/bar'), ('/foo/bar', 'foo/bar'),
                        ('/foo?heartbeat_timeout_threshold=7', 'foo')):
        peer = bench.peer('form', base + path).ready()
        found = [line for line in broker.table('list_connections',
                                               ['vhost', 'client_properties', 'timeout'])
                 if 'rpc-server:%d:' % peer.process.pid in line[1]]
        equal([line[0] for line in found], [vhost, vhost], path)
        if '?' in path:
            equal([line[2] for line in found], ['7', '7'], 'heartbeat')
        equal(peer.stop(), 0, 'exit')


@row('C9', 'what was sent while the agent was down: casts run, dead calls do not')
def c9(bench):
    bench.served().stop()
    for number in range(3):
        equal(bench.probe().run('cast', '--server', 'h1', 'echo', '{"mark": %d}' % number).status,
              OK)
    answer = bench.probe().call('--timeout', '1', '--server', 'h1', 'echo', '{"mark": "dead"}')
    equal(answer.status, TIMEOUT, answer)
    time.sleep(2)
    peer = bench.served()
    wait_until(lambda: len(peer.runs('echo')) == 3, 5, 'the casts')
    time.sleep(0.5)
    equal([run['mark'] for run in peer.runs('echo')], [0, 1, 2], 'runs')


@row('C10', 'an idle bus sleeps')
def c10(bench):
    peer = bench.served()
    time.sleep(1)
    before = peer.wakeups()
    time.sleep(35)
    woken = peer.wakeups() - before
    check(woken <= 8, '%d wake-ups in 35 s' % woken)


@row('C11', 'an answer that finds no broker waits for it', lane='alone')
def c11(bench):
    peer = bench.served(rabbit=['amqp_durable_queues=true'])
    raw = bench.raw()
    raw.channel.queue_declare('answers', durable=True)
    raw.publish(OWN, sealed(request('sleep', {'seconds': 2}, 'answers')))
    wait_until(lambda: peer.runs('sleep'), 5, 'the request')
    bench.broker.stop()
    peer.wait_fact('slept', 5)
    bench.broker.start()
    with type(raw)(bench.url()) as again:
        equal(again.get_all('answers', 35)[0][1]['result'], {'slept': 2}, 'the answer')


def read_events(bench, wanted):
    """Numbers of all events that wait, by message_id."""
    numbers = {}
    with bench.raw() as raw:
        end = time.monotonic() + 40
        while len(numbers) < wanted and time.monotonic() < end:
            for method, _, body in raw.channel.consume('notifications.info', auto_ack=True,
                                                       inactivity_timeout=2):
                if method is None:
                    break
                text = body.decode()
                numbers[re.search(r'message_id\\": \\"([-0-9a-f]+)', text).group(1)] = int(
                    re.search(r'number\\": (\d+)', text).group(1))
    return sorted(numbers.values())


@row('C12', 'ten thousand notifications across a broker that is killed: none is lost',
     lane='alone')
def c12(bench):
    peer = bench.served(rabbit=['amqp_durable_queues=true'])
    bench.raw().publish(OWN, sealed(request('notify', {'count': 10000})))
    wait_until(lambda: any(f['confirmed'] >= 2000 for f in peer.facts('confirmed')), 30, 'a start')
    bench.broker.kill()
    bench.broker.start()
    begun = time.monotonic()
    wait_until(lambda: any(f['confirmed'] == 10000 for f in peer.facts('confirmed')), 60, 'the end')
    check(time.monotonic() - begun < 45, 'drained in %g s' % (time.monotonic() - begun))
    equal(read_events(bench, 10000), list(range(10000)), 'events')


def set_watermark(broker, size):
    broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark({absolute, %d})' % size)


@row('C13', 'a broker under alarm: orders come in, what goes out waits and then goes',
     lane='alone')
def c13(bench):
    peer = bench.served()
    broker = bench.broker
    equal(bench.probe().call('notify', '{"count": 1}').status, OK)
    raw = bench.raw()
    raw.publish(OWN, sealed(request('sleep', {'seconds': 3})))
    raw.publish(OWN, sealed(request('notify', {'count': 5})))
    peer.wait_fact('confirmed', 5, 6)
    raw.publish(OWN, sealed(request('sleep', {'seconds': 3, 'mark': 'alarm'})))
    set_watermark(broker, 10 ** 6)
    # The client of the next order is blocked too, so it was sent before; its event comes now.
    wait_until(lambda: peer.runs('sleep', 'alarm'), 5, 'the order')
    time.sleep(5)
    equal(peer.process.poll(), None, 'alive')
    set_watermark(broker, 2 * 10 ** 9)
    still_serves(bench)
