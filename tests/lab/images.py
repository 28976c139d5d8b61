"""Disk images: making, measuring, comparing, reading.

`inside` is the host whose path is meant (None: the machine's own path). Tools run there, so that
a backing chain is found under the names that are written in the images.
"""

import json
import os
import subprocess
import tempfile

MIB = 1024 * 1024
GIB = 1024 * MIB

# The first bytes belong to the guest's numbers (counting.py); data begins behind them.
DATA_START = 16 * MIB


def _run(words, inside, good=(0,)):
    prefix = inside.prefix() if inside else []
    done = subprocess.run(prefix + [str(word) for word in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True)
    if done.returncode not in good:
        raise RuntimeError("%s: %s" % (" ".join(map(str, words)),
                                       (done.stderr or done.stdout).strip()))
    return done


def _outer(path, inside):
    return inside.path(path) if inside else path


def _scratch(inside):
    """Where a file for a moment lies: a laboratory that is killed takes it along."""
    return inside.directory if inside else None


def create(path, capacity, kind="qcow2", data=0, pieces=4, cluster_size=None, backing=None,
           inside=None):
    """Makes a thin image that holds `data` random bytes, in `pieces` spread over its length.

    backing is (path as the image shall name it, its format).
    """
    words = ["qemu-img", "create", "-q", "-f", kind]
    if backing:
        words += ["-b", backing[0], "-F", backing[1]]
    if cluster_size:
        words += ["-o", "cluster_size=%d" % cluster_size]
    _run(words + [path, capacity], inside)
    if data:
        fill(path, kind, capacity, data, pieces, inside)
    return path


def fill(path, kind, capacity, data, pieces=4, inside=None):
    """Writes random bytes into an image, spread over its length."""
    room = capacity - DATA_START
    if data > room:
        raise ValueError("%d bytes of data do not fit into %d" % (data, capacity))
    piece = max(4096, -(-data // pieces // 4096) * 4096)
    step = max(piece, room // pieces // MIB * MIB)
    left, offset = data, DATA_START
    with tempfile.NamedTemporaryFile(prefix="noise-", dir=_scratch(inside)) as noise:
        while left > 0 and offset < capacity:
            length = min(piece, left, capacity - offset)
            _write_noise(noise, length)
            _run(["qemu-io", "-f", kind, "-t", "writeback",
                  "-c", "write -q -s %s %d %d" % (noise.name, offset, length), path], inside)
            left -= length
            offset += step


def _write_noise(noise, length):
    noise.seek(0)
    noise.truncate(0)
    left = length
    while left > 0:
        left -= noise.write(os.urandom(min(left, 8 * MIB)))
    noise.flush()


def info(path, inside=None):
    """What qemu-img knows of an image, also of one in use."""
    done = _run(["qemu-img", "info", "--force-share", "--output=json", path], inside)
    return json.loads(done.stdout)


def allocation(path, inside=None):
    """Bytes that the image occupies on its file system."""
    return os.stat(_outer(path, inside)).st_blocks * 512


def identical(first, second):
    """Whether the guest would see the same in both; each is (path, host), none is written to.

    For images with a backing chain use read() on each.
    """
    paths = [_outer(path, inside) for path, inside in (first, second)]
    return _run(["qemu-img", "compare", "--force-share", *paths], None, (0, 1)).returncode == 0


def identical_to_overlay(image, overlay, base):
    """Whether a raw image says what a qcow2 overlay on a raw base says; each is (path, host)."""
    image, overlay, base = [_outer(*each).replace(",", ",,") for each in (image, overlay, base)]
    chain = ("driver=qcow2,file.driver=file,file.filename=%s,backing.driver=raw,"
             "backing.file.driver=file,backing.file.filename=%s" % (overlay, base))
    plain = "driver=raw,file.driver=file,file.filename=%s" % image
    return _run(["qemu-img", "compare", "--force-share", "--image-opts", chain, plain],
                None, (0, 1)).returncode == 0


def sound(path, inside=None):
    """Whether qemu-img finds no fault in a qcow2 that nobody has open."""
    # Status 3 is leaked clusters: wasted room, no fault in the data.
    return _run(["qemu-img", "check", "-q", path], inside, (0, 1, 2, 3)).returncode in (0, 3)


def read(path, kind, offset, length, inside=None):
    """Reads a piece of what the guest sees."""
    below = "host_device" if path.startswith("/dev/") else "file"
    source = ("driver=raw,offset=%d,size=%d,file.driver=%s,file.file.driver=%s,"
              "file.file.filename=%s" % (offset, length, kind, below, path.replace(",", ",,")))
    with tempfile.NamedTemporaryFile(prefix="piece-", dir=_scratch(inside)) as out:
        _run(["qemu-img", "convert", "--force-share", "--image-opts", "-O", "raw",
              source, out.name], inside)
        return out.read().ljust(length, b"\0")
