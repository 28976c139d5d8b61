"""Runs oslo_probe.py: what an unmodified oslo.messaging program would see."""

import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OK, USAGE, REMOTE, TIMEOUT, UNDELIVERED, PROTOCOL = 0, 2, 3, 4, 5, 6


class Answer:
    def __init__(self, status, output, errors):
        self.status, self.errors = status, errors
        self.documents = [json.loads(line) for line in output.splitlines() if line]
        self.document = self.documents[-1] if self.documents else None

    def __repr__(self):
        return '<exit %d %r %s>' % (self.status, self.document, self.errors[-600:])


class Running:
    """A probe in the background."""

    def __init__(self, command, url, arguments, exchange, topic, modules):
        environment = dict(os.environ)
        if modules:
            environment['PYTHONPATH'] = os.path.join(HERE, 'modules')
        environment['PYTHONDONTWRITEBYTECODE'] = '1'
        # Only files of the distribution: its oslo.messaging is the reference.
        self.process = subprocess.Popen(
            ['/usr/bin/python3', os.path.join(HERE, 'oslo_probe.py'), command, '--url', url,
             '--exchange', exchange, '--topic', topic] + list(arguments),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment, text=True)
        self._head = ''

    def wait_word(self, word):
        """Waits for a line on standard error, such as "listening"."""
        for line in self.process.stderr:
            self._head += line
            if line.strip() == word:
                return self
        raise AssertionError('the probe never said %s: %s' % (word, self._head))

    def wait(self, seconds=90):
        output, errors = self.process.communicate(timeout=seconds)
        return Answer(self.process.returncode, output, self._head + errors)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


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
