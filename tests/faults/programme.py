"""What is run, in which order, and what became of it."""

import contextlib
import random
import time

import cells
import matrix
import random_journeys
from ground import Ground
from lab.lab import Lab
from lab.tap import Tap

ORDINARY_RANDOM = 10
ALL_RANDOM = 200


class Item:
    """A case with a name; play(ground) returns (what came of it, seconds)."""

    def __init__(self, part, name, title, play, **facts):
        self.part = part
        self.name = name
        self.title = title
        self.play = play
        self.facts = facts
        self.outcome = None
        self.seconds = None
        self.ok = None


def _matrix_items(chosen):
    return [Item("matrix", "%s@%s" % (fault, phase),
                 "%s: %s" % (matrix.PHASES[phase], matrix.FAULTS[fault]),
                 lambda ground, fault=fault, phase=phase, expected=expected:
                 cells.play(ground, fault, phase, expected), fault=fault, phase=phase)
            for fault, phase, expected in chosen]


def _point_items():
    items = [Item("points", "%s/%s" % (side, point),
                  "the %s's agent is killed at %s" % (side, point),
                  lambda ground, side=side, point=point: cells.play_point(ground, side, point))
             for side, point in matrix.POINTS]
    return items + [Item("points", "%s/%s" % (side, point),
                         "an abort: the %s's agent is killed at %s" % (side, point),
                         lambda ground, side=side, point=point:
                         cells.play_undo_point(ground, side, point))
                    for side, point in matrix.UNDO_POINTS]


def _random_items(count, seed):
    dice = random.Random(seed)
    return [Item("random", "random-%d" % (number + 1), "random journey %d: %s" % (
        number + 1, plan), lambda ground, plan=plan: random_journeys.play(ground, plan),
        fault=plan.fault)
        for number, plan in enumerate(random_journeys.plans(dice, count))]


def choose(options, seed):
    """The items that the options mean."""
    if options.ordinary:
        return (_matrix_items(matrix.ordinary_cells())
                + _random_items(options.random or ORDINARY_RANDOM, seed))
    everything = _matrix_items(matrix.cells()) + _point_items()
    if options.all or options.list:
        return everything + _random_items(options.random or ALL_RANDOM, seed)
    chosen = [item for item in everything
              if {item.part, item.name} & set(options.part)
              or any(part in item.name.split("@") for part in options.part)]
    if options.random:
        chosen += _random_items(options.random, seed)
    return chosen


def run(options, words):
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    items = choose(options, seed)
    if options.list:
        for item in items:
            if item.part != "random":
                print(item.name)
        return 0
    tap = Tap(len(items))
    tap.note("seed of the random journeys: %d" % seed)
    begun = time.monotonic()
    with Lab() as lab:
        ground = Ground(lab, 15 if options.ordinary else options.cut)
        tap.note("the laboratory is up after %.1f s" % (time.monotonic() - begun))
        for item in items:
            _play(tap, ground, item)
    return tap.status()


def _play(tap, ground, item):
    def case():
        item.outcome, item.seconds = item.play(ground)
    item.ok = tap.case("%s (%s)" % (item.title, item.name), case)
    if item.outcome:
        tap.note("%s after %.1f s" % (item.outcome, item.seconds))
    if not item.ok:
        tap.note(ground.logs())
        with contextlib.suppress(Exception):
            ground.mend()
