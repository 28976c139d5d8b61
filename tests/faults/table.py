"""The table of what was tried and how it ended, made from the results of a run."""

import collections
import os
import platform
import subprocess
import time

import matrix

_HEAD = """\
# Reliability

Whatever dies, every order ends once and the guest runs in one place. The tests write this page:
each entry is a real migration of a running guest between two hosts with real libvirt and QEMU, hit
by a real fault. After each migration the tests looked at the hosts, and did not rely on the agents:

- the guest runs on exactly one host, no numbered write is missing, and none was made twice;
- exactly one terminal event came, and no number of an event is missing;
- no image, pool or domain is left where the migration failed, and none is unknown to both journals;
- both agents answer, and the next migration of the same instance completes.

| | |
|---|---|
"""

_LEGEND = """\
An entry says how the migration ended, and how many seconds after the order the next migration of
the same instance was over; these seconds include the fault and all checks. `error` means that a
person had to look, as the contract says: the guest's QEMU was killed on its new host before the
destination's agent had reported its arrival. Nothing was deleted, and after the guest was started
again the migration was resolved. A dash means that there is nothing to kill at that time.

A test recognises a phase by what the hosts and the agents show, not by time: the disk phase by its
progress, and "disks ready" by libvirt's report that the mirror has caught up. For "switchover" the
destination's libvirtd is stopped just before, so that the source stands still and the destination
was not told to go on. In "preparing", "after the switch" and "source clean-up" an agent is held at a
fault point, which only test builds have.
"""

_ACROSS_BEGIN = "<!-- releases: written by tests/faults/run --across --write -->"
_ACROSS_END = "<!-- end of releases -->"
_ACROSS_HEAD = """\
## Hosts of two releases

Each fault in the phase in which most is at stake, and steps of other layouts. The columns are the
releases of Debian of source and destination; the next migration of the same instance goes back where
the first one has come to its end.

    tests/faults/run --across --cut 15 --releases kvm01=bookworm,kvm02=trixie >12-13.tap
    tests/faults/run --across --take 12-13.tap ... --write docs/reliability.md

plays them on one pair and writes this section from what such runs have printed. All of the page on
another pair is `tests/faults/run --all --releases ...`, all phases `tests/faults/run matrix
--releases ...`.
"""


def text(items, seed, others=(), tables=()):
    """The whole page. others: cases of neighbours, (title, ok, commit); tables: of the fuzzers."""
    # The whole programme is of one pair of releases; of the others a part.
    main = collections.Counter(item.pair for item in items).most_common(1)[0][0] if items else None
    mine = [item for item in items if item.pair == main]
    parts = [_HEAD + _facts(items), _matrix(mine), _points(mine), _random(mine, seed),
             _others(mine), across(items), _neighbours(others), _fuzzers(tables)]
    return "\n".join(part for part in parts if part)


def with_across(page, items):
    """The page with another section of these items between its marker lines, which it has to have."""
    before, begin, rest = page.partition(_ACROSS_BEGIN + "\n")
    _, end, after = rest.partition(_ACROSS_END)
    if not begin or not end:
        raise ValueError("the page has no lines '%s' and '%s'" % (_ACROSS_BEGIN, _ACROSS_END))
    return before + across(items).removesuffix(_ACROSS_END + "\n") + end + after


def _facts(items):
    passed = sum(1 for item in items if item.ok)
    lines = [("command", "`tests/faults/run --all`, more than an hour"),
             ("date", time.strftime("%Y-%m-%d")),
             ("cases", "%d run, %d passed, %d not" % (len(items), passed, len(items) - passed)),
             ("commits", _commits(items)),
             ("machine", "%d processors, %s, Linux %s" % (
                 os.cpu_count(), _memory(), platform.release())),
             ("libvirt, QEMU", _versions()),
             ("queues", "durable (`amqp_durable_queues`)"),
             ("guests", "128 MiB of memory, 32 MiB of data in a qcow2 image of 1 GiB, ten "
                        "numbered writes a second")]
    return "".join("| %s | %s |\n" % line for line in lines)


def _commits(items):
    """Which tree the cases were run in; a table may be taken from several runs."""
    count = collections.Counter("`%s`" % item.commit if item.commit else "not noted"
                                for item in items)
    return ", ".join("%s: %d" % each for each in count.most_common())


def _memory():
    with open("/proc/meminfo", encoding="ascii") as info:
        return "%d GiB" % round(int(info.readline().split()[1]) / (1 << 20))


