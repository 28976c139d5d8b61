"""A disk whose guest is quiet or busy: mirrored in the background, mirrored synchronously, or seeded and
only its overlay mirrored synchronously. What costs the guest least?

The guest loses the seconds in which it did not do what it does when it is left alone. A move that has
not ended after LIMIT_S is aborted, and not tried again.
"""

import os

from lab.guest import Writes
from lab.images import MIB
from lab.lab import Lab

from busy import Busy, Yard, middle

LINK_MBIT_S = 150
DATA = 320 * MIB
LIMIT_S = 75

GUESTS = (
    Busy("quiet", {}, ()),
    Busy("400 KiB/s in writes of 1 KiB anywhere in 32 MiB",
         {"writes": Writes(1, 400, random=True, mib=32)}, ()),
    Busy("400 KiB/s in writes of 1 KiB anywhere in 1 GiB",
         {"writes": Writes(1, 400, random=True, mib=1024)}, ()),
    Busy("20 MiB/s in order, 64 MiB again and again", {"writes": Writes(256, 20 * 1024)}, ()),
)
WAYS = {
    "mirrored": {"storage_strategy": "mirror", "disk_writes": "background"},
    "mirrored synchronously": {"storage_strategy": "mirror", "disk_writes": "synchronous"},
    "seeded, the overlay synchronously": {"storage_strategy": "seeded",
                                          "disk_writes": "synchronous"},
}


def _measure(yard, busy, options, runs):
    outcomes = []
    while len(outcomes) < runs and not (outcomes and outcomes[-1].end):
        outcomes.append(yard.measure(busy, lambda guest: yard.by_ferry(guest, **options)))
    return outcomes[-1] if outcomes[-1].end else middle(outcomes)


def run(table, runs):
    """DISK_GUESTS: numbers of those that are wanted, separated by commas."""
    chosen = os.environ.get("DISK_GUESTS")
    with Lab() as lab:
        yard = Yard(lab, LINK_MBIT_S, DATA, LIMIT_S)
        for index, busy in enumerate(GUESTS, 1):
            if chosen and str(index) not in chosen.split(","):
                continue
            for way, options in WAYS.items():
                outcome = _measure(yard, busy, options, runs)
                table.add("%d. %s: %s" % (index, busy.name, way),
                          "%s (load %.1f)" % (outcome.words(), os.getloadavg()[0]),
                          "" if outcome.end else
                          "%.1f s lost" % (outcome.seconds * max(1 - outcome.pace, 0)))
        for agent in yard.agents:
            agent.stop()
