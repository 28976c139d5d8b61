"""The rows of the acceptance table: a registry, and what each row is given."""

import os
import re
import tempfile

from lab.certs import Authority
from lab.deadline import wait_until

from peer import Peer
from probe import Probe
from raw import Raw

ROWS = []
# As the releases of RabbitMQ 4 write it among other arguments.
NO_TYPE = re.compile(r',?\{(?:"x-queue-type","?classic"?|<<"x-queue-type">>,longstr,<<"classic">>)\}')


def row(name, what, lane='shared'):
    """Registers a function of one Bench. Rows of lane "shared" run side by side on one broker, each
    in a vhost of its own; those of lane "alone" one after the other, each on its own broker."""
    def register(function):
        ROWS.append((name, what, lane, function))
        return function
    return register


class Certificates:
    """A private authority, the broker's certificate for localhost, and a client's."""

    _folders = []

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix='ferry-certs-')
        Certificates._folders.append(self._folder)
        # The broker runs as another user.
        os.chmod(self._folder.name, 0o755)
        self.authority = self._authority('good')
        self.stranger = self._authority('stranger')
        self.key, self.certificate = self.authority.issue('localhost', ['127.0.0.1'],
                                                            self._path('broker'))
        self.client_key, self.client_certificate = self.authority.issue(
            'agent.example.org', [], self._path('client'))
        for path in (self.key, self.certificate):
            os.chmod(path, 0o644)

    def _path(self, name):
        return os.path.join(self._folder.name, name)

    def _authority(self, name):
        authority = Authority(self._path(name))
        authority.create()
        return authority

    @staticmethod
    def remove_all():
        for folder in Certificates._folders:
            folder.cleanup()

    @property
    def ca(self):
        return self.authority.certificate


class Bench:
    """One row's corner of a broker."""

    def __init__(self, broker, vhost, certificates=None):
        self.broker, self.vhost, self.certificates = broker, vhost, certificates
        self._held = []

    def url(self, **more):
        return self.broker.url(vhost=self.vhost, **more)

    def hold(self, thing):
        """Something with a context manager's exit, undone at the row's end."""
        self._held.append(thing)
        return thing

    def peer(self, server='h1', url=None, **more):
        return self.hold(Peer(url or self.url(), server, **more))

    def served(self, server='h1', **more):
        return self.peer(server, **more).ready()

    def probe(self, **more):
        return Probe(self.url(), **more)

    def raw(self):
        return self.hold(Raw(self.url()))

    def release(self):
        """Undoes everything held, whatever fails; raises the first failure."""
        failure = None
        for thing in reversed(self._held):
            try:
                thing.__exit__(None, None, None)
            except Exception as error:  # pylint: disable=broad-except
                failure = failure or error
        if failure:
            raise failure

    # --- what the broker says ---------------------------------------------------------------

    def listed(self, what, *columns):
        return self.broker.table(what, columns, self.vhost)

    def queues(self, *columns):
        """Queue name -> other columns, without the type that RabbitMQ 4 puts among the arguments of
        a queue that named none."""
        return {line[0]: [NO_TYPE.sub('', word) for word in line[1:]]
                for line in self.listed('list_queues', 'name', *columns)}

    def wait_consumers(self, queue, count=1, seconds=10):
        wait_until(lambda: self.queues('consumers').get(queue) == [str(count)], seconds,
                   '%d consumers of %s' % (count, queue), 0.1)

    def wait_drained(self, queue, seconds=30):
        """Nothing waits in the queue and nothing is unacknowledged."""
        columns = ('messages_ready', 'messages_unacknowledged')
        wait_until(lambda: self.queues(*columns).get(queue) == ['0', '0'], seconds,
                   'an empty queue %s' % queue, 0.1)

    def broker_log_about(self, word):
        return [line for line in self.broker.log().splitlines()
                if word in line and "'%s'" % self.vhost in line]
