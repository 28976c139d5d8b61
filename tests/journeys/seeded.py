"""Raw sparse disks: frozen, sent, and only what is written meanwhile is mirrored."""

import re

from lab import images
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

TIB = 1024 * GIB


def _named(host, guest, *words):
    """{target: source} of a definition."""
    text = host.virsh("domblklist", guest.name, *words)
    return dict(line.split(None, 1) for line in text.splitlines() if line.strip())


def _on_images(host, guest):
    """The running domain and its definition name the images and nothing else, and no overlay is
    left beside them."""
    wanted = {disk.target: disk.path for disk in guest.disks}
    equal(_named(host, guest), wanted, "live")
    equal(_named(host, guest, "--inactive"), wanted, "defined")
    equal(_overlays(host), [], "overlays")


def _overlays(host):
    return [name for name in host.images() if ".ferry-" in name]


def _strategies(event):
    report = event.payload["report"]
    return (report["storage_strategy"],
            {disk["target"]: disk["strategy"] for disk in report["disks"]})


def there_and_back(stage):
    """raw 20 GiB goes there and back by seed while the guest writes, and boots cold there"""
    guest = stage.counting(Disk("vda", 20 * GIB, "raw", data=64 * MIB))
    before = images.allocation(guest.disks[0].path, stage.source)
    event = stage.carry(guest)
    equal(_strategies(event), ("seeded", {"vda": "seeded"}))
    check(re.search("[0-9]+ MiB of holes", event.payload["report"]["disks"][0]["strategy_why"]),
          "no reason: %s" % event.payload["report"]["disks"])
    stage.runs_on(guest, stage.destination)
    _on_images(stage.destination, guest)
    after = images.allocation(guest.disks[0].path, stage.destination)
    check(after <= before * 1.02 + 8 * MIB, "%d of %d bytes are allocated" % (after, before))
    equal(len(_overlays(stage.source)), 1, "left behind")
    stage.carry(guest)
    stage.runs_on(guest, stage.source)
    _on_images(stage.source, guest)
    guest.host.virsh("destroy", guest.name)
    guest.host.virsh("start", guest.name)
    stage.runs_on(guest, stage.source)


CASES = (there_and_back,)
