"""Runs oslo_probe.py: what an unmodified oslo.messaging program would see."""

import concurrent.futures
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
OK, USAGE, REMOTE, TIMEOUT, UNDELIVERED, PROTOCOL = 0, 2, 3, 4, 5, 6


class Answer:
    def __init__(self, status, output, errors):
        self.status, self.errors = status, errors
        self.documents = [json.loads(line) for line in output.splitlines() if line]
        self.document = self.documents[-1] if self.documents else None

    def __repr__(self):
        return '<exit %d %r %s>' % (self.status, self.document, self.errors[-600:])


class Server:
    """probe_server.py, started when the first probe is asked for."""

    def __init__(self):
        self._lock = threading.Lock()
        self._requests = None

    def _start(self):
        self._requests, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._requests.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        # Only files of the distribution: its oslo.messaging is the reference.
        subprocess.Popen(['/usr/bin/python3', os.path.join(HERE, 'probe_server.py')], stdin=end,
                         stdout=subprocess.DEVNULL,
                         env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
        end.close()

    def fork(self, arguments, modules, files):
        """A probe with these arguments, which writes to these files."""
        with self._lock:
            if not self._requests:
                self._start()
            socket.send_fds(self._requests, [json.dumps([arguments, modules]).encode()], files)


SERVER = Server()


class Running:
    """A probe in the background."""

    def __init__(self, command, url, arguments, exchange, topic, modules):
        pipes = [os.pipe() for _ in range(3)]
        SERVER.fork([command, '--url', url, '--exchange', exchange, '--topic', topic,
                     *arguments], os.path.join(HERE, 'modules') if modules else None,
                    [write for _, write in pipes])
        for _, write in pipes:
            os.close(write)
        self._output, self._errors = [os.fdopen(read) for read, _ in pipes[:2]]
        # Without a buffer, in which select() would not see the second line.
        self._told = os.fdopen(pipes[2][0], 'rb', 0)
        self._pid = int(self._told.readline())
        self._head = ''

    def wait_word(self, word):
        """Waits for a line on standard error, such as "listening"."""
        for line in self._errors:
            self._head += line
            if line.strip() == word:
                return self
        raise AssertionError('the probe never said %s: %s' % (word, self._head))

    def wait(self, seconds=90):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            output, errors = pool.submit(self._output.read), pool.submit(self._errors.read)
            if not select.select([self._told], [], [], seconds)[0]:
                self._kill()
                raise TimeoutError('the probe did not end within %d s: %s' % (seconds, self._head))
            # Nothing is told by one that was killed.
            status = int(self._told.readline() or -signal.SIGKILL)
            return Answer(status, output.result(), self._head + errors.result())

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if not select.select([self._told], [], [], 0)[0]:
            self._kill()
        for stream in (self._output, self._errors, self._told):
            stream.close()


class Probe:
    """Aimed at one broker, vhost and exchange."""

    def __init__(self, url, exchange='virt-ferry', topic='virt-ferry'):
        self.url, self.exchange, self.topic = url, exchange, topic

    def begin(self, command, *arguments, topic=None, modules=False):
        return Running(command, self.url, arguments, self.exchange, topic or self.topic, modules)

    def run(self, command, *arguments, topic=None, modules=False):
        with self.begin(command, *arguments, topic=topic, modules=modules) as running:
            return running.wait()

    def call(self, *arguments, **more):
        return self.run('call', *arguments, **more)
