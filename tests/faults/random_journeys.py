"""Journeys with a fault at a random moment, all of it from one seed."""

import dataclasses
import time

import faults
import layouts
from journey import Journey

# Longer than most journeys on the slowed link: some faults come after the end.
LATEST_S = 9.0
# A random moment may be any phase: what any phase allows is allowed.
ENDS = {"completed", "failed"}


@dataclasses.dataclass
class Plan:
    """What will happen: which fault, how long after the order, at which speed of the link."""
    fault: str
    moment_s: float
    mbit_s: int
    layout: str = "plain"

    def __str__(self):
        title = layouts.KINDS[self.layout].title
        return "%s%s after %.2f s at %d Mbit/s" % (title + ", " if title else "", self.fault,
                                                   self.moment_s, self.mbit_s)


def words_of(plan):
    """What --journey takes to play it again."""
    return "%s,%r,%d,%s" % (plan.fault, plan.moment_s, plan.mbit_s, plan.layout)


def plan_of(words):
    """The plan that words_of() wrote."""
    fault, moment_s, mbit_s, layout = words.split(",")
    if fault not in faults.KINDS or layout not in layouts.KINDS:
        raise ValueError(words)
    return Plan(fault, float(moment_s), int(mbit_s), layout)


def plans(dice, count, layout="plain"):
    """Each journey's plan depends on the seed and its number only."""
    return [Plan(dice.choice(sorted(faults.KINDS)), dice.uniform(0, LATEST_S),
                 dice.choice((60, 100, 200, 400)), layout) for _ in range(count)]


def play(ground, plan):
    """Returns (end, seconds)."""
    journey = Journey(ground, layouts.KINDS[plan.layout])
    begun = time.monotonic()
    fault = faults.KINDS[plan.fault](journey)
    ground.slow(journey.source, plan.mbit_s)
    try:
        journey.order()
        ordered = time.monotonic()
        # The one place where time itself is what is tested.
        time.sleep(max(0.0, plan.moment_s - (time.monotonic() - ordered)))
        struck = _strike(fault)
    finally:
        ground.fast(journey.source)
    if struck:
        fault.heal()
    kills_guest = isinstance(fault, faults.KillQemu)
    status = journey.end(ENDS | {"error"} if kills_guest else ENDS)
    journey.verify(status, kills_guest)
    if kills_guest and journey.died():
        journey.revive()
        if status == "error":
            journey.resolve()
    return status, time.monotonic() - begun


def _strike(fault):
    """Returns whether there was something to strike: a QEMU may not be there yet, or no more."""
    try:
        fault.aim()
    except RuntimeError:
        return False
    fault.strike()
    return True
