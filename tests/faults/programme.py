"""What is run, in which order, and what became of it."""

import contextlib
import os
import random
import sys
import time

import bad_journals
import cells
import cluster
import earlier
import hangs
import layouts
import matrix
import outbox
import points
import quarantine
import random_journeys
import storm
import table
import tree
from ground import Ground
from lab import release
from lab.lab import Lab
from lab.tap import Tap

ORDINARY_RANDOM = 3
ALL_RANDOM = 200
# For so many of the ordinary guest one with each of the other layouts.
LAYOUT_SHARE = 10
# The ordinary tests cut the link for as long as libvirt needs to notice.
ORDINARY_CUT_S = 15


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
        self.ok = False
        # The command that repeats one that was made by chance.
        self.again = None
        # Of the tree that it was run in, and the releases of the hosts.
        self.commit = None
        self.pair = None


def _matrix_items(chosen):
    return [Item("matrix", "%s@%s" % (fault, phase),
                 "%s: %s" % (matrix.PHASES[phase], matrix.FAULTS[fault]),
                 lambda ground, fault=fault, phase=phase, expected=expected:
                 cells.play(ground, fault, phase, expected), fault=fault, phase=phase)
            for fault, phase, expected in chosen]


def _point_item(layout, side, point, play, before="", after="", suffix=""):
    kind = layouts.KINDS[layout]
    name = "%s/%s%s%s" % (side, point, "@" + layout if kind.title else "", suffix)
    title = "%s%sthe %s's agent at `%s`%s" % (
        kind.title + ": " if kind.title else "", before, side, point, after)
    return Item("points", name, title, lambda ground: play(ground, layout, side, point),
                layout=layout)


def _quarantine_items():
    return [Item("points", "source/%s@quarantine" % point,
                 "a quarantine that is %s: the source's agent at `%s`" % (what, point),
                 lambda ground, what=what, point=point:
                 quarantine.KINDS[what](ground, point))
            for what, point in matrix.QUARANTINE_POINTS]


def _point_items():
    items = [_point_item("plain", side, point, cells.play_point) for side, point in matrix.POINTS]
    for layout, points_of in matrix.LAYOUT_POINTS.items():
        items += [_point_item(layout, *where, cells.play_point) for where in points_of]
    items += [_point_item(*where, cells.play_abort_point, after=", then an abort",
                          suffix="/aborted") for where in matrix.ABORT_POINTS]
    items += [_point_item(*where, cells.play_undo_point, before="after an abort: ")
              for where in matrix.UNDO_POINTS]
    # The cells of a layout one after the other: their guest is the same.
    order = list(layouts.KINDS)
    items.sort(key=lambda item: order.index(item.facts["layout"]))
    return items + _quarantine_items()


def _random_item(number, plan):
    suffix = "@" + plan.layout if plan.layout != "plain" else ""
    item = Item("random", "random-%d%s" % (number, suffix),
                "random journey %d: %s" % (number, plan),
                lambda ground: random_journeys.play(ground, plan), fault=plan.fault)
    item.again = "tests/faults/run --journey " + random_journeys.words_of(plan)
    return item


def _random_items(count, seed, layout="plain"):
    return [_random_item(number + 1, plan)
            for number, plan in enumerate(
                random_journeys.plans(random.Random(seed), count, layout))]


def _random_layout_items(count, seed):
    """The layouts whose instances run, and that take steps of their own."""
    return [item for number, layout in enumerate(("seeded", "chain", "quarantine"))
            for item in _random_items(count, seed + 1 + number, layout)]


def _function_items(part, functions):
    return [Item(part, function.__name__.replace("_", "-"),
                 " ".join(function.__doc__.split()), function)
            for function in functions]


def _outbox_item(count):
    return Item("outbox", "outbox", "%d events that waited for the broker, which dies once more "
                "while they leave" % count, lambda ground: outbox.drain(ground, count))


def _cluster_item():
    return Item("cluster", "cluster", "a cluster of three brokers with quorum queues: the node "
                "that the agents talk to is killed in the disk phase", cluster.play)


