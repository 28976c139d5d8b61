"""Results of earlier runs, read from what they printed."""

import re

_CASE = re.compile(r"^(not )?ok \d+ - (.*?)(?: \(([\w@/:.-]+)\))?(?: \(([\d.]+) s\))?$")
_END = re.compile(r"^# (.+) after ([\d.]+) s$")
_SEED = re.compile(r"^# seed of the random journeys: (\d+)$")
_RELEASES = re.compile(r"^# releases: (\S+)$", re.MULTILINE)
_COMMIT = re.compile(r"^# commit: (\S+)$", re.MULTILINE)


class Earlier:
    """What was printed by runs of this program, of its neighbours, and of the fuzzers.

    cases: {(pair, name): (ok, outcome, seconds)}; a later file's word counts
    commits: {(pair, name): what the tree was called in which it was run}
    pairs: of releases of Debian, in the order of the files
    others: [(title, ok, commit)] of the neighbours, whose cases have no names
    tables: texts in Markdown
    """

    def __init__(self, paths):
        self.cases = {}
        self.commits = {}
        self.pairs = []
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
        commit, releases = _COMMIT.search(text), _RELEASES.search(text)
        pair = releases.group(1) if releases else None
        if pair not in self.pairs:
            self.pairs.append(pair)
        name = None
        for line in text.splitlines():
            case, end, seed = (pattern.match(line) for pattern in (_CASE, _END, _SEED))
            if seed and self.seed is None:
                self.seed = int(seed.group(1))
            elif case:
                name = (pair, case.group(3)) if case.group(3) else None
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

    def fill(self, items, pair):
        """Gives the items their results on that pair. Returns those that have one."""
        done = [item for item in items if (pair, item.name) in self.cases]
        for item in done:
            item.ok, item.outcome, item.seconds = self.cases[pair, item.name]
            item.commit, item.pair = self.commits[pair, item.name], pair
        return done
