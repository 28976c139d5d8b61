"""What a broker, or who stands between, can send in frames."""

import contextlib
import struct
import urllib.parse

from lab.deadline import wait_until
from lab.tap import check

from meddler import BASIC, HEADER, HEARTBEAT, Meddler, body, deliver, frame, header, method, text

HOST = "kvm03"
BREACH = "The broker broke the protocol: "
FRAME_MAX = 131072


def _nested():
    """A table in a table in a table, as deep as a frame takes: the decoder is recursive."""
    inner = b""
    while len(inner) < FRAME_MAX - 100:
        inner = b"\0F" + struct.pack(">I", len(inner)) + inner
    return header(1, properties=b"\x20\0" + struct.pack(">I", len(inner)) + inner)


NESTED = deliver() + _nested() + body(b"hello")
# What is said, and what the agent says of it (None: that is the library's matter).
BREACHES = (
    (deliver() + header(5, number=10) + body(b"hello"), "a content header of class 10"),
    (deliver() + header(5, number=50, properties=b"") + body(b"hello"), None),
    (header(5) + body(b"hello"), "a content header without a message"),
    (body(b"hello"), "a body without a content header"),
    (deliver() + header(5) + header(5), "a content header without a message"),
    (deliver() + header(2) + body(b"hello"), "longer than the 2 bytes announced"),
    (deliver() + header(9) + body(b"hello") + deliver(), "ends before its announced size"),
    (deliver() + header(2**64 - 1), "a message of 18446744073709551615 bytes"),
    (deliver(b"nobody's") + header(2) + body(b"{}"), 'for consumer "nobody\'s"'),
    (method(BASIC, 80, struct.pack(">QB", 1, 0), channel=7), "on channel 7, which is not open"),
    (method(50, 11, text(b"q") + bytes(8)), "unexpected method"),
    (method(10, 50, struct.pack(">H", 320) + text(b"x") + bytes(4)), "unexpected method"),
    (NESTED, "longer than the 1 bytes announced"),
    (struct.pack(">BHI", 3, 1, FRAME_MAX) + bytes(FRAME_MAX + 1), None),
    (frame(HEADER, 1, b"\0\x3c"), None),
    (frame(1, 1, b"\0\x3c"), None),
    (method(BASIC, 999), None),
    (b"\xff" * 64, None),
)
# What a library says that does not decode so deep a table (Debian 13's).
REFUSED = "Connection: invalid AMQP data"
# What nobody has to send, and what harms nobody.
HARMLESS = (
    frame(HEARTBEAT, 1, b""), frame(HEARTBEAT, 9, bytes(1000)), frame(99, 1, bytes(100000)) * 40,
    method(10, 60, text(b"low"), channel=0) + method(10, 61, channel=0),
)


@contextlib.contextmanager
def _between(stage):
    """A Meddler before the broker, and its URL."""
    url = urllib.parse.urlsplit(stage.controller.url)
    meddler = Meddler(stage.lab.hub, (url.hostname, url.port or 5672))
    try:
        yield meddler, "rabbit://guest:guest@%s:%d/" % (url.hostname, meddler.port)
    finally:
        meddler.close()


@contextlib.contextmanager
def _agent_behind(stage, url):
    """The agent of a host speaks with its broker through him, and does not wait long to return."""
    agent = stage.agents[HOST]
    settings = {"DEFAULT": {"transport_url": url},
                "oslo_messaging_rabbit": {"rabbit_retry_backoff": "0"}}
    agent.configure(settings).restart()
    try:
        yield agent
    finally:
        agent.configure({"DEFAULT": {"transport_url": stage.controller.url},
                         "oslo_messaging_rabbit": {"rabbit_retry_backoff": None}}).restart()


def agent(stage):
    """Frames that the protocol forbids: the agent says so, comes back and serves"""
    with _between(stage) as (meddler, url), _agent_behind(stage, url) as served:
        pid = served.process.pid
        for said, words in BREACHES:
            start, before = len(served.log()), meddler.accepted
            meddler.say(said)
            wait_until(lambda n=before: meddler.accepted >= n + 2, 20, "new connections: %s" % words)
            served.wait_ready()
            log = served.log()[start:]
            check(words is None or BREACH in log and words in log
                  or said == NESTED and REFUSED in log, "%s: %s" % (words, log))
        check(served.alive() and served.process.pid == pid, served.log()[-2000:])


def agent_undisturbed(stage):
    """Frames that are odd and harmless: the connections stay"""
    with _between(stage) as (meddler, url), _agent_behind(stage, url) as served:
        before = meddler.accepted
        for said in HARMLESS:
            meddler.say(said)
            served.wait_ready()
        check(meddler.accepted == before, "connected again\n" + served.log()[-2000:])


def command(stage):
    """The same to the command: it ends with an answer or an error, not by a signal"""
    with _between(stage) as (meddler, url):
        for said, words in BREACHES[:3] + BREACHES[8:9] + BREACHES[12:13]:
            meddler.welcome = said
            done = stage.controller.command("--transport-url", url, "hosts", check=False)
            check(done.returncode in (0, 4), "%s: status %d\n%s" % (
                words, done.returncode, done.stderr))


CASES = (agent, agent_undisturbed, command)
