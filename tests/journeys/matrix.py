"""The matrix of layouts in docs/storage.md: each journey of a layout records what it has proved.

    record("qcow2 overlay on a qcow2 base", moved=True, thin=True, chain=True, cold_boot=True)

Rows go as JSON lines to the file that VIRT_FERRY_LAYOUTS names, when it names one. Several runs may
share the file; the latest row of a layout counts.
"""

import json
import os

VARIABLE = "VIRT_FERRY_LAYOUTS"
COLUMNS = ("moved", "thin", "chain", "cold_boot")
BEGIN = "<!-- layouts: written by tests/journeys/run --write -->"
END = "<!-- end of layouts -->"

_HEAD = """\
| layout | moved | thin kept | chain kept | cold boot after |
|---|---|---|---|---|
"""
_WORDS = {True: "yes", False: "no", None: "–"}


def record(layout, moved=None, thin=None, chain=None, cold_boot=None):
    """A row: True = shown by this journey, False = shown not to hold, None = does not apply."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    row = {"layout": layout, "moved": moved, "thin": thin, "chain": chain, "cold_boot": cold_boot}
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def rows(path):
    """The rows of a file, the latest of each layout, by name."""
    latest = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            latest[row["layout"]] = row
    return [latest[layout] for layout in sorted(latest)]


def markdown(found):
    """The table of these rows."""
    lines = ["| %s | %s |\n" % (row["layout"],
                                " | ".join(_WORDS[row[column]] for column in COLUMNS))
             for row in found]
    return _HEAD + "".join(lines)


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