def _versions():
    said = []
    for words in (["libvirtd", "--version"], ["qemu-system-x86_64", "--version"]):
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        line = done.stdout.splitlines()[0] if done.stdout else "unknown"
        said.append(next((word for word in line.replace(")", "").split()
                          if word[:1].isdigit()), line))
    return ", ".join(said)


def _entry(item):
    if not item.ok:
        return "**not passed**"
    return "%s, %.0f s" % (item.outcome, item.seconds)


def _matrix(items):
    found = {(item.facts["fault"], item.facts["phase"]): item for item in items
             if item.part == "matrix"}
    if not found:
        return ""
    lines = ["## Faults and phases", "", _LEGEND,
             "| fault | %s |" % " | ".join(matrix.PHASES.values()),
             "|---|%s" % ("---|" * len(matrix.PHASES))]
    for fault, words in matrix.FAULTS.items():
        entries = []
        for phase in matrix.PHASES:
            item = found.get((fault, phase))
            possible = matrix.EXPECTED[fault][phase]
            entries.append(_entry(item) if item else "not run" if possible else "–")
        lines.append("| %s | %s |" % (words, " | ".join(entries)))
    return "\n".join(lines) + "\n"


def _points(items):
    found = [item for item in items if item.part == "points"]
    if not found:
        return ""
    lines = ["## The agents' own steps", "",
             "The agent is killed with SIGKILL at a named step and started again. In some cells the",
             "order is then aborted, before the instance goes over. A test checks that every fault",
             "point in the agent's source has a cell here. An entry that names no layout is of an",
             "ordinary guest.", "",
             "| killed | end |", "|---|---|"]
    lines += ["| %s | %s |" % (item.title, _entry(item)) for item in found]
    return "\n".join(lines) + "\n"


def _random(items, seed):
    found = [item for item in items if item.part == "random"]
    if not found:
        return ""
    lines = ["## Random journeys", "",
             "%d journeys, each with one fault at a random moment; seed %d. %d of them have the "
             "layouts above." % (len(found), seed, sum("@" in item.name for item in found)),
             "", "| fault | journeys | completed | failed | error, resolved by a person "
             "| not passed |", "|---|---|---|---|---|---|"]
    for fault, words in matrix.FAULTS.items():
        mine = [item for item in found if item.facts["fault"] == fault]
        counts = [sum(1 for item in mine if item.ok and item.outcome == outcome)
                  for outcome in ("completed", "failed", "error")]
        lines.append("| %s | %d | %d | %d | %d | %d |" % (
            words, len(mine), *counts, sum(1 for item in mine if not item.ok)))
    return "\n".join(lines) + "\n"


def _others(items):
    found = [item for item in items if item.part not in ("matrix", "points", "random")]
    if not found:
        return ""
    lines = ["## Orders, events, brokers, journals", "", "| case | what came of it |", "|---|---|"]
    lines += ["| %s | %s |" % (item.title.rstrip("."), _entry(item)) for item in found]
    return "\n".join(lines) + "\n"


def across(items):
    """What is played on each pair of releases, a column for each."""
    pairs = sorted({item.pair for item in items if item.pair})
    found = {(item.name, item.pair): item for item in items}
    titles = {item.name: item.title for item in items if item.name in matrix.ACROSS}
    if not titles:
        return ""
    lines = [_ACROSS_BEGIN, _ACROSS_HEAD, "| case | %s |" % " | ".join(pairs),
             "|---|%s" % ("---|" * len(pairs))]
    for name in (name for name in matrix.ACROSS if name in titles):
        entries = [_entry(found[name, pair]) if (name, pair) in found else "not run"
                   for pair in pairs]
        lines.append("| %s | %s |" % (titles[name], " | ".join(entries)))
    noted = [item for item in items if item.name in titles and item.commit]
    return "\n".join(lines + ["", "Commits: %s; where none was noted, those of the tables above." %
                              (_commits(noted) or "none"), _ACROSS_END]) + "\n"


def _neighbours(cases):
    if not cases:
        return ""
    lines = ["## Memory and threads", "",
             "`tests/faults/valgrind` (memcheck) and `tests/faults/threads` (ThreadSanitizer).", "",
             "| case | | commit |", "|---|---|---|"]
    lines += ["| %s | %s | %s |" % (title, "passed" if ok else "**not passed**",
                                    "`%s`" % commit if commit else "not noted")
              for title, ok, commit in cases]
    return "\n".join(lines) + "\n"


def _fuzzers(tables):
    if not tables:
        return ""
    return "\n".join(["## Fuzzers", "", "`tests/fuzz/run`: libFuzzer with AddressSanitizer and "
                      "UndefinedBehaviorSanitizer; the corpus is replayed in the unit tests.", "",
                      *tables])
