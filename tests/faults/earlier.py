"""Results of earlier runs, read from what they printed."""

import re

_CASE = re.compile(r"^(not )?ok \d+ - (.*?)(?: \(([\w@/:.-]+)\))?(?: \(([\d.]+) s\))?$")
_END = re.compile(r"^# (.+) after ([\d.]+) s$")
_SEED = re.compile(r"^# seed of the random journeys: (\d+)$")
_COMMIT = re.compile(r"^# commit: (\S+)$", re.MULTILINE)


class Earlier:
    """What was printed by runs of this program, of its neighbours, and of the fuzzers.

    cases: {name: (ok, outcome, seconds)}; a later file's word counts
    commits: {name: what the tree was called in which it was run}
    others: [(title, ok, commit)] of the neighbours, whose cases have no names
    tables: texts in Markdown
    """

    def __init__(self, paths):
        self.cases = {}
        self.commits = {}
        self.others = []
        self.tables = []
        self.seed = None
        for path in paths:
            with open(path, encoding="utf-8") as text:
                self._read(text.read())

    def _read(self, text):
        if text.startswith("|"):
            self.tables.append(text)
            return
        commit = _COMMIT.search(text)
        name = None
        for line in text.splitlines():
            case, end, seed = (pattern.match(line) for pattern in (_CASE, _END, _SEED))
            if seed and self.seed is None:
                self.seed = int(seed.group(1))
            elif case:
                name = case.group(3)
                self._take(name, case.group(2), case.group(1) is None,
                           commit.group(1) if commit else None)
            elif end and name in self.cases and self.cases[name][0]:
                self.cases[name] = (True, end.group(1), float(end.group(2)))

    def _take(self, name, title, ok, commit):
        if name:
            self.cases[name] = (ok, None, None)
            self.commits[name] = commit
        else:
            self.others.append((title, ok, commit))

    def fill(self, items):
        """Gives the items their results. Returns those that have one."""
        for item in items:
            if item.name in self.cases:
                item.ok, item.outcome, item.seconds = self.cases[item.name]
                item.commit = self.commits[item.name]
        return [item for item in items if item.name in self.cases]
