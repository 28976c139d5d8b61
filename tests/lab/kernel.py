"""What guests boot: Debian's cloud kernel, unpacked and not installed, and a tiny initramfs."""

import contextlib
import fcntl
import hashlib
import lzma
import os
import re
import shutil
import stat
import struct
import subprocess
import tarfile
import tempfile

META_PACKAGE = "linux-image-cloud-amd64"
# virtio_blk names what it needs itself; the transport is found by the bus and must be named.
MODULES = ("virtio_pci", "virtio_blk")
# Names the modules that are part of vmlinuz: virtio_pci is one since Debian 13.
_BUILT_IN = "modules.builtin"

# What a kernel may be packed with, by its first bytes, and what unpacks that.
_UNPACKERS = {b"\x02\x21\x4c\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zX": "xz",
              b"\x1f\x8b\x08\x00": "gzip"}
# The header of the note by which QEMU finds the entry of an unpacked one (Xen, type 18).
_ENTRY_NOTE = re.compile(rb"\x04\0\0\0[\x04\x08]\0\0\0\x12\0\0\0Xen\0")

_HERE = os.path.dirname(os.path.abspath(__file__))


def cache_directory():
    """Where the kernel is kept between runs."""
    chosen = os.environ.get("VIRT_FERRY_LAB_CACHE")
    if chosen:
        return chosen
    if os.environ.get("XDG_CACHE_HOME"):
        return os.path.join(os.environ["XDG_CACHE_HOME"], "virt-ferry-lab")
    if os.geteuid() == 0:
        return "/var/cache/virt-ferry-lab"
    return os.path.expanduser("~/.cache/virt-ferry-lab")


def ensure_cached(cache, path, fetch):
    """Calls fetch() where the cache does not have this file; others wait meanwhile."""
    if os.path.exists(path):
        return
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            fetch()


@contextlib.contextmanager
def fetched(cache, package):
    """One of Debian's packages, and a folder for the time of the block; nothing is installed."""
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as work:
        # apt fetches as its own user where it may.
        os.chmod(work, 0o755)
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download",
                        package], cwd=work, check=True, stdin=subprocess.DEVNULL)
        debs = [name for name in os.listdir(work) if name.endswith(".deb")]
        yield os.path.join(work, debs[0]), work


def _unpacked(vmlinuz):
    """The kernel that vmlinuz unpacks at each boot; None where it cannot be had or booted.

    The header is that of Documentation/arch/x86/boot.rst; the length unpacked follows the payload.
    """
    with open(vmlinuz, "rb") as packed:
        image = packed.read()
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = ((image[0x1f1] or 4) + 1) * 512 + offset
    payload, told = image[begin:begin + length - 4], image[begin + length - 4:begin + length]
    program = shutil.which(_UNPACKERS.get(payload[:4], ""))
    if image[0x202:0x206] != b"HdrS" or not program:
        return None
    kernel = subprocess.run([program, "-dc"], input=payload, check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL).stdout
    whole = kernel.startswith(b"\x7fELF") and len(kernel) == struct.unpack("<I", told)[0]
    return kernel if whole and _ENTRY_NOTE.search(kernel) else None


