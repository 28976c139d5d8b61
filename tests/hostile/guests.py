"""What a guest can write into its own disk, and a user of the host into a folder."""

import os
import struct

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import equal

from stage import start_still

# Of the file below, that libvirt's look at a folder stumbles over.
NAMES = (b"/caf\xe9\xff\xfe/base", 1023 * b"x", b"json:{\"driver\":\"file\"}",
         b"/\x01</path>&lt;")
SIZE = 64 * MIB


def _header(name):
    """The head of a qcow2 image of another size, with this backing file."""
    return struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 112, len(name), 16, GIB, 0, 2,
                       196608, 65536, 1, 0, 0, 0, 0, 0, 4, 104) + 8 * b"\0" + name


def _guest(stage):
    """A guest with raw disks, each of which begins with such a head."""
    guest = stage.guest(*(Disk("vd" + chr(97 + i), SIZE, "raw", data=MIB)
                          for i in range(len(NAMES)))).create_images()
    for disk, name in zip(guest.disks, NAMES):
        with open(stage.source.path(disk.path), "r+b") as image:
            image.write(_header(name))
    return guest


def _there_and_back(stage, guest):
    stage.carry(guest)
    stage.carry(guest)
    for disk, name in zip(guest.disks, NAMES):
        path = stage.source.path(disk.path)
        with open(path, "rb") as image:
            equal(image.read(len(_header(name))), _header(name))
        equal(os.stat(path).st_size, SIZE)
        stage.remove(stage.destination, disk.path)


def headers_in_raw_disks(stage):
    """raw disks that begin as qcow2 images with impossible bases go, and come back"""
    _there_and_back(stage, start_still(_guest(stage)))


def headers_in_raw_disks_shut_off(stage):
    """the same of an instance that does not run"""
    _there_and_back(stage, _guest(stage).define())


CASES = (headers_in_raw_disks, headers_in_raw_disks_shut_off)
