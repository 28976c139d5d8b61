"""Eight guests that are busy, over a link of 300 Mbit/s: who arrives, how long it takes, what it costs.

Each by stock virsh, by virsh with all that it offers and a person who knows which of it to use, and by
virt-ferry. A move that has not ended after LIMIT_S is aborted.
"""

import dataclasses
import os
import threading
import time

import libvirt

from lab.controller import RemoteError
from lab.guest import Writes
from lab.images import GIB, MIB
from lab.lab import Disk, Lab
from lab.network import MIGRATION

LINK_MBIT_S = 300
LINK_MIB_S = LINK_MBIT_S / 8 / 1.048576
LIMIT_S = 100
QUIET_S = 5
MEMORY_MIB = 256
DATA = 200 * MIB
DOWNTIME_MS = 500  # as virt-ferry allows without being told
MAX_PAUSE_MS = 5000  # as suspend-if-needed does

HALF, WHOLE, DOUBLE = (int(LINK_MIB_S * share) for share in (0.5, 1, 2))


@dataclasses.dataclass
class Tuned:
    """How a person would tune virsh."""
    flags: tuple
    pause_ms: int = DOWNTIME_MS


@dataclasses.dataclass
class Busy:
    """A guest: what it does, how a person would tune virsh for it, and how virt-ferry is told."""
    name: str
    load: dict
    tuned: tuple
    policies: tuple = ()


IN_BACKGROUND = (Tuned(("--copy-storage-inc",)),)
SYNCHRONOUS = ("--copy-storage-inc", "--copy-storage-synchronous-writes")
POST_COPY = ("--postcopy", "--postcopy-after-precopy")
SLOWED = ("--copy-storage-inc", "--auto-converge")
BOTH = ("suspend-if-needed", "post-copy")
GUESTS = (
    Busy("quiet", {}, IN_BACKGROUND),
    Busy("disk, 8 MiB/s in order", {"writes": Writes(256, 8 * 1024)}, IN_BACKGROUND),
    Busy("disk, 2 MiB/s in writes of 1 KiB anywhere",
         {"writes": Writes(1, 2048, random=True, mib=1024)}, (Tuned(SYNCHRONOUS),)),
    Busy("disk, near the link's rate", {"writes": Writes(256, int(LINK_MIB_S * 900), mib=512)},
         (Tuned(SYNCHRONOUS),)),
    Busy("memory, half the link's rate", {"dirty_mib": 96, "dirty_mib_s": HALF}, IN_BACKGROUND),
    Busy("memory, the link's rate", {"dirty_mib": 96, "dirty_mib_s": WHOLE},
         (Tuned(SLOWED), Tuned(SLOWED, MAX_PAUSE_MS)), ("suspend-if-needed",)),
    Busy("memory, twice the link's rate", {"dirty_mib": 128, "dirty_mib_s": DOUBLE},
         (Tuned(SLOWED, MAX_PAUSE_MS), Tuned(("--copy-storage-inc",) + POST_COPY)), BOTH),
    Busy("both: disk as in line 3, memory as in line 7",
         {"writes": Writes(1, 2048, random=True, mib=1024), "dirty_mib": 128,
          "dirty_mib_s": DOUBLE},
         (Tuned(SYNCHRONOUS + SLOWED[1:], MAX_PAUSE_MS), Tuned(SYNCHRONOUS + POST_COPY)), BOTH),
)
# What the agents permit while an order has this policy; None: no option at all.
PERMITS = {None: "live_migration_permit_auto_converge",
           "suspend-if-needed": "live_migration_permit_auto_converge",
           "post-copy": "live_migration_permit_post_copy"}


@dataclasses.dataclass
class Outcome:
    """What a move was like; `end` is None where it arrived."""
    seconds: float
    end: str
    downtime_ms: int
    sent_mib: float
    pace: float  # the guest's rounds a second during the move, over those before it

    def words(self):
        if self.end:
            return "%s after %.0f s" % (self.end, self.seconds)
        return "%.1f s, stood %d ms, %.0f MiB, pace %.0f %%" % (
            self.seconds, self.downtime_ms, self.sent_mib, 100 * self.pace)


