"""The tables in docs/storage.md: each journey of a layout records what it has proved.

    record("qcow2 overlay on a qcow2 base", moved=True, thin=True, chain=True, cold_boot=True)
    record_shortage("a qcow2 image is mirrored")

Rows go as JSON lines to the file that VIRT_FERRY_LAYOUTS names, when it names one. Several runs may
share the file, of other pairs of releases, too; the latest row of a name and a pair counts, and what
the page has of others stays.
"""

import json
import os

from lab import release

VARIABLE = "VIRT_FERRY_LAYOUTS"

# The tables, each between two lines of the page, and what their rows are.
_TABLES = {"layouts": "layout", "shortages": "full while"}
# What a row tells, and the words for it in the table.
_WORDS = {"moved": "moved", "thin": "thin", "chain": "chain", "cold_boot": "cold boot",
          "failed": "failed", "clean": "nothing left", "next": "next one moved"}


def record(layout, moved=None, thin=None, chain=None, cold_boot=None):
    """A row: True = shown by this journey, False = shown not to hold, None = does not apply."""
    _record("layouts", layout, {"moved": moved, "thin": thin, "chain": chain,
                                "cold_boot": cold_boot})


def record_shortage(way):
    """A journey failed as it should, because its destination became full."""
    _record("shortages", way, {"failed": True, "clean": True, "next": True})


def _record(table, name, facts):
    path = os.environ.get(VARIABLE)
    if not path:
        return
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps({"table": table, "name": name, "pair": release.pair(),
                              "facts": facts}) + "\n")


def rows(path):
    """The rows of a file."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _entry(row):
    if row is None:
        return "–"
    facts = row["facts"]
    return ", ".join(("" if facts[fact] else "**not** ") + word for fact, word in _WORDS.items()
                     if facts.get(fact) is not None)


def _facts(entry):
    """What an entry tells; the reverse of _entry()."""
    told = {word: not part.startswith("**not** ") for part in entry.split(", ")
            for word in [part.removeprefix("**not** ")]}
    return {fact: told[word] for fact, word in _WORDS.items() if word in told}


def _earlier(table, text):
    """The rows of a table as a page has it."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [{"table": table, "name": cells[0], "pair": pair, "facts": _facts(entry)}
            for cells in lines[2:] for pair, entry in zip(lines[0][1:], cells[1:]) if entry != "–"]


def _latest(found):
    """The last of these rows of each table, name and pair."""
    return list({(row["table"], row["name"], row["pair"]): row for row in found}.values())


def markdown(table, found):
    """That table of these rows."""
    found = [row for row in found if row["table"] == table]
    pairs = sorted({row["pair"] for row in found})
    entries = {(row["name"], row["pair"]): row for row in found}
    lines = ["| %s | %s |\n" % (_TABLES[table], " | ".join(pairs)),
             "|---|%s\n" % ("---|" * len(pairs))]
    lines += ["| %s | %s |\n" % (name, " | ".join(_entry(entries.get((name, pair)))
                                                  for pair in pairs))
              for name in sorted({name for name, _ in entries})]
    return "".join(lines)


def write(page, found):
    """Puts rows into the tables of a page, each between its two lines, which the page has to have;
    entries of which there are none stay."""
    with open(page, encoding="utf-8") as old:
        text = old.read()
    for table in sorted({row["table"] for row in found}):
        marks = ("<!-- %s: written by tests/journeys/run --write -->\n" % table,
                 "<!-- end of %s -->" % table)
        before, begin, rest = text.partition(marks[0])
        earlier, end, after = rest.partition(marks[1])
        if not begin or not end:
            raise ValueError("%s has no lines '%s' and '%s'" % (page, *map(str.strip, marks)))
        text = (before + begin + markdown(table, _latest(_earlier(table, earlier) + found))
                + end + after)
    with open(page, "w", encoding="utf-8") as new:
        new.write(text)