class Kernel:
    """vmlinuz and the modules that a guest needs, in the cache."""

    def __init__(self, cache=None):
        self.cache = cache or cache_directory()
        self.directory = os.path.join(self.cache, "kernel")
        self.image = os.path.join(self.directory, "vmlinuz")
        self._unpacked = os.path.join(self.directory, "vmlinux")

    def ensure(self):
        """Fetches the kernel when the cache is empty, and unpacks it once for all boots."""
        ensure_cached(self.cache, self.image, self._fetch)
        ensure_cached(self.cache, self._unpacked, self._write_unpacked)
        return self

    @property
    def quick(self):
        """What boots with the least work, by a BIOS only: unpacked where that can be."""
        return self._unpacked if os.path.exists(self._unpacked) else self.image

    def _write_unpacked(self):
        contents = _unpacked(self.image)
        if contents:
            with open(self._unpacked + ".new", "wb") as out:
                out.write(contents)
            os.rename(out.name, self._unpacked)

    def _fetch(self):
        with fetched(self.cache, self._package()) as (deb, work):
            unpacked = os.path.join(work, "kernel")
            os.makedirs(os.path.join(unpacked, "modules"))
            self._unpack(deb, unpacked)
            os.rename(unpacked, self.directory)

    @staticmethod
    def _package():
        told = subprocess.run(["apt-cache", "depends", META_PACKAGE], check=True, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
        found = re.search(r"Depends: (linux-image-\S+)", told)
        if not found:
            raise RuntimeError("apt knows no kernel behind %s: run apt-get update" % META_PACKAGE)
        return found.group(1)

    @staticmethod
    def _unpack(deb, target):
        """Takes vmlinuz and the virtio modules out of a package of some 100 MiB."""
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                              stdout=subprocess.PIPE) as unpacking:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
                for member in archive:
                    name = os.path.basename(member.name)
                    if name.startswith("vmlinuz-"):
                        kept = os.path.join(target, "vmlinuz")
                    elif (name.startswith("virtio") and ".ko" in name) or name == _BUILT_IN:
                        kept = os.path.join(target, "modules", name.replace("-", "_"))
                    else:
                        continue
                    with archive.extractfile(member) as source, open(kept, "wb") as out:
                        shutil.copyfileobj(source, out)
        if unpacking.returncode != 0 or not os.path.exists(os.path.join(target, "vmlinuz")):
            raise RuntimeError("%s holds no kernel" % deb)

    def modules(self, wanted=MODULES):
        """(name, contents) of these and what they need, in the order of loading."""
        loaded = {}
        built_in = self._built_in()

        def load(name):
            if name in loaded or name in built_in:
                return
            contents = self._module(name)
            for needed in re.search(rb"\0depends=([^\0]*)\0", contents).group(1).split(b","):
                if needed:
                    load(needed.decode())
            loaded[name] = contents
        for name in wanted:
            load(name)
        return list(loaded.items())

    def _built_in(self):
        try:
            with open(os.path.join(self.directory, "modules", _BUILT_IN),
                      encoding="ascii") as paths:
                return {os.path.basename(path.strip()).removesuffix(".ko").replace("-", "_")
                        for path in paths}
        except FileNotFoundError:
            # A cache of Debian 12, made before anybody asked.
            return set()

    def _module(self, name):
        stem = os.path.join(self.directory, "modules", name + ".ko")
        if os.path.exists(stem):
            with open(stem, "rb") as module:
                return module.read()
        if os.path.exists(stem + ".xz"):
            with lzma.open(stem + ".xz") as module:
                return module.read()
        return subprocess.run(["zstd", "-dcq", stem + ".zst"], check=True,
                              stdout=subprocess.PIPE).stdout


def compile_program(cache, stem):
    """A program of the guest, compiled once for each state of its source."""
    source = os.path.join(_HERE, stem + ".c")
    with open(source, "rb") as text:
        digest = hashlib.sha256(text.read()).hexdigest()[:16]
    program = os.path.join(cache, "%s-%s" % (stem, digest))
    if not os.path.exists(program):
        os.makedirs(cache, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=cache, prefix=stem + "-new-")
        os.close(handle)
        try:
            subprocess.run(["gcc", "-std=gnu17", "-Os", "-static", "-s", "-Wall", "-Wextra",
                            "-Werror", "-o", made, source], check=True,
                           stdin=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            os.unlink(made)
            raise
        os.rename(made, program)
    with open(program, "rb") as binary:
        return binary.read()


def _entry(number, name, mode, contents=b"", device=(0, 0)):
    """One file in cpio's "newc" format, which the kernel unpacks."""
    fields = (number, mode, 0, 0, 1, 0, len(contents), 0, 0, device[0], device[1],
              len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return (header + b"\0" * (-len(header) % 4)
            + contents + b"\0" * (-len(contents) % 4))


def _folders(name):
    """The folders on the way to a file, from the top; the kernel takes one twice."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def write_initrd(kernel, path, modules=MODULES, programs=()):
    """Writes the initramfs: /init and the modules, named in the order of loading.

    programs: (path, contents) of what else is in it, all executable.
    """
    files = [("init", stat.S_IFREG | 0o755, compile_program(kernel.cache, "counter"), (0, 0)),
             ("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
             ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
             ("proc", stat.S_IFDIR | 0o755, b"", (0, 0)),
             ("modules", stat.S_IFDIR | 0o755, b"", (0, 0))]
    for order, (name, contents) in enumerate(kernel.modules(modules)):
        files.append(("modules/%02d-%s" % (order, name), stat.S_IFREG | 0o644, contents, (0, 0)))
    for name, contents in programs:
        files += [(folder, stat.S_IFDIR | 0o755, b"", (0, 0)) for folder in _folders(name)]
        files.append((name, stat.S_IFREG | 0o755, contents, (0, 0)))
    with open(path, "wb") as out:
        for number, (name, mode, contents, device) in enumerate(files, 1):
            out.write(_entry(number, name, mode, contents, device))
        out.write(_entry(0, "TRAILER!!!", 0))
