"""The proof that a guest went on without losing a write.

The guest (counter.c) announces on its console each number that it has written to every disk. All
hosts' console logs together have to name every number, and the image has to hold every number
that was announced and not yet overwritten.
"""

import re
import struct
import zlib

from . import images

MAGIC = b"FERRY-N1"
SECTOR = 512
LINE = re.compile(r"^ferry (\d{10}) ([0-9a-f]{8})$")
# Anywhere in a line: the one before may have been cut off when the guest left.
START = re.compile(r"ferry starts at (\d+) on")
_HEADER = struct.Struct("<8sQII")


def line_of(number):
    digits = "%010d" % number
    return "ferry %s %08x" % (digits, zlib.crc32(digits.encode()))


def announced(text):
    """Numbers in a console log, in its order."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line.rstrip("\r"))
        if match and line_of(int(match.group(1))) == line.rstrip("\r"):
            found.append(int(match.group(1)))
    return found


def faults(text):
    """What the guest itself complained of."""
    return [line for line in text.splitlines() if line.startswith("ferry fault")]


def last(text):
    numbers = announced(text[-4096:])
    return numbers[-1] if numbers else 0


def missing(texts):
    """Numbers that no console log names, between the lowest and the highest that one does.

    A line may have been cut by the move: its head is then in one log and its tail in another. And
    when QEMU was killed the last number may be on the disk without having been announced: the next
    boot has found it there and goes on behind it.
    """
    seen, fragments = set(), []
    for text in texts:
        seen.update(announced(text))
        fragments += [line.rstrip("\r") for line in text.splitlines()
                      if not LINE.match(line.rstrip("\r"))]
    if not seen:
        return []
    found_at_boot = {int(number) - 1 for text in texts for number in START.findall(text)}
    gaps = [number for number in range(min(seen), max(seen) + 1)
            if number not in seen and number not in found_at_boot]
    return [number for number in gaps if not _was_cut(line_of(number), fragments)]


def _was_cut(line, fragments):
    heads = [fragment for fragment in fragments if fragment and line.startswith(fragment)]
    tails = [fragment for fragment in fragments if fragment and line.endswith(fragment)]
    return any(head + tail == line for head in heads for tail in tails)


def repeated(texts):
    """Numbers announced more than once: the guest ran twice, or went back in time."""
    seen, twice = set(), set()
    for text in texts:
        for number in announced(text):
            (twice if number in seen else seen).add(number)
    return sorted(twice)


class Layout:
    """Where on a disk the numbers are: the guest's kernel command line says the same."""

    def __init__(self, slots=1024, start=images.MIB, stride=SECTOR):
        self.slots = slots
        self.start = start
        self.stride = stride

    def command_line(self):
        return "ferry.slots=%d ferry.start=%d ferry.stride=%d" % (self.slots, self.start,
                                                                  self.stride)

    def numbers_in(self, path, kind, inside=None):
        """{slot: number} of all valid sectors in an image."""
        if self.stride == SECTOR:
            area = images.read(path, kind, self.start, self.slots * SECTOR, inside)
            sectors = [area[at:at + SECTOR] for at in range(0, len(area), SECTOR)]
        else:
            sectors = [images.read(path, kind, self.start + slot * self.stride, SECTOR, inside)
                       for slot in range(self.slots)]
        found = {}
        for slot, sector in enumerate(sectors):
            number = number_of(sector)
            if number is not None:
                found[slot] = number
        return found

    def lost(self, numbers, first, highest):
        """Announced numbers that an image, read as numbers_in() gives it, does not hold.

        A slot may have been overwritten since by a number `slots` higher.
        """
        lost = []
        for number in range(max(first, highest - self.slots + 1), highest + 1):
            held = numbers.get(number % self.slots)
            if held is None or held < number or (held - number) % self.slots:
                lost.append(number)
        return lost


def number_of(sector):
    """The number that a sector holds, None when it is not a whole one."""
    magic, number, _disk, crc = _HEADER.unpack_from(sector)
    if magic != MAGIC:
        return None
    blank = sector[:20] + b"\0\0\0\0" + sector[24:]
    return number if zlib.crc32(blank) == crc else None
