"""Results in the Test Anything Protocol."""

import sys
import time
import traceback


class Skip(Exception):
    """A case that cannot be run here, and why."""


class Tap:
    """Runs cases in order and prints what became of them.

    The plan, how many there are, comes first; with None nobody knows yet, and it comes last.
    """

    def __init__(self, cases):
        self._cases = cases
        self._number = 0
        self.failed = 0
        if cases is not None:
            self._say("1..%d" % cases)

    def case(self, name, function, *arguments):
        """Runs one case: it fails by raising, a Skip skips it. Returns whether it did not fail."""
        self._number += 1
        begun = time.monotonic()
        try:
            function(*arguments)
        except Skip as reason:
            self._say("ok %d - %s # SKIP %s" % (self._number, name, reason))
            return True
        except Exception:
            self.failed += 1
            self._say("not ok %d - %s" % (self._number, name))
            self.note(traceback.format_exc())
            return False
        self._say("ok %d - %s (%.1f s)" % (self._number, name, time.monotonic() - begun))
        return True

    def bail_out(self, reason):
        """Nothing further makes sense."""
        self._say("Bail out! %s" % reason)
        sys.exit(1)

    def note(self, text):
        for line in str(text).rstrip().splitlines():
            self._say("# " + line)

    @staticmethod
    def _say(line):
        print(line, flush=True)

    def status(self):
        """The program's exit status; cases that were not run count as failed."""
        if self._cases is None:
            self._cases = self._number
            self._say("1..%d" % self._cases)
        if self._number != self._cases:
            self.note("%d cases planned, %d run" % (self._cases, self._number))
        return 1 if self.failed or self._number != self._cases else 0


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError("%s: found %r, expected %r" % (what, found, expected))


def check(condition, what):
    if not condition:
        raise AssertionError(what)
