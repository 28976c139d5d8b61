"""The source tree that the faults are played from."""

import os
import subprocess

from lab import release

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def commit():
    """What git calls it; an unpacked tarball has no name."""
    # By env, which fails as git would where there is no git.
    done = subprocess.run(["env", "git", "-C", TOP, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def note_commit(tap):
    """Says it in the output, for the table of runs that were. Returns it."""
    name = commit()
    tap.note("commit: %s" % name)
    return name


def note_releases(tap):
    """Says which releases of Debian the hosts have, such as "12→13". Returns it."""
    pair = release.pair()
    tap.note("releases: %s" % pair)
    return pair
