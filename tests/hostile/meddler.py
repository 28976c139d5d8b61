"""Who stands between an agent and its broker: passes all on, and says what he likes in between."""

import contextlib
import socket
import struct
import threading

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = b"\xce"
BASIC = 60
# The broker's word that a connection is ready: basic.consume-ok, confirm.select-ok. Of an agent's
# consumers it says nothing; before them comes basic.qos-ok.
READY = ((60, 21), (85, 11))
NEARLY_READY = ((60, 11),) + READY


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + END


def method(number, index, arguments=b"", channel=1):
    return frame(METHOD, channel, struct.pack(">HH", number, index) + arguments)


def text(words):
    return bytes([len(words)]) + words


def deliver(tag=b"2"):
    return method(BASIC, 60, text(tag) + struct.pack(">QB", 1, 0) + text(b"x") + text(b"y"))


def header(size, number=BASIC, properties=b"\0\0"):
    return frame(HEADER, 1, struct.pack(">HHQ", number, 0, size) + properties)


def body(content):
    return frame(BODY, 1, content)


class Meddler:
    """A proxy before the broker that knows where a frame ends."""

    def __init__(self, namespace, target):
        self._namespace, self._target = namespace, target
        self._lock = threading.Lock()
        self._clients = []
        self.accepted = 0
        # Said once on each new connection, when it is ready.
        self.welcome = b""
        with namespace.network():
            self._listener = socket.create_server((target[0], 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def say(self, data):
        """To all who are connected, between two frames of the broker."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.sendall(data)

    def close(self):
        self._listener.close()
        with self._lock:
            for client in self._clients:
                _shut(client)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._namespace.network():
                server = socket.create_connection(self._target, 5)
            self.accepted += 1
            for serve in (self._up, self._down):
                threading.Thread(target=serve, args=(client, server), daemon=True).start()

    @staticmethod
    def _up(client, server):
        with contextlib.suppress(OSError):
            while True:
                data = client.recv(65536)
                if not data:
                    break
                server.sendall(data)
        _shut(server)

    def _down(self, client, server):
        """What he says stands between frames, and not before the login is over."""
        welcome = self.welcome
        with contextlib.suppress(OSError, struct.error):
            stream = server.makefile("rb")
            while True:
                head = stream.read(7)
                kind, _channel, size = struct.unpack(">BHI", head)
                payload = stream.read(size + 1)
                said = struct.unpack(">HH", payload[:4]) if kind == METHOD else None
                ready = said in READY
                with self._lock:
                    if said in NEARLY_READY and client not in self._clients:
                        self._clients.append(client)
                    client.sendall(head + payload)
                    if ready:
                        client.sendall(welcome)
                        welcome = b""
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)
        _shut(client)


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