def choose(options, seed):
    """The items that the options mean."""
    if options.journey:
        return [_random_item(number + 1, random_journeys.plan_of(words))
                for number, words in enumerate(options.journey)]
    if options.ordinary:
        return (_function_items("points-known", points.ITEMS)
                + _matrix_items(matrix.ordinary_cells())
                + [item for item in _point_items() if item.name in matrix.ORDINARY_POINTS]
                + _function_items("hangs", hangs.ORDINARY)
                + _function_items("storm", storm.ITEMS)
                + [_outbox_item(outbox.SMALL)]
                + _function_items("journals", bad_journals.ITEMS)
                + _random_items(options.random or ORDINARY_RANDOM, seed))
    everything = (_function_items("points-known", points.ITEMS)
                  + _matrix_items(matrix.cells()) + _point_items()
                  + _function_items("hangs", hangs.ITEMS)
                  + _function_items("storm", storm.ITEMS) + [_outbox_item(outbox.FULL)]
                  + _function_items("journals", bad_journals.ITEMS) + [_cluster_item()])
    if options.across:
        return _named(everything, matrix.ACROSS)
    count = options.random or ALL_RANDOM
    by_chance = _random_items(count, seed) + _random_layout_items(
        max(count // LAYOUT_SHARE, 1), seed)
    if options.all or options.list:
        return everything + by_chance
    chosen = _named(everything + ([] if options.random else by_chance), options.part)
    return chosen + (by_chance if options.random else [])


def _named(items, names):
    """Those of these parts and names; a name that means none ends the program."""
    def meant(item, name):
        return name in (item.part, item.name, *item.name.split("@"))
    unknown = [name for name in names if not any(meant(item, name) for item in items)]
    if unknown:
        sys.exit("run: no such part or cell: %s" % ", ".join(unknown))
    return [item for item in items if any(meant(item, name) for name in names)]


def run(options, words):
    if options.take:
        return _write_taken(options)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    items = choose(options, seed)
    if options.list:
        print("\n".join(item.name for item in items if item.part != "random"))
        return 0
    tap = Tap(len(items))
    tap.note("seed of the random journeys: %d" % seed)
    commit, pair = tree.note_commit(tap), tree.note_releases(tap)
    for item in items:
        item.commit, item.pair = commit, pair
    _play_together(tap, [item for item in items if item.part != "cluster"],
                   ORDINARY_CUT_S if options.ordinary else options.cut)
    for item in items:
        if item.part == "cluster":
            _play_alone(tap, item)
    if options.write:
        _write(options.write, _page(options, items, seed))
    return tap.status()


def _write_taken(options):
    """The table of what other runs have printed, instead of a run."""
    taken = earlier.Earlier(options.take)
    items = [item for pair in taken.pairs for item in taken.fill(choose(options, taken.seed), pair)]
    _write(options.write, _page(options, items, taken.seed, taken.others, taken.tables))
    return 0


def _page(options, items, *rest):
    """The page of these items; with --across the one that is there, with another section."""
    if not options.across:
        return table.text(items, *rest)
    with open(options.write, encoding="utf-8") as page:
        return table.with_across(page.read(), items)


def _play_together(tap, items, cut_seconds):
    """One laboratory for all of them."""
    if not items:
        return
    begun = time.monotonic()
    with Lab() as lab:
        ground = Ground(lab, cut_seconds)
        tap.note("the laboratory is up after %.1f s" % (time.monotonic() - begun))
        for item in items:
            _play(tap, item, ground)
            if not item.ok:
                tap.note(ground.logs())
                with contextlib.suppress(Exception):
                    ground.mend()


def _play_alone(tap, item):
    """A laboratory of its own, with brokers of its own."""
    with Lab(broker=False) as lab:
        _play(tap, item, lab)


def _play(tap, item, where):
    def case():
        item.outcome, item.seconds = item.play(where)
    title = "%s (%s)" % (item.title, item.name)
    if release.wanted(("kvm01", "kvm02")):
        title = "%s: %s" % (item.pair, title)
    item.ok = tap.case(title, case)
    if item.again:
        tap.note("again: %s" % item.again)
    if item.ok:
        tap.note("%s after %.1f s" % (item.outcome, item.seconds))


def _write(path, text):
    made = path + ".new"
    with open(made, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(made, path)
