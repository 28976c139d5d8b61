"""One leg of a journey there and back, proved: the guest counts on, every bit and the allocation
are the same, and the next cold boot works from the definition that the destination keeps.

What a pair of hosts cannot keep thin arrives in full, and `space` has said so.
"""

from lab import images
from lab.images import MIB
from lab.tap import check, equal

from stage import definition, overlays


def _version(text):
    return tuple(int(part) for part in text.split("."))


def only_seeds_stay_thin(stage, source, destination):
    """Whether a mirror between these two hosts allocates a raw image in full, whatever is asked."""
    here, there = (stage.controller.call(host.name, "describe_host")
                   for host in (source, destination))
    return (_version(here["qemu_version"]) < (10, 1)
            and _version(here["libvirt_version"]) >= (10,)
            and _version(there["libvirt_version"]) < (10, 9))


def is_told_full(stage, guest, to, **options):
    """Returns whether the check says that a disk would arrive allocated in full."""
    info = stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                 instance=guest.name, options=options)["instance_info"]
    answer = stage.controller.call(to.name, "check_can_live_migrate_destination",
                                   instance_info=info, options=options)
    return any(each["name"] == "space" and "allocated in full" in each["message"]
               for each in answer["checks"])


def travel(stage, guest, places=None, name=None, **options):
    """Carries a guest that counts to the other host and boots it cold there; returns the event.

    places: {target: (path, format)} of disks that arrive elsewhere. name: that it arrives under.
    """
    source = guest.host
    before = [(disk.path, disk.kind, source) for disk in guest.disks]
    for disk in guest.disks:
        stage.defer(stage.remove, source, disk.path)
    if name:
        options["dest_name"] = name
    to = next(host for host in stage.hosts.values() if host is not source)
    full = (only_seeds_stay_thin(stage, source, to)
            and is_told_full(stage, guest, to, **options))
    end = stage.carry(guest, paused=True, **options)
    guest.name = name or guest.name
    for disk in guest.disks:
        disk.path, disk.kind = (places or {}).get(disk.target, (disk.path, disk.kind))
    for disk, old in zip(guest.disks, before):
        _compare(disk, old, guest.host, options.get("sparsify"), full and disk.kind == "raw")
    guest.host.virsh("resume", guest.name)
    stage.runs_on(guest, guest.host)
    boot_cold(stage, guest)
    return end


def identical(disk, path, source, host):
    """Whether a disk says on this host what it said on the source, where a seeded one has left its
    last writes in an overlay."""
    left = overlays(source, disk)
    if left:
        return images.identical_to_overlay((disk.path, host), (left[0], source), (path, source))
    return images.identical((path, source), (disk.path, host))


def _compare(disk, old, host, sparsify, full):
    path, kind, source = old
    check(identical(disk, path, source, host), "%s: the copies differ" % disk.target)
    equal(images.info(disk.path, host)["format"], disk.kind, disk.target)
    allocated = [images.allocation(path, source), images.allocation(disk.path, host)]
    if full:
        # Of a qcow2 image only what it has is copied: it may stay thin.
        check(kind == "qcow2" or allocated[1] >= disk.capacity,
              "%s was to arrive in full: %d bytes became %d" % (disk.target, *allocated))
        return
    check(sparsify or allocated[1] <= allocated[0] * 1.02 + 8 * MIB,
          "%s: %d of %d bytes are allocated" % (disk.target, allocated[1], allocated[0]))


def boot_cold(stage, guest):
    """The power goes, and the guest comes again from its persistent definition."""
    host = guest.host
    equal(definition(host, guest.name), (True, True), "definition")
    host.virsh("destroy", guest.name)
    host.virsh("start", guest.name)
    stage.runs_on(guest, host)
