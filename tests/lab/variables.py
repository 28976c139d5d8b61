"""The variables of UEFI firmware in their file: read, and written while nobody has it open."""

import struct
import uuid

OWNER = uuid.UUID("9d3bcc7e-2f0e-4b2c-8c35-6cf6d0b3f6a1")

# The store lies behind the header of its firmware volume, which says its own length.
_VOLUME_LENGTH = struct.Struct("<H")
_VOLUME_LENGTH_AT = 48
_STORE = struct.Struct("<16sIBBHI")
# Start, state, attributes, count, time, key, lengths of name and data, owner: an authenticated one.
_VARIABLE = struct.Struct("<HBBIQ16sIII16s")
_START = 0x55AA
_ADDED = 0x3F
# Kept without power, for firmware and system.
_ATTRIBUTES = 7


def _walk(store):
    """(offset, fields, name, data) of each variable, then the offset where the next one goes."""
    length, = _VOLUME_LENGTH.unpack_from(store, _VOLUME_LENGTH_AT)
    offset = length + _STORE.size
    while _VARIABLE.unpack_from(store, offset)[0] == _START:
        fields = _VARIABLE.unpack_from(store, offset)
        begin = offset + _VARIABLE.size
        middle, end = begin + fields[7], begin + fields[7] + fields[8]
        yield offset, fields, store[begin:middle].decode("utf-16le").rstrip("\0"), store[middle:end]
        offset = (end + 3) & ~3
    yield offset, None, None, None


def read(path):
    """{name: data} of what is set."""
    with open(path, "rb") as vars_file:
        store = vars_file.read()
    return {name: data for _, fields, name, data in _walk(store) if fields and fields[1] == _ADDED}


def add(path, name, data):
    """Sets a variable that is not there yet."""
    with open(path, "r+b") as vars_file:
        store = vars_file.read()
        *_, (offset, _, _, _) = _walk(store)
        text = name.encode("utf-16le") + b"\0\0"
        vars_file.seek(offset)
        vars_file.write(_VARIABLE.pack(_START, _ADDED, 0, _ATTRIBUTES, 0, bytes(16), 0, len(text),
                                       len(data), OWNER.bytes_le) + text + data)
