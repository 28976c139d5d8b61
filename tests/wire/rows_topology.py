"""T: what is declared."""

from lab.tap import check, equal

from probe import OK, UNDELIVERED
from raw import request, sealed
from rows import row

TTL = '[{<<"x-expires">>,signedint,1800000}]'


def fanout_queue(bench):
    names = [name for name in bench.queues() if name.startswith('virt-ferry_fanout_')]
    equal(len(names), 1, 'fanout queues')
    return names[0]


@row('T1', 'exchanges, queues, bindings and consumers are those of a stock server, and the claim')
def t1(bench):
    bench.served()
    fanout = fanout_queue(bench)
    exchanges = {line[0]: line[1:] for line in bench.listed(
        'list_exchanges', 'name', 'type', 'durable', 'auto_delete', 'internal', 'arguments')
        if line[0] and not line[0].startswith('amq.')}
    equal(exchanges, {
        'virt-ferry': ['topic', 'false', 'false', 'false', '[]'],
        'virt-ferry_fanout': ['fanout', 'false', 'true', 'false', '[]'],
    }, 'exchanges')
    equal(bench.queues('durable', 'auto_delete', 'exclusive', 'arguments'), {
        'virt-ferry': ['false', 'false', 'false', '[]'],
        'virt-ferry.h1': ['false', 'false', 'false', '[]'],
        fanout: ['false', 'false', 'false', TTL],
        'virt-ferry_claim_h1': ['false', 'false', 'true', '[]'],
    }, 'queues')
    bindings = {tuple(line) for line in bench.listed(
        'list_bindings', 'source_name', 'destination_name', 'routing_key') if line[0]}
    equal(bindings, {
        ('virt-ferry', 'virt-ferry', 'virt-ferry'),
        ('virt-ferry', 'virt-ferry.h1', 'virt-ferry.h1'),
        ('virt-ferry_fanout', fanout, 'virt-ferry'),
    }, 'bindings')
    consumers = {tuple(line) for line in bench.listed(
        'list_consumers', 'queue_name', 'consumer_tag', 'ack_required', 'arguments')}
    equal(consumers, {
        ('virt-ferry', '1', 'true', '[]'),
        ('virt-ferry.h1', '2', 'true', '[]'),
        (fanout, '3', 'true', '[]'),
        ('virt-ferry_claim_h1', 'claim', 'true', '[]'),
    }, 'consumers')


@row('T2', 'a stock server on the same topic, started after and before, disagrees in nothing')
def t2(bench):
    bench.served()
    stock = bench.probe().begin('serve', '--server', 'stock')
    bench.hold(stock)
    stock.wait_word('serving')
    bench.peer('h2').ready()
    equal(bench.broker_log_about('PRECONDITION'), [], 'refused declarations')
    equal(bench.queues('consumers')['virt-ferry'], ['3'], 'consumers of the shared queue')


@row('T3', 'a clean stop deletes the own fanout queue and leaves the other two')
def t3(bench):
    peer = bench.served()
    equal(peer.stop(), 0, 'exit status')
    equal(set(bench.queues()), {'virt-ferry', 'virt-ferry.h1'}, 'queues')


@row('T4', 'amqp_durable_queues; the caller that disagrees is refused, the agent is unharmed')
def t4(bench):
    peer = bench.served(rabbit=['amqp_durable_queues=true'])
    answer = bench.probe().call('--rabbit', 'amqp_durable_queues=true', 'echo', '{"a": 1}')
    equal((answer.status, answer.document), (OK, {'a': 1}), answer)
    durable = bench.queues('durable')
    equal([durable['virt-ferry'], durable['virt-ferry.h1'], durable[fanout_queue(bench)]],
          [['true'], ['true'], ['false']], 'durable')
    answer = bench.probe().call('echo')
    equal(answer.status, UNDELIVERED, answer)
    check('406' in answer.document['message'], answer)
    check(bench.probe().call('--rabbit', 'amqp_durable_queues=true', 'echo').status == OK,
          'the agent still answers')
    equal(peer.process.poll(), None, 'the agent lives')


@row('T5', 'rabbit_quorum_queue')
def t5(bench):
    bench.peer(rabbit=['rabbit_quorum_queue=true',
                       'rabbit_quorum_delivery_limit=5']).ready(40)
    answer = bench.probe().call('--rabbit', 'rabbit_quorum_queue=true', '--rabbit',
                                'rabbit_quorum_delivery_limit=5', 'echo', '{"a": 1}')
    equal((answer.status, answer.document), (OK, {'a': 1}), answer)
    kinds = bench.queues('type')
    equal([kinds['virt-ferry.h1'], kinds[fanout_queue(bench)]], [['quorum'], ['classic']], 'types')


@row('T5b', 'rabbit_transient_quorum_queue')
def t5b(bench):
    bench.peer(rabbit=['rabbit_quorum_queue=true',
                       'rabbit_transient_quorum_queue=true']).ready(40)
    raw = bench.raw()
    queue = raw.queue()
    raw.publish('virt-ferry.h1', sealed(request('echo', {'a': 1}, queue)))
    equal([reply['result'] for _, reply in raw.get_all(queue, 2)], [{'a': 1}], 'answer')
    queues = bench.queues('type', 'durable')
    equal([queues['virt-ferry.h1'], queues[fanout_queue(bench)]], [['quorum', 'true']] * 2, 'queues')


@row('T6', 'queues that disagree are told once as a matter of configuration, without a loop')
def t6(bench):
    bench.served()
    other = bench.peer('h2', rabbit=['amqp_durable_queues=true'])
    refused = other.wait_fact('refused')['refused']
    check('406' in refused['message'] and refused['hint'], refused)
    equal(len(other.facts('refused')), 1, 'told')
    warnings = [line for line in other.log().splitlines()
                if 'WARNING' in line and 'The broker is RabbitMQ 4' not in line]
    equal(warnings, [], 'logged beside it')
