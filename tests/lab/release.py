"""Another release of Debian as the root of a host: a tree in the cache, and the product built in it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from .kernel import cache_directory, ensure_cached

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What a host has beside what the build needs; tests/packages names both.
_PACKAGES = os.path.join(TOP, "tests", "packages")


# Newer releases know these, too; a name without a version would mean another machine on each.
MACHINES = {"q35": "pc-q35-7.2", "pc": "pc-i440fx-7.2"}


def wanted(hosts):
    """{host: suite} of these hosts as VIRT_FERRY_LAB_RELEASES has it."""
    words = [word for word in os.environ.get("VIRT_FERRY_LAB_RELEASES", "").split(",") if word]
    chosen = dict(word.split("=", 1) for word in words)
    return {host: suite for host, suite in chosen.items() if host in hosts}


class Release:
    """A suite of Debian ("trixie"), whose hosts run its own libvirtd, QEMU and agent.

    root      the tree, shared by all hosts of all laboratories and never written to by them
    builddir  where the product was built with that release's compiler and libraries
    """

    def __init__(self, suite, cache=None):
        if not re.fullmatch(r"[a-z]+(-backports)?", suite):
            raise ValueError("%r names no suite of Debian" % suite)
        self.suite = suite
        self.cache = cache or cache_directory()
        self.root = os.path.join(self.cache, "release-" + suite)
        self.builddir = os.path.join(TOP, "build-" + suite)

    def ensure(self):
        """Makes the tree when the cache lacks it and builds the product as it is now."""
        ensure_cached(self.cache, self.root, self._make)
        self._build()
        return self

    def program(self, name):
        """Path of virt-ferryd or virt-ferry, the same inside and outside."""
        return os.path.join(self.builddir, {"virt-ferryd": "agent"}.get(name, "cli"), name)

    def _make(self):
        print("lab: fetching a tree of Debian %s, some 800 MiB" % self.suite, file=sys.stderr)
        packages = subprocess.run([_PACKAGES, "--print-host"], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.split()
        made = tempfile.mkdtemp(dir=self.cache, prefix="release-new-")
        try:
            subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=apt", "--mode=root",
                 "--aptopt=APT::Install-Recommends false", "--include=" + ",".join(packages),
                 # Nothing of it runs on this machine, so nothing has to reach the disk at once.
                 "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*",
                 "--dpkgopt=path-exclude=/usr/share/locale/*",
                 self.suite, made, _mirror()], check=True, stdin=subprocess.DEVNULL)
            os.chmod(made, 0o755)
            os.rename(made, self.root)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise

    def _build(self):
        os.makedirs(self.builddir, exist_ok=True)
        script = """
for shared in "$2" /dev; do
    mkdir -p "$1$shared"
    mount --rbind "$shared" "$1$shared"
done
mount -t proc proc "$1/proc"
exec chroot "$1" "$2/tests/build-tree" "$3" --enable-werror --enable-fault-points
"""
        subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh",
                        self.root, TOP, self.builddir], check=True, stdin=subprocess.DEVNULL)


def _mirror():
    """The first mirror that apt of this machine is set to."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                           "Created-By: Packages"], check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.split()
    if not told:
        raise RuntimeError("apt names no mirror: run apt-get update")
    return told[0]
