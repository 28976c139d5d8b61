"""Another release of Debian as the root of a host: a tree in the cache, the product built in it."""

import contextlib
import fcntl
import glob
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

from .kernel import cache_directory, ensure_cached

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VARIABLE = "VIRT_FERRY_LAB_RELEASES"
# Hosts of two releases both know these; a name without a version would mean another machine on
# each.
COMMON_MACHINES = {"q35": "pc-q35-7.2", "pc": "pc-i440fx-7.2"}

# Suites that do not change any more; of others a tree is made anew each month.
_SETTLED = ("bookworm", "trixie")
# A tree that nobody has used for so long goes when another one is made.
_STALE_S = 14 * 24 * 3600
_NUMBERS = {"bookworm": "12", "trixie": "13", "forky": "14"}
_PACKAGES = os.path.join(TOP, "tests", "packages")
# Beside what the machine shows of itself, a build sees the sources and writes to its folder.
_BUILD = """
for shared in "$2" /dev; do
    mkdir -p "$1$shared"
    mount --rbind "$shared" "$1$shared"
done
mount -t proc proc "$1/proc"
exec chroot "$1" "$2/tests/build-tree" --programs "$3" --enable-werror --enable-fault-points \
    CFLAGS="-O1 -g1"
"""


def own_suite():
    """The suite of Debian that this machine has."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "sid")


def parse(text):
    """{host: suite} of "kvm01=trixie,kvm02=bookworm"."""
    chosen = {}
    for word in text.split(",") if text else ():
        host, equals, suite = word.partition("=")
        if not equals or not host or not re.fullmatch(r"[a-z]+", suite):
            raise ValueError("'%s' is not HOST=SUITE, such as kvm02=trixie" % word)
        chosen[host] = suite
    return chosen


def wanted(hosts):
    """{host: suite} of these hosts as the environment has it."""
    chosen = parse(os.environ.get(VARIABLE))
    return {host: chosen[host] for host in hosts if host in chosen}


def pair(source="kvm01", destination="kvm02"):
    """What these two hosts have in this run: "12→13"."""
    chosen = parse(os.environ.get(VARIABLE))
    return "→".join(_NUMBERS.get(suite, suite) for suite in (
        chosen.get(host, own_suite()) for host in (source, destination)))


def add_option(parser):
    """--releases, for programs whose laboratories may have hosts of other releases."""
    def choose(text):
        parse(text)
        # For each laboratory that the program makes.
        os.environ[VARIABLE] = text
        return text
    parser.add_argument("--releases", metavar="HOST=SUITE,...", type=choose)


class Release:
    """A suite of Debian ("trixie"), whose hosts run its own libvirtd, QEMU and agent.

    root      the tree, shared by all hosts of all laboratories and never written to by them; one
              for each list of packages
    builddir  where the product was built with that release's compiler and libraries
    """

    kind = "host"

    def __init__(self, suite, cache=None):
        self.suite = suite
        self.cache = cache or cache_directory()
        self.packages = subprocess.run([_PACKAGES, "--print-" + self.kind, suite], check=True,
                                       text=True, stdout=subprocess.PIPE).stdout.split()
        month = [] if suite in _SETTLED else [time.strftime("%Y-%m", time.gmtime())]
        key = hashlib.sha256(" ".join(self.packages + month).encode()).hexdigest()[:8]
        self.root = os.path.join(self.cache, "release-%s-%s" % (suite, key))
        self.builddir = os.path.join(TOP, "build-" + suite)

    def ensure(self):
        """Makes the tree when the cache lacks it and builds the product as it is now."""
        self._ensure_tree()
        self._build()
        return self

    def root_lines(self, *shared):
        """Shell lines that give the namespace in which they run a copy of its own of the tree as
        root, with these folders of the machine in their places; `upper`, `work` and `root` in the
        present folder, a tmpfs, are for it."""
        lines = ["mkdir -p upper work root",
                 "mount -t overlay -o lowerdir=%s,upperdir=upper,workdir=work tree root" % self.root]
        for folder in (*shared, TOP, "/dev"):
            lines += ["mkdir -p root%s" % folder, "mount --rbind %s root%s" % (folder, folder)]
        return lines + ["mkdir -p root/mnt",
                        "mount -t proc proc root/proc", "mount -t sysfs sysfs root/sys",
                        "cd root; pivot_root . mnt; umount -l /mnt; cd /"]

    def _ensure_tree(self):
        ensure_cached(self.cache, self.root, self._make)
        # When it was used last.
        os.utime(self.root)

    def _make(self):
        _sweep(self.cache)
        _say("making a tree of Debian %s" % self.suite)
        begun = time.monotonic()
        made = tempfile.mkdtemp(dir=self.cache, prefix="release-new-")
        try:
            self._bootstrap(made)
            archives = os.path.join(made, "var/cache/apt/archives")
            fetched = _size(archives) + _size(os.path.join(made, "var/lib/apt/lists"))
            for folder in (archives, os.path.join(made, "var/lib/apt/lists")):
                shutil.rmtree(folder)
            os.chmod(made, 0o755)
            os.rename(made, self.root)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        _say("%s: %d MiB fetched, %d MiB in %s, %.0f s" % (
            self.suite, fetched >> 20, _size(self.root) >> 20, self.root,
            time.monotonic() - begun))

    def _bootstrap(self, target):
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=apt", "--mode=root",
             "--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Languages none",
             # A mirror may be a snapshot, and what moves expires within days.
             "--aptopt=Acquire::Check-Valid-Until false",
             "--include=" + ",".join(self.packages),
             # Nothing of it runs on this machine, so nothing has to reach the disk at once.
             "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*",
             "--dpkgopt=path-exclude=/usr/share/locale/*",
             "--dpkgopt=path-exclude=/usr/share/man/*",
             # What was fetched is counted.
             "--skip=cleanup/apt,download/empty", self.suite, target, _mirror()],
            check=True, stdin=subprocess.DEVNULL)

    def _build(self):
        with _locked(TOP):
            _configure_anew()
        os.makedirs(self.builddir, exist_ok=True)
        begun = time.monotonic()
        with _locked(self.builddir):
            subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", _BUILD,
                            "sh", self.root, TOP, self.builddir], check=True,
                           stdin=subprocess.DEVNULL)
        if time.monotonic() - begun > 10:
            _say("%s: built in %.0f s" % (self.suite, time.monotonic() - begun))


class BrokerRelease(Release):
    """The same for the machine with the broker and a client of oslo.messaging; nothing is built."""

    kind = "broker"

    def ensure(self):
        self._ensure_tree()
        return self


def _sweep(cache):
    """Removes the trees that nobody uses any more, and what is left of one that was not finished:
    only who holds the cache's lock makes one."""
    for path in glob.glob(os.path.join(cache, "release-*")):
        if (os.path.basename(path).startswith("release-new-")
                or time.time() - os.path.getmtime(path) > _STALE_S):
            subprocess.run(["rm", "-rf", "--one-file-system", path], check=False)


@contextlib.contextmanager
def _locked(path):
    """Several that start at once go one after the other."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _configure_anew():
    """What the tree's older or newer autotools would make otherwise is made by this machine's. The
    caller holds the lock of the sources, as tests/build-tree does."""
    made = os.path.join(TOP, "Makefile.in")
    sources = [os.path.join(TOP, "configure.ac"), os.path.join(TOP, "Makefile.am"),
               *glob.glob(os.path.join(TOP, "*", "Makefile.am.inc")),
               *glob.glob(os.path.join(TOP, "*", "*", "Makefile.am.inc"))]
    if not os.path.exists(made) or max(map(os.path.getmtime, sources)) > os.path.getmtime(made):
        subprocess.run([os.path.join(TOP, "autogen.sh")], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _mirror():
    """The first mirror that apt of this machine is set to."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                           "Created-By: Packages"], check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.split()
    if not told:
        raise RuntimeError("apt names no mirror: run apt-get update")
    return told[0]


def _size(top):
    """Bytes of all files below a folder."""
    total = 0
    for folder, _, files in os.walk(top):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def _say(text):
    print("lab: " + text, file=sys.stderr, flush=True)
