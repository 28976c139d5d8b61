"""A TCP proxy on loopback that can lose its link, stand still and come back."""

import selectors
import socket
import threading
import time

CHUNK = 65536


class Proxy:
    """Forwards connections to one address until told otherwise.

    freeze    nothing passes, nothing is closed: what a dead link looks like
    mute      nothing passes from the client to the target
    cut       all connections are reset; new ones are welcome
    poison    bytes from a client at which its connection is reset
    close     all connections are reset, new ones are refused, until open()
    """

    def __init__(self, target, address='127.0.0.1'):
        self.target, self.address, self.port = target, address, 0
        self.frozen = False
        self.poison = None
        self.accepted = 0
        self._muted = False
        self._clients = set()
        self._lock = threading.Lock()
        self._pairs = {}
        self._listener = None
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.open()
        self._thread.start()

    def open(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        with self._lock:
            self._listener = listener
            self._selector.register(listener, selectors.EVENT_READ, None)
        self._wake()

    def freeze(self):
        self.frozen = True
        self._wake()

    def thaw(self):
        self.frozen = False
        self._wake()

    def mute(self, muted=True):
        self._muted = muted
        self._wake()

    def cut(self):
        with self._lock:
            for sock in list(self._pairs):
                self._drop(sock)

    def close(self):
        with self._lock:
            if self._listener:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = None
        self.cut()

    def stop(self):
        self.close()
        self._running = False
        self._wake()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def _wake(self):
        self._wake_out.send(b'x')

    def _drop(self, sock):
        """Closes a pair with a reset, as a lost link does when it is noticed."""
        other = self._pairs.pop(sock, None)
        for end in (sock, other):
            if end is None:
                continue
            self._pairs.pop(end, None)
            self._clients.discard(end)
            try:
                self._selector.unregister(end)
            except (KeyError, ValueError):
                pass
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            except OSError:
                pass
            end.close()

    def _accept(self, listener):
        try:
            client, _ = listener.accept()
        except OSError:
            return
        self.accepted += 1
        try:
            server = socket.create_connection(self.target, 5)
        except OSError:
            client.close()
            return
        self._clients.add(client)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ, one)

    def _forward(self, sock):
        other = self._pairs.get(sock)
        if other is None:
            return
        try:
            data = sock.recv(CHUNK)
            poisoned = self.poison and sock in self._clients and self.poison in data
            if data and not poisoned:
                other.sendall(data)
                return
        except OSError:
            pass
        self._drop(sock)

    def _run(self):
        while self._running:
            if self.frozen:
                # Handshakes still complete, in the kernel; then there is silence.
                time.sleep(0.02)
                continue
            events = self._selector.select(0.02 if self._muted else None)
            with self._lock:
                for key, _ in events:
                    if key.fileobj is self._wake_in:
                        self._wake_in.recv(4096)
                    elif key.fileobj is self._listener:
                        self._accept(self._listener)
                    elif not (self._muted and key.fileobj in self._clients):
                        self._forward(key.fileobj)
            if self._muted:
                time.sleep(0.01)