class Yard:
    """The laboratory with its link, and one move after the other."""

    def __init__(self, lab, link_mbit_s=LINK_MBIT_S, data=DATA, limit_s=LIMIT_S):
        self.lab = lab
        self.data = data
        self.limit_s = limit_s
        self.source, self.destination = lab.hosts.values()
        for host in lab.hosts.values():
            lab.network.limit(host, link_mbit_s)
        self.controller = lab.controller()
        self.recorder = self.controller.recorder()
        self.agents = [lab.agent(name).start() for name in lab.hosts]
        self.number = 0

    def guest(self, busy):
        self.number += 1
        guest = self.lab.guest("kvm01", "busy%d" % self.number,
                               [Disk("vda", 4 * GIB, data=self.data)], memory_mib=MEMORY_MIB,
                               **busy.load)
        guest.create_images().start().wait_number(20)
        return guest

    def clean(self, guest):
        for host in (self.source, self.destination):
            if guest.state(host):
                guest.destroy(host)
            host.run("sh", "-c", "rm -f %s*" % guest.disks[0].path, timeout=300)

    def measure(self, busy, move):
        guest = self.guest(busy)
        try:
            before = guest.number()
            time.sleep(QUIET_S)
            pace = (guest.number() - before) / QUIET_S
            return self._moved(guest, move, pace)
        finally:
            self.clean(guest)

    def _moved(self, guest, move, pace):
        first = guest.number()
        sent = self.lab.network.sent_bytes(self.source, MIGRATION)
        begun = time.monotonic()
        end = move(guest)
        seconds = time.monotonic() - begun
        sent = self.lab.network.sent_bytes(self.source, MIGRATION) - sent
        last = max(guest.number(host) for host in (self.source, self.destination))
        complaints = guest.paused_complaints(self.source if end else self.destination)
        assert not complaints, complaints
        return Outcome(seconds, end, self._downtime_ms(guest) if not end else 0, sent / MIB,
                       (last - first) / seconds / pace if pace else 0.0)

    def _downtime_ms(self, guest):
        connection = self.destination.connect()
        try:
            return connection.lookupByName(guest.name).jobStats(1 | 2).get("downtime", 0)
        finally:
            connection.close()

    def permit(self, permitted):
        """Of what the agents may permit, this alone; None: nothing."""
        for agent in self.agents:
            agent.configure({"libvirt": {key: "true" if key == permitted else "false"
                                         for key in set(PERMITS.values())}}).restart()

    # The ways

    def by_virsh(self, guest, flags, pause_ms=None):
        """virsh; with pause_ms somebody allows that pause as soon as it can be allowed."""
        if "--copy-storage-inc" in flags:
            guest.disks[0].create_empty(self.destination)
        self.destination.virsh("pool-refresh", "default")
        over = threading.Event()
        helper = threading.Thread(target=self._attend, args=(guest, pause_ms, over))
        helper.start()
        try:
            done = self.source.run(
                "virsh", "--quiet", "--connect", "qemu:///system", "migrate", "--live", "--p2p",
                "--persistent", "--undefinesource", *flags, guest.name,
                "qemu+tcp://%s/system" % self.destination.name, check=False, timeout=self.limit_s + 60)
        finally:
            over.set()
            helper.join()
        return None if done.returncode == 0 else "no end"

    def _attend(self, guest, pause_ms, over):
        deadline = time.monotonic() + self.limit_s
        connection = self.source.connect()
        try:
            domain = connection.lookupByName(guest.name)
            while not over.wait(0.5) and time.monotonic() < deadline:
                if pause_ms and _attempt(domain.migrateSetMaxDowntime, pause_ms):
                    pause_ms = None
            while not over.wait(1):
                _attempt(domain.abortJob)
        finally:
            connection.close()

    def _aborted(self, order):
        """Its end; one that has arrived, and is only tidied up, is waited for."""
        try:
            self.controller.call("kvm01", "live_migration_abort", migration_id=order)
        except RemoteError:
            pass
        return self.recorder.wait_terminal(order, seconds=60)

    def by_ferry(self, guest, permitted=None, **options):
        self.permit(permitted)
        order = self.controller.migrate(guest.name, "kvm01", "kvm02", **options)
        try:
            end = self.recorder.wait_terminal(order, seconds=self.limit_s)
        except AssertionError:
            end = self._aborted(order)
            if end.payload["status"] == "cancelled":
                return "no end"
        if end.payload["status"] == "completed":
            return None
        details = end.payload["error"].get("details") or {}
        return "%s (%s)" % (end.payload["status"], details.get("reason"))


def _attempt(call, *arguments):
    try:
        call(*arguments)
        return True
    except libvirt.libvirtError:
        return False


def _option(policy):
    return {"policy": policy} if policy else {}


def ways(yard, busy):
    """(way, the pause that it may have, what moves a guest so)."""
    yield ("`virsh --copy-storage-all`", 0,
           lambda guest: yard.by_virsh(guest, ("--copy-storage-all",)))
    for tuned in busy.tuned:
        yield ("virsh, tuned: `%s`, downtime %d ms" % (" ".join(tuned.flags), tuned.pause_ms),
               tuned.pause_ms,
               lambda guest, tuned=tuned: yard.by_virsh(guest, tuned.flags, tuned.pause_ms))
    yield "`virt-ferry migrate`", DOWNTIME_MS, yard.by_ferry
    if "dirty_mib" not in busy.load:
        return
    for policy in (None,) + busy.policies:
        yield ("`virt-ferry migrate%s`, with `%s`" % (" --policy %s" % policy if policy else "",
                                                      PERMITS[policy]),
               MAX_PAUSE_MS if policy else DOWNTIME_MS,
               lambda guest, policy=policy: yard.by_ferry(guest, PERMITS[policy],
                                                          **_option(policy)))


def middle(outcomes):
    """The one in the middle; those that did not arrive come last."""
    ordered = sorted(outcomes, key=lambda outcome: (bool(outcome.end), outcome.seconds))
    return ordered[len(ordered) // 2]


def run(table, runs):
    """BUSY_GUESTS: numbers of those that are wanted, separated by commas."""
    chosen = os.environ.get("BUSY_GUESTS")
    with Lab() as lab:
        yard = Yard(lab)
        for index, busy in enumerate(GUESTS, 1):
            if not chosen or str(index) in chosen.split(","):
                _rows(table, runs, yard, index, busy)
        for agent in yard.agents:
            agent.stop()


def _rows(table, runs, yard, index, busy):
    by_hand = []
    for way, pause_ms, move in ways(yard, busy):
        outcome = middle([yard.measure(busy, move) for _ in range(runs)])
        if "virsh" in way and not outcome.end:
            by_hand.append((pause_ms, outcome.seconds))
        # By hand with no longer a pause than this one may have.
        fair = [seconds for allowed_ms, seconds in by_hand if allowed_ms <= pause_ms]
        wanted = ("%.2f of the best by hand; <= 1.15" % (outcome.seconds / min(fair))
                  if "ferry" in way and fair and not outcome.end else "")
        table.add("%d. %s: %s" % (index, busy.name, way),
                  "%s (load %.1f)" % (outcome.words(), os.getloadavg()[0]), wanted)
