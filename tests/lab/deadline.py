"""Waiting for a condition, never for a time."""

import time


class DeadlineExceeded(AssertionError):
    """What was waited for did not come in time."""


class Deadline:
    """A point in time after which waiting is a failure."""

    def __init__(self, seconds, what):
        self.seconds = seconds
        self.what = what
        self._end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self._end - time.monotonic())

    def check(self, detail=""):
        if time.monotonic() < self._end:
            return
        raise DeadlineExceeded("%s did not come within %g s%s"
                               % (self.what, self.seconds, detail and ": " + str(detail)))


def wait_until(condition, seconds, what, interval=0.05):
    """Asks condition() until it is true and returns its value."""
    deadline = Deadline(seconds, what)
    while True:
        value = condition()
        if value:
            return value
        deadline.check()
        time.sleep(interval)
