"""The fault points that the agent's source has, against those that cells and journeys strike."""

import glob
import os
import re
import time

import matrix
from lab.tap import equal
from tree import TOP

SAGA = "agent/source/saga.c"
STEPS = "agent/source/steps/table.c"
_CALL = re.compile(r"ferry_fault_point\(([^,()]+), \"(\w+)\"\);")
_STEP = re.compile(r"^ +\{\.name = \"([\w-]+)\",", re.MULTILINE)


def in_source():
    """All points, as "place:moment"."""
    found = set()
    for path in glob.glob("agent/**/*.c", root_dir=TOP, recursive=True):
        for place, moment in _CALL.findall(_read(path)):
            found |= {"%s:%s" % (name, moment) for name in _places(path, place)}
    return found


def _read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as text:
        return text.read()


def _places(path, place):
    """A name in quotes stands for itself; the saga's is that of each of its steps."""
    if place.startswith('"'):
        return [place.strip('"')]
    equal((path, place), (SAGA, "step->name"), "a fault point whose name cannot be read")
    return _STEP.findall(_read(STEPS))


def in_journeys():
    """Those that a journey names: where a cell's guest, which is quiet, never comes to."""
    texts = [_read(path) for path in glob.glob("tests/journeys/*.py", root_dir=TOP)]
    return {point for point in in_source() for text in texts if '"%s"' % point in text}


def every_point(_ground):
    """Every fault point in the agent's source is struck by a cell or a journey, and every cell's is
    there."""
    begun = time.monotonic()
    source, struck = in_source(), matrix.struck_points()
    equal(sorted(source - struck - in_journeys()), [], "fault points that nothing strikes")
    equal(sorted(struck - source), [], "cells whose fault point is gone")
    return "%d points" % len(source), time.monotonic() - begun


ITEMS = [every_point]
