"""Fresh trees of Debian's releases, kept in the laboratory's cache."""

import os
import re
import shutil
import subprocess
import tempfile

from lab.booted import install
from lab.kernel import cache_directory, ensure_cached

# What boots, and nothing else of the release: what the packages need they have to bring.
_PACKAGES = "systemd-sysv,dbus"


def mirror():
    """The first mirror that this machine's apt is set to."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                           "Created-By: Packages"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()
    if not told:
        raise RuntimeError("apt names no mirror: run apt-get update")
    return told[0]


class Tree:
    """A minimal tree of a suite of Debian in the cache, and the packages fetched for it."""

    def __init__(self, suite):
        if not re.fullmatch("[a-z]+", suite):
            raise ValueError("%r names no suite of Debian" % suite)
        self.suite = suite
        self.cache = cache_directory()
        self.root = os.path.join(self.cache, "packaging-" + suite)
        self.archives = self.root + "-archives"

    def ensure(self):
        ensure_cached(self.cache, self.root, self._make)
        os.makedirs(os.path.join(self.archives, "partial"), exist_ok=True)
        return self

    def _make(self):
        print("# fetching a tree of Debian %s, some 100 MiB" % self.suite, flush=True)
        install(mmdebstrap="mmdebstrap")
        made = tempfile.mkdtemp(dir=self.cache, prefix="packaging-new-")
        try:
            subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", "--mode=root",
                            "--aptopt=APT::Install-Recommends false", "--include=" + _PACKAGES,
                            "--dpkgopt=force-unsafe-io", self.suite, made, mirror()],
                           check=True, stdin=subprocess.DEVNULL)
            os.chmod(made, 0o755)
            os.rename(made, self.root)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
