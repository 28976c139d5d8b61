"""The peer under test: one rpc-server process, with what it said."""

import json
import os
import signal
import subprocess
import tempfile
import threading

from lab.deadline import wait_until
from lab.program import find


class Peer:
    """Started on construction; ready() waits until it serves."""

    def __init__(self, url, server='h1', exchange='virt-ferry', rabbit=(), listen=(), debug=False,
                 environment=None):
        self.url, self.server, self.exchange = url, server, exchange
        command = [self.program(), '--url', url, '--server', server, '--exchange', exchange]
        for option in rabbit:
            command += ['--rabbit', option]
        for key in listen:
            command += ['--listen', key]
        self._log = tempfile.TemporaryFile()
        environment = dict(os.environ, **(environment or {}))
        if debug:
            environment['G_MESSAGES_DEBUG'] = 'all'
        self._facts = []
        self._lock = threading.Lock()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self._log, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @staticmethod
    def program():
        return find(os.path.join('tests', 'wire', 'rpc-server'))

    def _read(self):
        for line in self.process.stdout:
            # Plain text there is a message of GLib's.
            if line.startswith(b'{'):
                with self._lock:
                    self._facts.append(json.loads(line))
            else:
                self._log.write(line)
                self._log.flush()

    def facts(self, key):
        """What it told under this key, in order."""
        with self._lock:
            return [fact for fact in self._facts if key in fact]

    def runs(self, method=None, mark=None):
        return [fact for fact in self.facts('run')
                if method in (None, fact['run']) and mark in (None, fact['mark'])]

    def wait_fact(self, key, seconds=20, count=1):
        wait_until(lambda: len(self.facts(key)) >= count, seconds,
                   '%s from %s (log: %s)' % (key, self.server, self.log()[-1500:]))
        return self.facts(key)[count - 1]

    def ready(self, seconds=40):
        self.wait_fact('ready', seconds)
        return self

    def log(self):
        position = self._log.tell()
        self._log.seek(0)
        text = self._log.read().decode(errors='replace')
        self._log.seek(position)
        return text

    def wakeups(self):
        """How often any thread was put to sleep and woken so far."""
        total = 0
        base = '/proc/%d/task' % self.process.pid
        for task in os.listdir(base):
            with open(os.path.join(base, task, 'status'), encoding='ascii') as status:
                total += sum(int(line.split()[1]) for line in status
                             if line.startswith('voluntary_ctxt_switches'))
        return total

    def stop(self, seconds=15):
        """In order; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        finally:
            self.kill()
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()

    def finish(self):
        """Ends it, in order where that goes, and looks for what must never be in a log."""
        try:
            self.stop(12)
        except subprocess.TimeoutExpired:
            pass
        for word in ('CRITICAL', 'Sanitizer', 'runtime error'):
            if word in self.log():
                raise AssertionError('%s said:\n%s' % (self.server, self.log()[-6000:]))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.finish()
