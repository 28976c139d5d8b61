"""Raw sparse disks: does time follow the data, and from how many holes on is a seed faster?"""

import functools

from lab.images import GIB
from lab.lab import Lab

from figures import median
from journeys import Journeys

TIB = 1024 * GIB
# Around FERRY_SEED_HOLES_BYTES.
SIZES_GIB = (2, 4, 8, 20)


def run(table, runs):
    with Lab() as lab:
        journeys = Journeys(lab)
        mirror = functools.partial(journeys.by_ferry, storage_strategy="mirror")
        seeded = functools.partial(journeys.by_ferry, storage_strategy="seeded")
        ways = {"20 GiB": (20 * GIB, journeys.by_ferry), "1 TiB": (TIB, journeys.by_ferry)}
        for size in SIZES_GIB:
            ways["mirror", size] = (size * GIB, mirror)
            ways["seeded", size] = (size * GIB, seeded)
        results = {name: [] for name in ways}
        for _ in range(runs):
            for name, (capacity, move) in ways.items():
                results[name].append(journeys.measure(capacity, move, "raw"))
        for agent in journeys.agents:
            agent.stop()

    _add(table, results, "%d alternating runs each" % runs)


def _add(table, results, count):
    seconds = {name: [run[0] for run in rows] for name, rows in results.items()}
    table.add("journey, 20 GiB raw sparse, 300 MiB data, 256 MiB guest",
              "%.2f s" % median(seconds["20 GiB"]), count)
    table.add("journey of 1 TiB raw sparse over 20 GiB, same data, each pair",
              "%.2f" % median([large / small for large, small in
                               zip(seconds["1 TiB"], seconds["20 GiB"])]), "<= 1.25")
    table.add("destination's allocation over the source's, 1 TiB raw sparse",
              "%.3f" % median([run[2] for run in results["1 TiB"]]), "<= 1.02")
    table.add("destination's allocation over the source's, 20 GiB raw sparse, mirrored",
              "%.3f" % median([run[2] for run in results["mirror", 20]]), "<= 1.02")
    for size in SIZES_GIB:
        table.add("raw sparse, %d GiB: mirrored, seeded" % size,
                  "%.2f s, %.2f s" % (median(seconds["mirror", size]),
                                      median(seconds["seeded", size])),
                  "`auto` seeds from 4 GiB of holes on")
