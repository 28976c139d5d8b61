"""Figures of alternating runs: medians, ratios, and the table of docs/benchmarks.md."""

import datetime
import os
import platform
import statistics


def median(values):
    return statistics.median(values)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine():
    """One line about the machine."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return "%s, %d cores, Linux %s, software emulation of guests unless KVM works" % (
        model, os.cpu_count(), platform.release())


class Table:
    """Rows (what, figures, bound), printed as they come and written as Markdown at the end."""

    def __init__(self):
        self.rows = []

    def add(self, what, figures, bound=""):
        self.rows.append((what, figures, bound))
        print("%-66s %s   %s" % (what, figures, bound), flush=True)

    def markdown(self, command, note=None):
        """The section of docs/benchmarks.md that this run is."""
        lines = ["%sMeasured on %s: %s. Repeat with `%s`.\n" % (
            note + " " if note else "", datetime.date.today().isoformat(), machine(), command),
            "| what | measured | wanted |", "|---|---|---|"]
        lines += ["| %s | %s | %s |" % row for row in self.rows]
        return "\n".join(lines) + "\n"


def write_section(path, name, text):
    """Replaces the named section of a document, or adds it at its end."""
    begin, end = "<!-- %s begins -->\n" % name, "<!-- %s ends -->\n" % name
    with open(path, encoding="utf-8") as old:
        document = old.read()
    if begin in document:
        head, rest = document.split(begin, 1)
        tail = rest.split(end, 1)[1]
    else:
        head, tail = document.rstrip("\n") + "\n\n", ""
    with open(path, "w", encoding="utf-8") as new:
        new.write(head + begin + text + end + tail)
