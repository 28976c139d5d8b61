"""The matrix of layouts in docs/storage.md: each journey of a layout records what it has proved.

    record("qcow2 overlay on a qcow2 base", moved=True, thin=True, chain=True, cold_boot=True)

Rows go as JSON lines to the file that VIRT_FERRY_LAYOUTS names, when it names one. Several runs may
share the file, of other pairs of releases, too; the latest row of a layout and a pair counts.
"""

import json
import os

from lab import release

VARIABLE = "VIRT_FERRY_LAYOUTS"
BEGIN = "<!-- layouts: written by tests/journeys/run --write -->"
END = "<!-- end of layouts -->"

# What a row tells, and the words for it in the table.
_WORDS = {"moved": "moved", "thin": "thin", "chain": "chain", "cold_boot": "cold boot"}


def record(layout, moved=None, thin=None, chain=None, cold_boot=None):
    """A row: True = shown by this journey, False = shown not to hold, None = does not apply."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    row = {"layout": layout, "pair": release.pair(), "moved": moved, "thin": thin, "chain": chain,
           "cold_boot": cold_boot}
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def rows(path):
    """The rows of a file, the latest of each layout and pair."""
    latest = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            latest[row["layout"], row["pair"]] = row
    return list(latest.values())


def _entry(row):
    if row is None:
        return "–"
    return ", ".join(("" if row[fact] else "**not** ") + word for fact, word in _WORDS.items()
                     if row[fact] is not None)


def markdown(found):
    """The table of these rows."""
    pairs = sorted({row["pair"] for row in found})
    entries = {(row["layout"], row["pair"]): row for row in found}
    lines = ["| layout | %s |\n" % " | ".join(pairs), "|---|%s\n" % ("---|" * len(pairs))]
    lines += ["| %s | %s |\n" % (layout, " | ".join(_entry(entries.get((layout, pair)))
                                                    for pair in pairs))
              for layout in sorted({layout for layout, _ in entries})]
    return "".join(lines)


def write(page, found):
    """Puts the table between the two marker lines of a page, which has to have them."""
    with open(page, encoding="utf-8") as old:
        text = old.read()
    before, begin, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("%s has no lines '%s' and '%s'" % (page, BEGIN, END))
    with open(page, "w", encoding="utf-8") as new:
        new.write(before + begin + markdown(found) + end + after)
